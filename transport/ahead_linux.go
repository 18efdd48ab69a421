package transport

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/net/ipv4"
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

// receive is recvfrom (2) without waiting.
func receive(fd uintptr, b []byte, flags uintptr) (int, error) {
	for {
		n, _, code := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags|syscall.MSG_DONTWAIT, 0, 0)
		switch code {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, code
		}
	}
}

// WriteMsgUDP is how QUIC and who shares its socket send. What needs nothing beside
// its bytes, as a packet of a call, goes without telling Go's scheduler.
func (s *socket) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (n, oobn int, err error) {
	var name syscall.RawSockaddrInet6
	size := uintptr(0)
	if len(oob) == 0 && len(b) > 0 && to != nil {
		size = s.sockaddr(&name, to)
	}
	if size == 0 {
		return s.UDPConn.WriteMsgUDP(b, oob, to)
	}
	waited := s.raw.Write(func(fd uintptr) bool {
		for {
			r, _, code := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&name)), size)
			switch code {
			case 0:
				n = int(r)
			case syscall.EINTR:
				continue
			case syscall.EAGAIN:
				return false
			default:
				err = &net.OpError{Op: "write", Net: "udp", Source: s.LocalAddr(), Addr: to, Err: os.NewSyscallError("sendto", code)}
			}
			return true
		}
	})
	return n, 0, errors.Join(err, waited)
}

// sockaddr writes an address for the system, and says how long it is; 0 for one of
// another family than the socket's, or with a zone.
func (s *socket) sockaddr(name *syscall.RawSockaddrInet6, to *net.UDPAddr) uintptr {
	own, ok := s.LocalAddr().(*net.UDPAddr)
	if !ok || to.Zone != "" {
		return 0
	}
	four, ours := to.IP.To4(), own.IP.To4()
	switch {
	case four != nil && ours != nil:
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(name))
		v4.Family = syscall.AF_INET
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&v4.Port))[:], uint16(to.Port))
		copy(v4.Addr[:], four)
		return syscall.SizeofSockaddrInet4
	case four == nil && ours == nil && len(to.IP) == net.IPv6len:
		name.Family = syscall.AF_INET6
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Port))[:], uint16(to.Port))
		copy(name.Addr[:], to.IP)
		return syscall.SizeofSockaddrInet6
	}
	return 0
}
