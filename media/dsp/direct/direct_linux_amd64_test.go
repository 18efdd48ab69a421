package direct_test

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"github.com/entrenous/entrenous/media/dsp/direct"
)

// foreign makes a function of code, of which nothing is Go's, and gives memory
// for its argument.
func foreign(t *testing.T, code []byte) (fn unsafe.Pointer, arg *[2]uintptr) {
	t.Helper()
	page := func(prot int) []byte {
		b, err := syscall.Mmap(-1, 0, os.Getpagesize(), prot, syscall.MAP_PRIVATE|syscall.MAP_ANON)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Munmap(b) })
		return b
	}
	b := page(syscall.PROT_READ | syscall.PROT_WRITE)
	copy(b, code)
	if err := syscall.Mprotect(b, syscall.PROT_READ|syscall.PROT_EXEC); err != nil {
		t.Fatal(err)
	}
	return unsafe.Pointer(&b[0]), (*[2]uintptr)(unsafe.Pointer(&page(syscall.PROT_READ | syscall.PROT_WRITE)[0]))
}

func stack(t *testing.T) direct.Stack {
	t.Helper()
	s, err := direct.NewStack()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// spoils says in arg[0] where its stack is and counts in arg[1], and leaves nothing
// in the registers that a function of C need not keep.
func spoils() []byte {
	return []byte{
		0x48, 0x89, 0x27, // mov [rdi], rsp
		0x48, 0xff, 0x47, 0x08, // inc qword [rdi+8]
		0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2, 0x31, 0xf6, 0x31, 0xff, // xor eax, ecx, edx, esi, edi
		0x45, 0x31, 0xc0, 0x45, 0x31, 0xc9, 0x45, 0x31, 0xd2, 0x45, 0x31, 0xdb, // xor r8d, r9d, r10d, r11d
		0x66, 0x45, 0x0f, 0x76, 0xff, // pcmpeqd xmm15, xmm15, which Go keeps at zero
		0xc3, // ret
	}
}

func TestAFunctionOfCHasAStackOfItsOwnAndGoNoticesNothing(t *testing.T) {
	fn, arg := foreign(t, spoils())
	s := stack(t)
	var here [64]uintptr // what Go keeps on its own
	for i := range here {
		here[i] = uintptr(i)
	}
	const calls = 1000
	for i := range calls {
		s.Call(fn, unsafe.Pointer(arg))
		if i%100 == 0 {
			runtime.GC()
		}
	}
	if arg[1] != calls {
		t.Errorf("it was called %d times", arg[1])
	}
	if arg[0]%16 != 8 { // System V ABI, AMD64, §3.2.2
		t.Errorf("its stack is at %#x", arg[0])
	}
	if d := int64(arg[0]) - int64(uintptr(unsafe.Pointer(&here))); d > -512<<10 && d < 512<<10 {
		t.Error("it ran on Go's stack")
	}
	for i, v := range here {
		if v != uintptr(i) {
			t.Fatalf("place %d of Go's stack is %d", i, v)
		}
	}
}

func TestManyCallAtOnceEachOnItsOwnStack(t *testing.T) {
	fn, _ := foreign(t, spoils())
	var all sync.WaitGroup
	for range 8 {
		_, arg := foreign(t, nil)
		s := stack(t)
		all.Go(func() {
			for range 10_000 {
				s.Call(fn, unsafe.Pointer(arg))
			}
			if arg[1] != 10_000 {
				t.Errorf("it was called %d times", arg[1])
			}
		})
	}
	all.Wait()
}

// What goes wrong in C ends the program: nobody goes on with memory in disorder.
func TestWhatGoesWrongInCIsNotRecoveredFrom(t *testing.T) {
	const asked = "ENTRENOUS_DIRECT_WRONG"
	wrong := map[string][]byte{
		"more stack than there is": {0x57, 0xeb, 0xfd},                   // again: push rdi; jmp again
		"a place that is not":      {0x31, 0xc0, 0x48, 0x89, 0x00, 0xc3}, // xor eax, eax; mov [rax], rax; ret
	}
	if code, ok := wrong[os.Getenv(asked)]; ok {
		defer func() {
			_ = recover()
			os.Exit(0)
		}()
		fn, arg := foreign(t, code)
		stack(t).Call(fn, unsafe.Pointer(arg))
		return
	}
	for what := range wrong {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), asked+"="+what)
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Errorf("%s: the program goes on: %.300q", what, out)
		} else {
			t.Logf("%s: %v", what, err)
		}
	}
}

func TestAStackThatWasNeverMadeIsClosed(*testing.T) { direct.Stack{}.Close() }
