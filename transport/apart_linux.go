package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// apartBuffer is what may wait in a second socket, bytes as the system counts
	// them: more than a second of packets at ten times the usual rate, each of which
	// it reckons at up to 1,280. It gives as much of it as it allows.
	apartBuffer = 1 << 20
	// apartMost is the most of what waits that one Look hands over: as much as
	// apartBuffer holds, so that a flood holds nobody up for long.
	apartMost = 1024
	// apartBatch is how many packets are taken out by one call of the system.
	apartBatch = 16
	// apartAge is the most that a packet is believed to have waited.
	apartAge = time.Second
)

// parted is a shared socket with a second one on the same port, which can have the
// packets of one kind to itself (SO_ATTACH_REUSEPORT_CBPF, socket (7)). Nobody is
// woken by what comes there: a waking costs a program of Go more than all the rest of a
// packet. It stands outside Go's poller for that, and waits for nobody who reads it.
//
// The system lets another program of the same user bind the port too, if it asks for
// it (SO_REUSEPORT): with IPv6 no packets could be told apart otherwise. It gets none.
type parted struct {
	shared
	raw syscall.RawConn       // of the first socket
	may func(netip.Addr) bool // whether the host sends to an address at all
	six bool                  // of IPv6

	looking sync.Mutex // of in, held while packets are handed over
	in      letters

	mu sync.Mutex // not held while anything is handed over
	fd int        // -1: closed
}

// part gives a socket a second one, where the system can. may says whether the host
// sends to an address at all.
func part(s shared, may func(netip.Addr) bool) net.PacketConn {
	p := &parted{shared: s, raw: s.of.raw, may: may, fd: -1}
	if own, ok := s.of.LocalAddr().(*net.UDPAddr); ok {
		p.six = own.IP.To4() == nil
	}
	if err := p.open(); err != nil {
		return s
	}
	p.in.init()
	return p
}

func (p *parted) open() error {
	var failed error
	err := p.raw.Control(func(first uintptr) {
		if p.fd, failed = second(int(first)); failed == nil {
			return
		}
		failed = errors.Join(failed, unix.SetsockoptInt(int(first), unix.SOL_SOCKET, unix.SO_REUSEPORT, 0))
	})
	return errors.Join(err, failed)
}

// second opens a socket on the port of the first, which gets nothing.
func second(first int) (fd int, err error) {
	at, err := unix.Getsockname(first)
	if err != nil {
		return -1, fmt.Errorf("find the address: %w", err)
	}
	family, only := unix.AF_INET, 0
	if _, six := at.(*unix.SockaddrInet6); six {
		family = unix.AF_INET6
		if only, err = unix.GetsockoptInt(first, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY); err != nil {
			return -1, fmt.Errorf("find the family: %w", err)
		}
	}
	if fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, fmt.Errorf("open a second socket: %w", err)
	}
	set := func(fd, level, option, value int) {
		if err == nil {
			err = unix.SetsockoptInt(fd, level, option, value)
		}
	}
	if family == unix.AF_INET6 {
		set(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
	}
	set(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	set(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, apartBuffer)
	set(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) // Deaf opens one more
	set(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	set(first, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	if err == nil {
		err = unix.Bind(fd, at)
	}
	if err == nil {
		err = choose(fd, nil)
	}
	if err != nil {
		return -1, errors.Join(fmt.Errorf("share the port: %w", err), unix.Close(fd))
	}
	return fd, nil
}

// choose has the second socket get what is of a kind, nothing if that is nil.
func choose(fd int, kind [][][2]byte) error {
	prog := choice(kind)
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}); err != nil {
		return fmt.Errorf("choose packets: %w", err)
	}
	return nil
}

// choice is the program that the system runs for each packet: it says which socket
// of the port gets it, in the order in which they were bound (the second is 1). What
// is read beyond the end of a packet makes it say 0.
func choice(kind [][][2]byte) (prog []unix.SockFilter) {
	say := func(socket uint32) { prog = append(prog, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: socket}) }
	if kind == nil {
		say(0)
		return prog
	}
	for i, ranges := range kind {
		prog = append(prog, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: uint32(i)})
		for k, r := range ranges {
			fits := uint8(2*(len(ranges)-k) - 1) // past the other ranges, and past what says no
			prog = append(prog,
				unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: uint32(r[0]), Jf: 1},
				unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, K: uint32(r[1]), Jf: fits})
		}
		say(0)
	}
	say(1)
	return prog
}

// Part keeps packets of a kind apart from now on, for Look; nil ends that, and what
// waits is still Look's. A kind lists for each of a packet's first bytes the values that it
// may have, as ranges with both ends. Part says whether packets are kept apart now.
func (p *parted) Part(kind [][][2]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fd >= 0 && choose(p.fd, kind) == nil && kind != nil
}

// Look hands to take what has been kept apart, with its sender and when it came. It
// waits for nothing. take must not keep the packet, nor look or close.
func (p *parted) Look(take func(packet []byte, from netip.AddrPort, at time.Time)) {
	p.looking.Lock()
	defer p.looking.Unlock()
	for n := 0; n < apartMost; n += apartBatch {
		got := p.receive()
		now := time.Now()
		for i := range got {
			if b, from, at, ok := p.in.read(i, now); ok {
				take(b, from, at)
			}
		}
		if got < apartBatch {
			return
		}
	}
}

func (p *parted) receive() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fd < 0 {
		return 0
	}
	return p.in.receive(p.fd)
}

// Post sends a packet by the second socket, whose address is the same, and says
// whether it could: not to whom the host may not send, nor to an address with a zone.
// What does not fit into the system's queue is lost, as it may be further on. Go's
// scheduler is not told of the call, which never waits.
func (p *parted) Post(packet []byte, to netip.AddrPort) bool {
	var name unix.RawSockaddrInet6
	size := receiver(&name, to, p.six)
	if size == 0 || len(packet) == 0 || !p.may(to.Addr()) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.fd >= 0 {
		_, _, code := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(p.fd), uintptr(unsafe.Pointer(&packet[0])), uintptr(len(packet)),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&name)), size)
		if code != unix.EINTR {
			return true
		}
	}
	return false
}

// Close gives the second socket up, and then what it was shared with. It comes
// after the last Look whose packets count.
func (p *parted) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fd < 0 {
		return p.shared.Close() //nolint:wrapcheck // nothing to add
	}
	err := unix.Close(p.fd)
	p.fd = -1
	alone := p.raw.Control(func(first uintptr) { _ = unix.SetsockoptInt(int(first), unix.SOL_SOCKET, unix.SO_REUSEPORT, 0) })
	if errors.Is(alone, net.ErrClosed) {
		alone = nil // the host went first
	}
	return errors.Join(err, alone, p.shared.Close())
}

// letters are the places where the system lays down packets, with who sent each and
// when it came.
type letters struct {
	heads  [apartBatch]head
	pieces [apartBatch]unix.Iovec
	froms  [apartBatch]unix.RawSockaddrInet6
	stamps [apartBatch][64]byte
	bodies [apartBatch][packetMost]byte
}

// head is struct mmsghdr (recvmmsg (2)).
type head struct {
	msg  unix.Msghdr
	size uint32
}

func (l *letters) init() {
	for i := range l.heads {
		l.pieces[i].Base = &l.bodies[i][0]
		l.pieces[i].SetLen(packetMost)
		m := &l.heads[i].msg
		m.Name = (*byte)(unsafe.Pointer(&l.froms[i]))
		m.Iov = &l.pieces[i]
		m.SetIovlen(1)
		m.Control = &l.stamps[i][0]
	}
}

// receive takes out what waits, without waiting, and says how many packets there are.
func (l *letters) receive(fd int) int {
	for i := range l.heads {
		l.heads[i].msg.Namelen = unix.SizeofSockaddrInet6
		l.heads[i].msg.SetControllen(len(l.stamps[i]))
	}
	for {
		n, _, code := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&l.heads[0])), apartBatch, unix.MSG_DONTWAIT, 0, 0)
		switch code {
		case 0:
			return int(n)
		case unix.EINTR:
		default:
			return 0
		}
	}
}

// read gives a packet that was received; one that was too long is none.
func (l *letters) read(i int, now time.Time) (b []byte, from netip.AddrPort, at time.Time, ok bool) {
	h := &l.heads[i]
	if h.msg.Flags&unix.MSG_TRUNC != 0 || int(h.size) > packetMost {
		return nil, from, at, false
	}
	stamps := l.stamps[i][:min(int(h.msg.Controllen), len(l.stamps[i]))]
	return l.bodies[i][:h.size], sender(&l.froms[i]), arrival(stamps, now), true
}

// sender reads an address, without a zone.
func sender(a *unix.RawSockaddrInet6) netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&a.Port)) // as it travels
	n := uint16(port[0])<<8 | uint16(port[1])
	if a.Family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(a)).Addr), n)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), n)
}

// receiver writes an address as the system wants it, for a socket of one family, and
// says how long it is; 0 where that is not possible.
func receiver(a *unix.RawSockaddrInet6, to netip.AddrPort, six bool) uintptr {
	ip := to.Addr().Unmap()
	if !ip.IsValid() || ip.Zone() != "" || ip.Is6() != six {
		return 0
	}
	port := (*[2]byte)(unsafe.Pointer(&a.Port)) // as it travels
	port[0], port[1] = byte(to.Port()>>8), byte(to.Port())
	if six {
		a.Family, a.Addr = unix.AF_INET6, ip.As16()
		return unix.SizeofSockaddrInet6
	}
	four := (*unix.RawSockaddrInet4)(unsafe.Pointer(a))
	four.Family, four.Addr = unix.AF_INET, ip.As4()
	return unix.SizeofSockaddrInet4
}

// arrival is when a packet came, as its control messages say by the clock on the wall
// (SO_TIMESTAMPNS): that may have been set since, so that it is at most apartAge ago.
// Without such a message it is now.
func arrival(control []byte, now time.Time) time.Time {
	for len(control) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			break
		}
		var at unix.Timespec
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(at)) {
			copy((*[unsafe.Sizeof(at)]byte)(unsafe.Pointer(&at))[:], data)
			age := time.Duration(now.UnixNano() - at.Nano())
			return now.Add(-min(max(age, 0), apartAge))
		}
		control = rest
	}
	return now
}
