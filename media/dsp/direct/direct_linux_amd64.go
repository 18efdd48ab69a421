package direct

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

const (
	room  = 512 << 10 // for the deepest call
	guard = 64 << 10  // below it there is no memory: running over it ends the program
)

// Stack is where functions of C run, one at a time. The zero value has none.
type Stack struct{ memory []byte }

// NewStack returns a stack of 512 KiB, of which memory is taken as it is used.
// Close frees it.
func NewStack() (Stack, error) {
	b, err := syscall.Mmap(-1, 0, guard+room, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return Stack{}, fmt.Errorf("make a stack: %w", err)
	}
	s := Stack{b}
	if err := syscall.Mprotect(b[:guard], syscall.PROT_NONE); err != nil {
		s.Close()
		return Stack{}, fmt.Errorf("make a stack: %w", err)
	}
	return s, nil
}

// Call runs fn(arg), a function of C that does not call back into Go. arg is
// memory of C.
func (s Stack) Call(fn, arg unsafe.Pointer) {
	call(fn, arg, unsafe.Pointer(&s.memory[guard+room-16]))
	runtime.KeepAlive(s.memory)
}

// Close frees the stack.
func (s Stack) Close() {
	if s.memory != nil {
		_ = syscall.Munmap(s.memory)
	}
}

// call runs fn(arg) on the stack whose end is top.
//
//go:noescape
func call(fn, arg, top unsafe.Pointer)
