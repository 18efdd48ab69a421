package rtc

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A tunnel's ends have made-up addresses, for ICE knows paths by addresses: the
// dummy of RFC 7600, which is never on a wire, with a port for each role.
const (
	offererPort  = 1
	answererPort = 2
)

// dummy is the address of both ends of a tunnel.
func dummy() netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 0, 8}) }

// tunnelled says whether an address is that of a tunnel's end.
func tunnelled(a netip.Addr) bool { return a.Unmap() == dummy() }

// queued is how many packets may wait for a slow stream: 300 ms of sound. What
// comes on top pushes the oldest out, so that nothing is heard late.
const queued = 32

const (
	// linger is how long a stream is read when another one has taken its place.
	linger = 2 * time.Second
	// thrift is the pause between checks of a tunnel that is not in use: somebody
	// else's relay may carry them.
	thrift = time.Second
)

// tunnel is a leg's path of last resort: packets in a stream that somebody else
// brought to the other end. While there is no stream, what is sent is lost.
type tunnel struct {
	local, remote *net.UDPAddr
	offerer       bool        // which asks all the time, and chooses
	in            chan []byte // at most queued, the oldest lost first

	mu    sync.Mutex
	out   *lane     // of the stream in use, nil without one
	busy  time.Time // when sound last went through, or all paths were wanted
	asked time.Time // when a check last went through
}

// lane is the way into one stream.
type lane struct {
	packets chan []byte   // at most queued
	left    chan struct{} // closed when no more will come
}

func newTunnel() *tunnel { return &tunnel{in: make(chan []byte, queued)} }

// as tells the tunnel which end it is.
func (t *tunnel) as(offerer bool) {
	t.offerer = offerer
	mine, theirs := uint16(answererPort), uint16(offererPort)
	if offerer {
		mine, theirs = theirs, mine
	}
	t.local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(dummy(), mine))
	t.remote = net.UDPAddrFromAddrPort(netip.AddrPortFrom(dummy(), theirs))
}

// Carry lends the leg a stream to the other end, as a path of last resort, until
// the stream ends, the leg is closed, or another stream takes its place. It
// closes the stream and says why it ended. Both ends carry the same stream.
func (l *Leg) Carry(s io.ReadWriteCloser) error {
	t := l.tunnel
	out := t.take()
	var once sync.Once
	end := func() { once.Do(func() { _ = s.Close() }) }
	var writer sync.WaitGroup
	watched := make(chan struct{})
	writer.Go(func() {
		for b, ok := out.next(); ok; b, ok = out.next() {
			if _, err := s.Write(b); err != nil {
				end()
				return
			}
		}
	})
	writer.Go(func() {
		defer end()
		select {
		case <-l.done:
		case <-watched:
		case <-out.left: // what is on its way in still comes
			select {
			case <-time.After(linger):
			case <-watched:
			case <-l.done:
			}
		}
	})
	err := t.read(s)
	t.drop(out)
	close(watched)
	writer.Wait()
	return err
}

// next waits for a packet, until there is none and no more will come.
func (n *lane) next() (b []byte, ok bool) {
	select {
	case b = <-n.packets:
		return b, true
	case <-n.left:
	}
	select {
	case b = <-n.packets:
		return b, true
	default:
		return nil, false
	}
}

// take makes a lane for a new stream, in the place of the one before.
func (t *tunnel) take() *lane {
	out := &lane{make(chan []byte, queued), make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.out != nil {
		close(t.out.left)
	}
	t.out = out
	return out
}

// drop lets go of a stream, unless another one has taken its place.
func (t *tunnel) drop(out *lane) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.out == out {
		t.out = nil
		close(out.left)
	}
}

// read takes packets off a stream, each behind its length (2 bytes, big endian).
func (t *tunnel) read(r io.Reader) error {
	var b [2 + maxPacket]byte
	for {
		if _, err := io.ReadFull(r, b[:2]); err != nil {
			return fmt.Errorf("read from tunnel: %w", err)
		}
		n := int(binary.BigEndian.Uint16(b[:]))
		if n > maxPacket {
			return fmt.Errorf("read from tunnel: a packet of %d bytes", n)
		}
		if _, err := io.ReadFull(r, b[2:2+n]); err != nil {
			return fmt.Errorf("read from tunnel: %w", err)
		}
		push(t.in, append([]byte(nil), b[2:2+n]...))
	}
}

// push puts b in, in the place of the oldest where there is no room.
func push(c chan []byte, b []byte) {
	for {
		select {
		case c <- b:
			return
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}

// send sends a packet through the tunnel; without a stream it is lost.
func (t *tunnel) send(b []byte) {
	framed := make([]byte, 2, 2+len(b))
	binary.BigEndian.PutUint16(framed, uint16(len(b)))
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if stunType(b) == 0 {
		t.busy = now
	}
	spare := t.offerer && asks(b) && now.Sub(t.busy) > anew && now.Sub(t.asked) < thrift
	if t.out == nil || len(b) > maxPacket || spare {
		return
	}
	if asks(b) {
		t.asked = now
	}
	push(t.out.packets, append(framed, b...))
}

// hope lets checks pass as often as they come, for a while.
func (t *tunnel) hope() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy = time.Now()
}

// mouth is a tunnel as ICE sees it, for one round of gathering.
type mouth struct {
	*tunnel
	done chan struct{}
	once sync.Once
}

var _ net.PacketConn = (*mouth)(nil)

func newMouth(t *tunnel) *mouth { return &mouth{tunnel: t, done: make(chan struct{})} }

// ReadFrom gives the next packet that came through.
func (m *mouth) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-m.in:
		if len(p) > len(b) {
			return 0, m.remote, io.ErrShortBuffer
		}
		return copy(b, p), m.remote, nil
	case <-m.done:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends a packet through; one for anywhere but its other end is lost.
func (m *mouth) WriteTo(b []byte, to net.Addr) (int, error) {
	if u, ok := to.(*net.UDPAddr); ok && tunnelled(u.AddrPort().Addr()) && u.Port == m.remote.Port {
		m.send(b)
	}
	return len(b), nil
}

// Close ends reads; the tunnel stays.
func (m *mouth) Close() error {
	m.once.Do(func() { close(m.done) })
	return nil
}

// LocalAddr is the made-up address of this end.
func (m *mouth) LocalAddr() net.Addr { return m.local }

// SetDeadline is not needed: reads end with Close, and writes never wait.
func (m *mouth) SetDeadline(time.Time) error { return nil }

// SetReadDeadline is not needed.
func (m *mouth) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is not needed.
func (m *mouth) SetWriteDeadline(time.Time) error { return nil }
