package rtc

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/pion/ice/v4"
)

// handshake is the part of a path that belongs to DTLS (RFC 7983).
type handshake struct {
	conn   *ice.Conn
	in     chan []byte   // records in clear
	sealed chan []byte   // those that need keys, and what announces them
	keyed  chan struct{} // closed once DTLS has keys
	keys   sync.Once
	once   sync.Once
	done   chan struct{}

	mu    sync.Mutex
	late  chan struct{} // closed when the read deadline has passed
	moved chan struct{} // closed and replaced when the deadline changes
	timer *time.Timer   // that will close late
}

var (
	_ net.PacketConn = (*handshake)(nil)
	_ io.Writer      = (*handshake)(nil)
)

func newHandshake(c *ice.Conn) *handshake {
	return &handshake{
		conn: c, in: make(chan []byte, waiting), sealed: make(chan []byte, waiting), keyed: make(chan struct{}),
		done: make(chan struct{}), late: make(chan struct{}), moved: make(chan struct{}),
	}
}

// waiting is how many packets may wait; one more is lost, and sent again.
const waiting = 32

// put hands in a packet that came. Records that need keys wait until there are
// some: pion/dtls v3.1.8 keeps those that come too early in a buffer which it
// then reads the next packet into.
func (h *handshake) put(b []byte) {
	plain := 0
	for plain+recordHeader <= len(b) && !needsKeys(b[plain:]) {
		plain += recordHeader + int(binary.BigEndian.Uint16(b[plain+11:]))
	}
	if plain = min(plain, len(b)); plain > 0 {
		queue(h.in, b[:plain])
	}
	if plain < len(b) {
		queue(h.sealed, b[plain:])
	}
}

// recordHeader is the size of a DTLS record's header: type, version, epoch,
// sequence number, length (RFC 6347 §4.1).
const recordHeader = 13

// changeCipherSpec is the type of the record that announces encrypted ones.
const changeCipherSpec = 20

// needsKeys says whether a record, of at least recordHeader bytes, is of an
// epoch with keys, or announces it.
func needsKeys(b []byte) bool { return b[0] == changeCipherSpec || b[3]|b[4] != 0 }

func queue(to chan<- []byte, b []byte) {
	select {
	case to <- append([]byte(nil), b...):
	default:
	}
}

// Write is told by DTLS that it has keys, as a key log is; it keeps nothing of them.
func (h *handshake) Write(line []byte) (int, error) {
	h.keys.Do(func() { close(h.keyed) })
	return len(line), nil
}

// shakeAddr stands for the other end, wherever ICE finds it.
type shakeAddr struct{}

func (shakeAddr) Network() string { return "ice" }
func (shakeAddr) String() string  { return "peer" }

// ReadFrom gives the next packet that DTLS can understand.
func (h *handshake) ReadFrom(p []byte) (int, net.Addr, error) {
	keyed, sealed := h.keyed, (chan []byte)(nil)
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
		case <-keyed:
			keyed, sealed = nil, h.sealed
		case b := <-h.in:
			return copy(p, b), shakeAddr{}, nil
		case b := <-sealed:
			return copy(p, b), shakeAddr{}, nil
		}
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
