package voice

import (
	"errors"
	"sync"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

// port is one way of sound, in or out. It passes a tick every 10 ms whatever
// happens to its device: while there is none, a clock stands in, so that the
// other side of the call hears silence and not a dead line.
type port struct {
	kind device.Kind
	tell func(Notice)
	done chan struct{}
	work sync.WaitGroup // waiting for a device to come back

	mu     sync.Mutex
	dev    *opened // nil while there is none
	closed bool

	// Of the loop that calls pass alone.
	used   *opened    // the device of the last tick, nil if that failed
	lost   bool       // told that there is none
	mended chan error // of the device that is being waited for; nil if it works
	clock  clock
}

// opened is an open device, a microphone or a loudspeaker.
type opened struct {
	device interface {
		Latency() time.Duration
		Name() string
		Close() error
	}
	move  func(tick []float32) error
	wait  func() error // until move would not block; nil where the device cannot
	drive driven       // nil where the device cannot
	piece int          // samples that it moves at once, a tick at most
}

// skipped is what the device of this moment went on without.
func (p *port) skipped() int {
	if dev := p.current(); dev != nil {
		if s, ok := dev.device.(device.Skipper); ok {
			return s.Skipped()
		}
	}
	return 0
}

// worn says whether the device of this moment is worn on the ears.
func (p *port) worn() bool {
	if dev := p.current(); dev != nil {
		w, ok := dev.device.(device.Wearable)
		return ok && w.Worn()
	}
	return false
}

// waiter is a loudspeaker that can say when it wants a tick, so that the tick
// is not made before it is needed.
type waiter interface{ Wait() error }

// driven is a loudspeaker that may be kept going by who comes by often, so that
// nobody has to be woken for it.
type driven interface {
	// Driven says whether Drive would do now.
	Driven() bool
	// Drive makes and moves what is wanted by who drives every 10 ms; where it says
	// false one has to wait for the device.
	Drive(tick []float32, fill func(tick []float32)) bool
	// Sense looks when the device moves, which takes up to 13 ms.
	Sense()
}

func openedMic(m device.Mic) *opened {
	if m == nil {
		return nil
	}
	return &opened{device: m, move: m.Read, piece: media.Tick}
}

func openedSpeaker(s device.Speaker) *opened {
	if s == nil {
		return nil
	}
	o := &opened{device: s, move: s.Write, piece: media.Tick}
	if n, ok := s.(device.Nimble); ok {
		o.piece = n.Piece()
	}
	if w, ok := s.(waiter); ok {
		o.wait = w.Wait
	}
	o.drive, _ = s.(driven)
	return o
}

func newPort(kind device.Kind, dev *opened, tell func(Notice)) *port {
	return &port{kind: kind, dev: dev, tell: tell, done: make(chan struct{})}
}

// passed says how a tick went through.
type passed int

const (
	ended  passed = iota // the port is closed
	absent               // there is no device, the clock has passed it
	fresh                // the first tick of a device
	steady
)

// pass moves one tick, or the first part of it that the device takes at once.
// fill, if there is one, makes it as late as possible.
func (p *port) pass(tick []float32, fill func(tick []float32)) passed {
	if p.mended == nil {
		dev := p.current()
		err := error(device.ErrNoDevice)
		if dev != nil {
			err = p.move(dev, tick[:dev.piece], &fill)
		}
		if err == nil {
			return p.went(dev)
		}
		if dev == p.current() && !p.isClosed() { // else the error is of our own making
			p.failed(dev, err)
		}
	}
	return p.standIn(tick, fill)
}

// driven says whether drive would do now.
func (p *port) driven() bool {
	dev := p.current()
	return dev != nil && dev.drive != nil && dev.drive.Driven()
}

// drive moves what the device wants until it is driven again; false: somebody has to pass it.
func (p *port) drive(tick []float32, fill func(tick []float32)) bool {
	dev := p.current()
	return p.mended == nil && dev != nil && dev == p.used && dev.drive != nil && dev.drive.Drive(tick, fill)
}

// sense looks when the device moves.
func (p *port) sense() {
	if dev := p.current(); dev != nil && dev.drive != nil {
		dev.drive.Sense()
	}
}

func (p *port) move(dev *opened, tick []float32, fill *func(tick []float32)) error {
	if dev.wait != nil {
		if err := dev.wait(); err != nil {
			return err
		}
	}
	if *fill != nil {
		(*fill)(tick)
		*fill = nil
	}
	return dev.move(tick)
}

func (p *port) went(dev *opened) passed {
	if p.used == dev {
		return steady
	}
	p.used, p.lost = dev, false
	return fresh
}

// failed looks at why a device did not take a tick, and if it may come back,
// waits for that in the background.
func (p *port) failed(dev *opened, err error) {
	anew := errors.Is(err, device.ErrAnew)
	moved := anew || errors.Is(err, device.ErrMoved)
	if !anew && (moved || !p.lost) { // of what was only opened anew nobody hears the difference
		p.tell(deviceNotice(p.kind, dev, err))
	}
	p.used, p.lost = nil, !moved
	if dev == nil || moved {
		return
	}
	if errors.Is(err, device.ErrClosed) {
		p.drop(dev)
		return
	}
	mended := make(chan error, 1)
	p.mended = mended
	p.work.Go(func() { mended <- p.retry(dev) })
}

// retry returns when dev moves ticks again, or never will.
func (p *port) retry(dev *opened) error {
	tick := make([]float32, media.Tick)
	for {
		err := dev.move(tick)
		if err == nil || errors.Is(err, device.ErrMoved) || errors.Is(err, device.ErrAnew) || errors.Is(err, device.ErrClosed) {
			return err
		}
		select {
		case <-p.done:
			return device.ErrClosed
		case <-time.After(100 * time.Millisecond): // devices wait by themselves, but who knows
		}
	}
}

// standIn lets 10 ms pass in the place of a device.
func (p *port) standIn(tick []float32, fill func(tick []float32)) passed {
	if fill != nil {
		fill(tick)
	} else if p.kind == device.Microphone {
		clear(tick)
	}
	if !p.clock.wait(p.done) {
		return ended
	}
	select {
	case err := <-p.mended:
		p.mended = nil
		dev := p.current()
		if dev != nil && !errors.Is(err, device.ErrClosed) {
			p.tell(deviceNotice(p.kind, dev, device.ErrMoved))
		}
	default:
	}
	return absent
}

func (p *port) current() *opened {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dev
}

func (p *port) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *port) drop(dev *opened) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dev == dev {
		p.dev = nil
	}
}

// swap puts dev in the place of what was there, and closes that.
func (p *port) swap(dev *opened) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return errors.Join(device.ErrClosed, dev.device.Close())
	}
	old := p.dev
	p.dev = dev
	p.mu.Unlock()
	p.tell(deviceNotice(p.kind, dev, device.ErrMoved))
	if old == nil {
		return nil
	}
	return old.device.Close()
}

// close closes the device, ends a blocked pass, and waits for the background.
func (p *port) close() error {
	p.mu.Lock()
	dev, first := p.dev, !p.closed
	p.closed = true
	p.mu.Unlock()
	if first {
		close(p.done)
	}
	var err error
	if dev != nil {
		err = dev.device.Close()
	}
	p.work.Wait()
	return err
}

func (p *port) name() string {
	if dev := p.current(); dev != nil {
		return dev.device.Name()
	}
	return ""
}

func (p *port) latency() time.Duration {
	if dev := p.current(); dev != nil {
		return dev.device.Latency()
	}
	return 0
}

// clock lets a tick pass every 10 ms.
type clock struct{ next time.Time }

// wait returns when the next tick is due, false if done was closed before.
func (c *clock) wait(done <-chan struct{}) bool {
	now := time.Now()
	if c.next.Before(now.Add(-100 * time.Millisecond)) {
		c.next = now
	}
	c.next = c.next.Add(media.Duration(media.Tick))
	timer := time.NewTimer(c.next.Sub(now))
	defer timer.Stop()
	select {
	case <-done:
		return false
	case <-timer.C:
		return true
	}
}
