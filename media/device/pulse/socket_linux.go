package pulse

import (
	"io"
	"net"
	"syscall"
	"unsafe"
)

// socket reads and writes without telling Go's scheduler, which for every call
// that might block wakes a thread to watch it. On a socket that never blocks
// there is nothing to watch, and in a call this is done hundreds of times a second.
type socket struct {
	net.Conn
	raw syscall.RawConn
}

func newSocket(c *net.UnixConn) (net.Conn, error) {
	raw, err := c.SyscallConn()
	return socket{c, raw}, err
}

// Read is net.Conn's.
func (s socket) Read(p []byte) (int, error) {
	n, err := move(s.raw.Read, syscall.SYS_READ, p)
	if err == nil && n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, err
}

// Write is net.Conn's.
func (s socket) Write(p []byte) (done int, err error) {
	for done < len(p) && err == nil {
		var n int
		n, err = move(s.raw.Write, syscall.SYS_WRITE, p[done:])
		done += n
	}
	return done, err
}

// move makes the call when it can be made without waiting.
func move(when func(func(fd uintptr) bool) error, call uintptr, p []byte) (n int, err error) {
	waited := when(func(fd uintptr) bool {
		for {
			r, _, code := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
			switch code {
			case 0:
				n = int(r)
			case syscall.EINTR:
				continue
			case syscall.EAGAIN:
				return false
			default:
				err = code
			}
			return true
		}
	})
	if waited != nil {
		return 0, waited
	}
	return n, err
}
