package transport

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// ReadBatch is how QUIC reads. While somebody wants to see packets ahead each is
// looked at where it lies, and taken out once it has been taken.
func (s *socket) ReadBatch(ms []ipv4.Message, flags int) (int, error) {
	if s.ahead.Load() != nil {
		if err := s.raw.Read(s.takeAhead); err != nil {
			return 0, err
		}
	}
	n, err := s.batch.ReadBatch(ms, flags)
	if take := s.ahead.Load(); take != nil {
		for i := 1; i < n; i++ { // what lay behind one that was not taken
			if (*take)(ms[i].Buffers[0][:ms[i].N]) {
				ms[i].N = 0
			}
		}
	}
	return n, err
}

// takeAhead lets packets be taken until one is left that is not, and says whether
// there is one. Go's scheduler is not told of the calls, which never wait: for each
// that might it wakes a thread to watch it.
func (s *socket) takeAhead(fd uintptr) bool {
	for {
		take := s.ahead.Load()
		if take == nil {
			return true
		}
		n, err := receive(fd, s.first[:], syscall.MSG_PEEK)
		if errors.Is(err, syscall.EAGAIN) {
			return false
		}
		if err != nil || !(*take)(s.first[:n]) {
			return true // an error shows again
		}
		if _, err := receive(fd, s.first[:0], 0); err != nil {
			return true
		}
	}
}

// receive is recvfrom (2) without waiting. Its number is not syscall's, which has
// none where it came later than socketcall (2), as on 386. A kernel too old for it
// there (before 4.3) says so, and then nothing is taken ahead.
func receive(fd uintptr, b []byte, flags uintptr) (int, error) {
	for {
		n, _, code := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags|syscall.MSG_DONTWAIT, 0, 0)
		switch code {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, code
		}
	}
}
