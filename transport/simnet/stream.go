package simnet

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// resend is how much later arrives what was lost once (RFC 6298 §2.4).
	resend = time.Second
	// giveUp is how long a cut path is tried before a stream is reset.
	giveUp = 90 * time.Second
	// window is how many bytes may be on their way in each direction.
	window = 1 << 20
)

// stream is one end of a connection of TCP.
type stream struct {
	local, remote *net.TCPAddr
	in, out       *flow
}

var _ net.Conn = (*stream)(nil)

// connect makes both ends of a connection along a route.
func (w *World) connect(r route, to netip.AddrPort) (here, there *stream) {
	up, down := newFlow(w, r), newFlow(w, r)
	here = &stream{local: net.TCPAddrFromAddrPort(r.local), remote: net.TCPAddrFromAddrPort(to), in: down, out: up}
	there = &stream{local: net.TCPAddrFromAddrPort(to), remote: net.TCPAddrFromAddrPort(r.seen), in: up, out: down}
	w.mu.Lock()
	w.streams[here], w.streams[there] = struct{}{}, struct{}{}
	w.mu.Unlock()
	w.pumps.Go(up.run)
	w.pumps.Go(down.run)
	return here, there
}

// Read reads what has arrived.
func (s *stream) Read(b []byte) (int, error) { return s.in.read(b) }

// Write sends b. It waits while too much is on its way.
func (s *stream) Write(b []byte) (int, error) {
	for n := 0; n < len(b); {
		m, err := s.out.write(b[n:min(len(b), n+window/4)])
		n += m
		if err != nil {
			return n, err
		}
	}
	return len(b), nil
}

// Close ends both directions; what was written still arrives.
func (s *stream) Close() error {
	s.out.finish()
	s.in.abandon()
	return nil
}

// LocalAddr returns this end's address.
func (s *stream) LocalAddr() net.Addr { return s.local }

// RemoteAddr returns the other end's address, as it looks from here.
func (s *stream) RemoteAddr() net.Addr { return s.remote }

// SetDeadline sets when reads and writes give up.
func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline sets when reads give up.
func (s *stream) SetReadDeadline(t time.Time) error { s.in.setDeadline(&s.in.readBy, t); return nil }

// SetWriteDeadline sets when writes give up.
func (s *stream) SetWriteDeadline(t time.Time) error {
	s.out.setDeadline(&s.out.writeBy, t)
	return nil
}

// segment is bytes on their way; none is the end of the flow.
type segment struct {
	at    time.Time
	bytes []byte
}

// flow is one direction of a stream.
type flow struct {
	world *World
	route route
	over  chan struct{} // closed when the flow fails
	ips   [2]string     // where both machines were when the stream began

	mu      sync.Mutex
	stirred *sync.Cond
	sent    []segment // on their way
	ready   []byte    // arrived, not read
	flying  int       // bytes sent and not read
	last    time.Time // when the newest segment arrives
	ended   bool      // the writer is done
	eof     bool      // and the reader may know
	deaf    bool      // the reader is gone
	err     error     // why the flow is over
	readBy  deadline
	writeBy deadline
}

// deadline is when somebody stops waiting.
type deadline struct {
	at    time.Time
	alarm *time.Timer
}

// set moves the deadline, and has those look again who wait.
func (d *deadline) set(t time.Time, stirred *sync.Cond) {
	if d.alarm != nil {
		d.alarm.Stop()
	}
	d.at, d.alarm = t, nil
	if !t.IsZero() {
		d.alarm = time.AfterFunc(time.Until(t), stirred.Broadcast)
	}
	stirred.Broadcast()
}

func (d *deadline) past() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newFlow(w *World, r route) *flow {
	f := &flow{world: w, route: r, over: make(chan struct{}), ips: r.places()}
	f.stirred = sync.NewCond(&f.mu)
	return f
}

// places says where both machines are now.
func (r route) places() (out [2]string) {
	for i, h := range []*Host{r.from, r.to} {
		if h != nil {
			out[i] = h.IP().String() + " " + h.IP6().String()
		}
	}
	return out
}

func (f *flow) write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.err == nil && !f.ended && f.flying >= window && !f.writeBy.past() {
		f.stirred.Wait()
	}
	switch {
	case f.err != nil:
		return 0, f.err
	case f.ended:
		return 0, net.ErrClosed
	case f.writeBy.past():
		return 0, os.ErrDeadlineExceeded
	}
	f.flying += len(b)
	f.sendLocked(append([]byte(nil), b...))
	return len(b), nil
}

// sendLocked lets bytes travel: those that are lost come later, and all behind
// them wait.
func (f *flow) sendLocked(b []byte) {
	at := time.Now().Add(f.route.delay)
	for range 1 + len(b)/1400 {
		if f.route.delay > 0 && f.world.loses() {
			at = at.Add(resend)
		}
	}
	if at.Before(f.last) {
		at = f.last
	}
	f.last = at
	f.sent = append(f.sent, segment{at: at, bytes: b})
	f.stirred.Broadcast()
}

func (w *World) loses() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.losesLocked()
}

// run carries segments until the flow is over.
func (f *flow) run() {
	for {
		f.mu.Lock()
		for len(f.sent) == 0 && f.err == nil {
			f.stirred.Wait()
		}
		if f.err != nil {
			f.mu.Unlock()
			return
		}
		next := f.sent[0]
		f.mu.Unlock()
		if !f.wait(time.Until(next.at)) {
			return
		}
		if !f.passes() {
			f.fail(syscall.ETIMEDOUT)
			return
		}
		if f.arrive() {
			return
		}
	}
}

// wait waits; false means that the flow is over.
func (f *flow) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-f.over:
		return false
	}
}

// passes waits until the path carries something again; false means it was too long.
func (f *flow) passes() bool {
	for tried := time.Duration(0); tried <= giveUp; tried += resend {
		if f.route.places() == f.ips && f.world.open(f.route.spots) {
			return true
		}
		if !f.wait(resend) {
			return false
		}
	}
	return false
}

// arrive hands over the next segment; true means that it was the last.
func (f *flow) arrive() (last bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.stirred.Broadcast()
	if f.err != nil {
		return true
	}
	next := f.sent[0]
	f.sent = f.sent[1:]
	if f.deaf && next.bytes != nil {
		f.failLocked(syscall.ECONNRESET)
		return true
	}
	f.ready = append(f.ready, next.bytes...)
	f.eof = next.bytes == nil
	return f.eof
}

func (f *flow) read(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.err == nil && len(f.ready) == 0 && !f.eof && !f.deaf && !f.readBy.past() {
		f.stirred.Wait()
	}
	switch {
	case f.deaf:
		return 0, net.ErrClosed
	case f.err != nil:
		return 0, f.err
	case f.readBy.past():
		return 0, os.ErrDeadlineExceeded
	case len(f.ready) == 0:
		return 0, io.EOF
	}
	n := copy(b, f.ready)
	f.ready = f.ready[n:]
	f.flying -= n
	f.stirred.Broadcast()
	return n, nil
}

// finish says that nothing more is written.
func (f *flow) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended && f.err == nil {
		f.ended = true
		f.sendLocked(nil)
	}
}

// abandon says that nothing is read any more: the writer learns of it when
// something more arrives (RFC 9293 §3.10.7.1).
func (f *flow) abandon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deaf = true
	f.stirred.Broadcast()
}

func (f *flow) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failLocked(err)
}

func (f *flow) failLocked(err error) {
	if f.err == nil {
		f.err = err
		close(f.over)
	}
	f.stirred.Broadcast()
}

func (f *flow) setDeadline(which *deadline, t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	which.set(t, f.stirred)
}
