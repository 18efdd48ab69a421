package pulse

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// socket reads and writes without telling Go's scheduler, which for every call
// that might block wakes a thread to watch it. On a socket that never blocks
// there is nothing to watch, and in a call this is done hundreds of times a second.
//
// One may read and one may write at a time.
type socket struct {
	net.Conn
	raw              syscall.RawConn
	reading, writing move
}

func newSocket(c *net.UnixConn) (net.Conn, error) {
	raw, err := c.SyscallConn()
	s := &socket{Conn: c, raw: raw}
	s.reading.ready(syscall.SYS_READ)
	s.writing.ready(syscall.SYS_WRITE)
	return s, err
}

// Read is net.Conn's.
func (s *socket) Read(p []byte) (int, error) {
	n, err := s.reading.make(s.raw.Read, p)
	if err == nil && n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, err
}

// Write is net.Conn's.
func (s *socket) Write(p []byte) (done int, err error) {
	for done < len(p) && err == nil {
		var n int
		n, err = s.writing.make(s.raw.Write, p[done:])
		done += n
	}
	return done, err
}

// move is a call that moves bytes, kept for the next: one made anew each time
// would have to be collected as often.
type move struct {
	p   []byte
	n   int
	err error
	try func(fd uintptr) bool // moves p, and says whether it need not wait
}

func (m *move) ready(call uintptr) {
	m.try = func(fd uintptr) bool {
		for {
			n, _, code := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(m.p))), uintptr(len(m.p)))
			switch code {
			case 0:
				m.n = int(n)
			case syscall.EINTR:
				continue
			case syscall.EAGAIN:
				return false
			default:
				m.err = code
			}
			return true
		}
	}
}

// make makes the call when it can be made without waiting.
func (m *move) make(when func(func(fd uintptr) bool) error, p []byte) (int, error) {
	m.p, m.n, m.err = p, 0, nil
	if err := when(m.try); err != nil {
		return 0, err
	}
	return m.n, m.err
}

// quiet is the same socket without Go's poller, which is woken by all that
// happens to a socket of its own, whether anybody waits for it or not. Nothing
// is to be read or written meanwhile.
func (s *socket) quiet() (wire, error) {
	q := &quiet{fd: -1}
	var code syscall.Errno
	err := s.raw.Control(func(fd uintptr) {
		var n uintptr
		if n, _, code = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0); code == 0 {
			q.fd = int(n)
		}
	})
	if err == nil && code != 0 {
		err = code
	}
	if err != nil {
		return nil, err
	}
	return q, s.Close()
}

// quiet is a socket that is waited for by who reads, in the system's own way.
type quiet struct {
	until time.Time // when waiting ends; of the goroutine that reads

	mu sync.Mutex
	fd int // -1: closed
}

// Read is io.Reader's. Its wait ends with os.ErrDeadlineExceeded.
func (q *quiet) Read(p []byte) (int, error) {
	for {
		n, err := q.move(syscall.SYS_RECVFROM, p)
		if errors.Is(err, syscall.EAGAIN) {
			if err = q.await(); err == nil {
				continue
			}
		}
		if err == nil && n == 0 && len(p) > 0 {
			return 0, io.EOF
		}
		return n, err
	}
}

// pollFD is struct pollfd of poll (2).
type pollFD struct {
	fd              int32
	events, revents int16
}

// await returns when there is something to read, or the other side has gone.
func (q *quiet) await() error {
	left := time.Until(q.until)
	if left <= 0 {
		return os.ErrDeadlineExceeded
	}
	q.mu.Lock()
	wish := pollFD{fd: int32(q.fd), events: pollIn}
	q.mu.Unlock()
	most := syscall.NsecToTimespec(left.Nanoseconds())
	n, _, code := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&wish)), 1, uintptr(unsafe.Pointer(&most)), 0, 0, 0)
	switch {
	case code == syscall.EINTR || code == 0 && n > 0:
		return nil
	case code == 0:
		return os.ErrDeadlineExceeded
	}
	return code
}

// pollIn is POLLIN.
const pollIn = 1

// Write is io.Writer's. A server that does not take what it is sent, which
// would be a second of sound and more, is one that has gone.
func (q *quiet) Write(p []byte) (done int, err error) {
	for done < len(p) && err == nil {
		var n int
		n, err = q.move(syscall.SYS_SENDTO, p[done:])
		done += n
	}
	if errors.Is(err, syscall.EAGAIN) {
		err = os.ErrDeadlineExceeded
	}
	if err != nil && done > 0 { // what follows would be taken for its rest
		_ = q.Close()
	}
	return done, err
}

// move makes a call without waiting.
func (q *quiet) move(call uintptr, p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fd < 0 {
		return 0, net.ErrClosed
	}
	for {
		n, _, code := syscall.RawSyscall6(call, uintptr(q.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch code {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, code
		}
	}
}

// Close closes the socket, and ends a wait.
func (q *quiet) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fd < 0 {
		return net.ErrClosed
	}
	fd := q.fd
	q.fd = -1
	_ = syscall.Shutdown(fd, syscall.SHUT_RDWR)
	return syscall.Close(fd)
}

// SetReadDeadline says when waiting ends.
func (q *quiet) SetReadDeadline(t time.Time) error {
	q.until = t
	return nil
}

// SetWriteDeadline is not needed: no write waits.
func (*quiet) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline says when waiting ends.
func (q *quiet) SetDeadline(t time.Time) error { return q.SetReadDeadline(t) }
