package device

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/entrenous/entrenous/media"
)

const (
	stall  = 400 * time.Millisecond  // without a sign of life, the device is gone
	wakes  = 2500 * time.Millisecond // what one may take to begin: a headset without wires, a virtual device
	retry  = 500 * time.Millisecond  // between two tries to open one
	lookup = 1500 * time.Millisecond // between two looks for the chosen device, while another stands in for it
	hang   = 2 * time.Second         // what a sound server may take to open a device
	bye    = time.Second             // and to close it
)

var errHung = fmt.Errorf("%w: the sound system does not answer", ErrLost)

// stream keeps one way of sound going over whatever device there is: the
// chosen one, else the default one, else none until one comes. What talks to
// the sound server, which may hang, are goroutines of their own: they are
// waited for, but only so long.
type stream struct {
	kind  Kind
	spec  Spec
	want  string // ID, empty for the default
	done  chan struct{}
	once  sync.Once
	calls sync.WaitGroup // into the sound system

	busy  sync.Mutex // held while unit is used or changed by Read, Write and Close
	never bool       // there was no unit yet

	mu    sync.Mutex
	unit  *unit // nil while there is none
	found chan bool
	due   time.Time
}

// openStream opens the device of the given ID; here a missing one is an error,
// and only later does the default one stand in. Whoever ignores the error has
// a stream that waits.
func openStream(kind Kind, s Spec, id string) (*stream, error) {
	st := &stream{kind: kind, spec: s, want: id, done: make(chan struct{}), found: make(chan bool, 1)}
	u, err := st.open(id)
	if err != nil {
		st.never = true
		return st, fmt.Errorf("open the %s: %w", kind, err)
	}
	st.unit = u
	return st, nil
}

// pass runs try, which moves one tick through the ring, whenever the device
// has moved or the time has passed that try asked for, until it asks for none.
func (s *stream) pass(try func(*ring) time.Duration) error {
	s.busy.Lock()
	defer s.busy.Unlock()
	if s.closed() {
		return ErrClosed
	}
	u := s.current()
	if u == nil {
		return s.reopen(nil)
	}
	if s.returned() {
		return s.move(u)
	}
	return s.through(u, try)
}

func (s *stream) through(u *unit, try func(*ring) time.Duration) error {
	wait := try(u.ring)
	if wait <= 0 {
		return nil
	}
	moves, since := u.ring.moves(), time.Now()
	for wait > 0 {
		patience := stall
		if moves == 0 {
			patience = wakes
		}
		err := u.await(min(wait, stall), s.done)
		if s.closed() {
			return ErrClosed
		}
		now := time.Now()
		if m := u.ring.moves(); m != moves {
			moves, since = m, now
		}
		if err != nil || now.Sub(since) >= patience {
			s.drop(u)
			return s.reopen(u)
		}
		wait = try(u.ring)
	}
	return nil
}

// reopen opens what there is. It returns ErrMoved when something was found,
// ErrAnew when that is what was lost just now, else ErrLost or a better reason,
// after a wait.
func (s *stream) reopen(lost *unit) error {
	if lost == nil {
		select {
		case <-s.done:
			return ErrClosed
		case <-time.After(retry):
		}
	}
	u, err := s.open(s.want)
	if err != nil && s.want != "" && !errors.Is(err, errHung) {
		u, err = s.open("")
	}
	if (errors.Is(err, ErrNoDevice) || errors.Is(err, ErrLost)) && !s.never {
		return fmt.Errorf("%w: the %s is gone and there is no other", ErrLost, s.kind)
	}
	if err != nil {
		return fmt.Errorf("open the %s again: %w", s.kind, err)
	}
	s.never = false
	s.put(u)
	switch {
	case lost == nil:
		return fmt.Errorf("%w: the %s is now %s", ErrMoved, s.kind, u.name)
	case lost.id == u.id && lost.name == u.name:
		return fmt.Errorf("%w: the %s is still %s", ErrAnew, s.kind, u.name)
	}
	return fmt.Errorf("%w: %s is gone, the %s is now %s", ErrMoved, lost.name, s.kind, u.name)
}

// move goes back to the chosen device.
func (s *stream) move(old *unit) error {
	u, err := s.open(s.want)
	if err != nil {
		return nil //nolint:nilerr // it vanished again: stay
	}
	s.drop(old)
	s.put(u)
	return fmt.Errorf("%w: %s is back as the %s", ErrMoved, u.name, s.kind)
}

// returned looks now and then, in the background, whether the chosen device is back.
func (s *stream) returned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unit == nil || s.unit.id == s.want {
		return false
	}
	select {
	case back := <-s.found:
		s.due = time.Now().Add(lookup)
		return back
	default:
	}
	if time.Now().Before(s.due) {
		return false
	}
	s.due = time.Now().Add(time.Hour) // until this look ends
	s.calls.Go(func() {
		infos, err := list(s.spec)
		back := false
		for _, i := range infos {
			back = back || err == nil && i.Kind == s.kind && i.ID == s.want
		}
		s.found <- back
	})
	return false
}

// open opens one device. When the server answers too late, what it gives is closed again.
func (s *stream) open(id string) (*unit, error) {
	type result struct {
		u   *unit
		err error
	}
	got := make(chan result)
	late := make(chan struct{})
	s.calls.Go(func() {
		u, err := openUnit(s.spec, s.kind, id)
		select {
		case got <- result{u, err}:
		case <-late:
			if err == nil {
				u.close()
			}
		}
	})
	timer := time.NewTimer(hang)
	defer timer.Stop()
	select {
	case r := <-got:
		return r.u, r.err
	case <-timer.C:
		close(late)
		return nil, errHung
	}
}

func (s *stream) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *stream) current() *unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unit
}

func (s *stream) put(u *unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unit, s.due = u, time.Now().Add(lookup)
}

func (s *stream) drop(u *unit) {
	s.mu.Lock()
	s.unit = nil
	s.mu.Unlock()
	s.calls.Go(u.close)
}

// Name is the name of the device in use, empty while there is none.
func (s *stream) Name() string {
	if u := s.current(); u != nil {
		return u.name
	}
	return ""
}

// Worn says whether the device in use is worn on the ears, as far as was known when it was opened.
func (s *stream) Worn() bool {
	u := s.current()
	return u != nil && u.worn
}

// Skipped is what the device in use went on without.
func (s *stream) Skipped() int {
	if u := s.current(); u != nil {
		return u.ring.skipped()
	}
	return 0
}

// Close stops the device and waits for it, unless the sound system hangs.
func (s *stream) Close() error {
	s.once.Do(func() { close(s.done) })
	if u := s.current(); u != nil {
		u.wake()
	}
	s.busy.Lock()
	defer s.busy.Unlock()
	if u := s.current(); u != nil {
		s.drop(u)
	}
	gone := make(chan struct{})
	go func() {
		s.calls.Wait()
		close(gone)
	}()
	timer := time.NewTimer(bye)
	defer timer.Stop()
	select {
	case <-gone:
		return nil
	case <-timer.C:
		return fmt.Errorf("close the %s: the sound system does not answer", s.kind)
	}
}

// systemMic is a microphone of the operating system.
type systemMic struct{ *stream }

// systemSpeaker is a loudspeaker of the operating system.
type systemSpeaker struct{ *stream }

var (
	_ Mic     = systemMic{}
	_ Speaker = systemSpeaker{}
	_ Skipper = (*stream)(nil)
)

// openSystemMic may be told to give one that waits instead of an error.
func openSystemMic(s Spec, waits bool) (Mic, error) {
	st, err := openStream(Microphone, s, s.Mic)
	if err != nil && !waits {
		return nil, err
	}
	return systemMic{st}, nil
}

func openSystemSpeaker(s Spec, waits bool) (Speaker, error) {
	st, err := openStream(Loudspeaker, s, s.Speaker)
	if err != nil && !waits {
		return nil, err
	}
	return systemSpeaker{st}, nil
}

// Read gives the oldest tick that the device has heard.
func (m systemMic) Read(tick []float32) error {
	if err := whole(tick); err != nil {
		return err
	}
	return m.pass(func(r *ring) time.Duration {
		if r.read(tick) {
			return 0
		}
		return stall
	})
}

// Latency is the device's buffer and the tick being collected.
func (m systemMic) Latency() time.Duration {
	collected := media.Duration(media.Tick)
	if u := m.current(); u != nil {
		return u.delay() + collected
	}
	return collected
}

// Write lays tick, or a Piece of one, into the ring when it is wanted there, some
// milliseconds before the device takes it.
func (o systemSpeaker) Write(tick []float32) error {
	if len(tick) != o.Piece() {
		if err := whole(tick); err != nil {
			return err
		}
	}
	return o.pass(func(r *ring) time.Duration { return r.write(tick) })
}

// Piece is what the device moves at once, of which no part then waits for its other half.
func (o systemSpeaker) Piece() int { return o.spec.period() }

// Wait returns when Write would take a tick at once.
func (o systemSpeaker) Wait() error {
	return o.pass(func(r *ring) time.Duration { return r.wanted() })
}

// Driven says whether Drive would do now.
func (o systemSpeaker) Driven() bool {
	u := o.current()
	return u != nil && u.look != nil && u.id == o.want && u.ring.driven()
}

// Drive is for who comes by every 10 ms with something else to do: it looks how
// the device is, and what ticks are wanted until the next visit has fill make and
// lays them down, 3 to 16 ms before their bite. It waits for nothing. Where it says
// false somebody has to Wait and Write.
func (o systemSpeaker) Drive(tick []float32, fill func(tick []float32)) bool {
	if whole(tick) != nil || o.closed() || !o.Driven() || !o.busy.TryLock() {
		return false
	}
	defer o.busy.Unlock()
	u := o.current()
	if u == nil || u.look == nil || u.look() != nil {
		return false
	}
	for range u.ring.wants() {
		fill(tick)
		u.ring.lay(tick)
	}
	return true
}

// Sense waits for the next bite of a device that is driven. Who drives it sees
// only that one was taken, and the device's clock is another than ours: it is to
// be called every ten seconds or so.
func (o systemSpeaker) Sense() {
	if !o.busy.TryLock() {
		return
	}
	defer o.busy.Unlock()
	if u := o.current(); u != nil && u.look != nil && u.look() == nil {
		_ = u.await(driveBite, o.done) // an error shows again
	}
}

// Latency is what lies in the ring and in the device's buffers.
func (o systemSpeaker) Latency() time.Duration {
	u := o.current()
	if u == nil {
		return media.Duration(media.Tick)
	}
	return u.ring.lead() + u.delay()
}
