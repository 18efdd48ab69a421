package rtc

import (
	"encoding/binary"
	"net"
	"os"
	"sync"
	"time"

	"github.com/pion/ice/v4"
)

// handshake is the part of a path that belongs to DTLS (RFC 7983).
type handshake struct {
	conn *ice.Conn
	in   chan []byte
	once sync.Once
	done chan struct{}

	mu    sync.Mutex
	late  chan struct{} // closed when the read deadline has passed
	moved chan struct{} // closed and replaced when the deadline changes
	timer *time.Timer   // that will close late
}

var _ net.PacketConn = (*handshake)(nil)

func newHandshake(c *ice.Conn) *handshake {
	return &handshake{conn: c, in: make(chan []byte, 32), done: make(chan struct{}), late: make(chan struct{}), moved: make(chan struct{})}
}

// put hands in a packet that came, the records that are encrypted apart from
// those in clear; when 32 wait it is lost, and sent again.
func (h *handshake) put(b []byte) {
	plain := 0
	for plain+recordHeader <= len(b) && !encrypted(b[plain:]) {
		plain += recordHeader + int(binary.BigEndian.Uint16(b[plain+11:]))
	}
	if plain > 0 && plain < len(b) {
		h.queue(b[:plain])
		b = b[plain:]
	}
	h.queue(b)
}

// recordHeader is the size of a DTLS record's header: type, version, epoch,
// sequence number, length (RFC 6347 §4.1).
const recordHeader = 13

// encrypted says whether a record, of at least recordHeader bytes, is of an
// epoch with keys.
func encrypted(b []byte) bool { return len(b) >= recordHeader && b[3]|b[4] != 0 }

// digest is how long an encrypted record waits, so that what came in clear
// before it has led to keys. DTLS keeps records that come too early in a buffer
// which it reads the next packet into.
const digest = 8 * time.Millisecond

func (h *handshake) queue(b []byte) {
	select {
	case h.in <- append([]byte(nil), b...):
	default:
	}
}

// shakeAddr stands for the other end, wherever ICE finds it.
type shakeAddr struct{}

func (shakeAddr) Network() string { return "ice" }
func (shakeAddr) String() string  { return "peer" }

// ReadFrom gives the next packet.
func (h *handshake) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		h.mu.Lock()
		late, moved := h.late, h.moved
		h.mu.Unlock()
		select {
		case <-late:
			return 0, nil, os.ErrDeadlineExceeded
		case <-h.done:
			return 0, nil, net.ErrClosed
		case <-moved:
		case b := <-h.in:
			if encrypted(b) {
				h.settle()
			}
			return copy(p, b), shakeAddr{}, nil
		}
	}
}

// settle gives what came before time to be understood.
func (h *handshake) settle() {
	timer := time.NewTimer(digest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.done:
	}
}

// WriteTo sends by the path there is; without one the packet is lost.
func (h *handshake) WriteTo(p []byte, _ net.Addr) (int, error) {
	_, _ = h.conn.Write(p)
	return len(p), nil
}

// Close ends ReadFrom.
func (h *handshake) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// LocalAddr has no meaning here.
func (h *handshake) LocalAddr() net.Addr { return shakeAddr{} }

// SetDeadline bounds reads; writes never wait.
func (h *handshake) SetDeadline(t time.Time) error { return h.SetReadDeadline(t) }

// SetReadDeadline bounds ReadFrom, one that waits already too; zero is no bound.
func (h *handshake) SetReadDeadline(t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer != nil {
		h.timer.Stop()
	}
	close(h.moved)
	h.late, h.moved, h.timer = make(chan struct{}), make(chan struct{}), nil
	if t.IsZero() {
		return nil
	}
	if left := time.Until(t); left > 0 {
		late := h.late
		h.timer = time.AfterFunc(left, func() { close(late) })
		return nil
	}
	close(h.late)
	return nil
}

// SetWriteDeadline does nothing.
func (h *handshake) SetWriteDeadline(time.Time) error { return nil }
