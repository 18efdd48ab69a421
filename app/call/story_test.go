package call_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
)

// town is some devices, each with a book, and signals that travel between them
// when told to.
type town struct {
	t     *testing.T
	now   time.Time
	books map[call.Device]*call.Book
	owner map[call.Device]call.Person
	cut   map[call.Device]bool
	mail  []letter
	over  map[call.Device][]call.ID // calls whose end was told
	acts  map[call.Device][]call.Act
}

type letter struct {
	from, to call.Device
	id       call.ID
	s        call.Signal
}

func person(c byte) (p call.Person) { p[0] = c; return p }
func device(c byte) (d call.Device) { d[0] = c; return d }
func id(c byte) (i call.ID)         { i[0] = c; return i }

// newTown makes devices, each named by a letter; capital and small letter are
// two devices of one person.
func newTown(t *testing.T, names string) *town {
	w := &town{
		t: t, now: time.Unix(1e9, 0), books: map[call.Device]*call.Book{}, owner: map[call.Device]call.Person{}, cut: map[call.Device]bool{},
		over: map[call.Device][]call.ID{}, acts: map[call.Device][]call.Act{},
	}
	for _, c := range []byte(names) {
		w.books[device(c)] = &call.Book{}
		w.owner[device(c)] = person(bytes.ToLower([]byte{c})[0])
	}
	return w
}

// does performs what a book says: signals wait in the mail.
func (w *town) does(at byte, effects []call.Effect) {
	d := device(at)
	for _, e := range effects {
		w.acts[d] = append(w.acts[d], e.Act)
		switch e.Act {
		case call.Send:
			w.mail = append(w.mail, letter{d, e.Device, e.Call, e.Signal})
		case call.Join:
			w.mail = append(w.mail, letter{d, e.Device, e.Call, call.Signal{Kind: call.Accept}})
		case call.Over:
			w.over[d] = append(w.over[d], e.Call)
		case call.Meet, call.Hold, call.Restart, call.Probe, call.Changed:
		}
	}
}

func (w *town) must(at byte, effects []call.Effect, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%c: %v", at, err)
	}
	w.does(at, effects)
}

// settle delivers all mail, in order.
func (w *town) settle() {
	for n := 0; len(w.mail) > 0; n++ {
		if n > 10000 {
			w.t.Fatal("the signals never end")
		}
		l := w.mail[0]
		w.mail = w.mail[1:]
		b := w.books[l.to]
		if b == nil || w.cut[l.from] || w.cut[l.to] {
			continue
		}
		w.does(l.to[0], b.Heard(w.now, l.id, w.owner[l.from], l.from, l.s))
	}
}

// pass lets time pass, with the ticks that fall due.
func (w *town) pass(d time.Duration) {
	end := w.now.Add(d)
	for {
		next := end
		for _, b := range w.books {
			if n := b.Next(); !n.IsZero() && n.Before(next) {
				next = n
			}
		}
		w.now = next
		for d, b := range w.books {
			w.does(d[0], b.Tick(w.now))
		}
		w.settle()
		if !next.Before(end) {
			return
		}
	}
}

func (w *town) dial(from byte, i byte, to ...byte) {
	w.t.Helper()
	var devices []call.Device
	for _, c := range to {
		devices = append(devices, device(c))
	}
	e, err := w.books[device(from)].Dial(w.now, id(i), w.owner[devices[0]], devices)
	w.must(from, e, err)
}

func (w *town) answer(at, i byte) {
	w.t.Helper()
	e, err := w.books[device(at)].Answer(w.now, id(i))
	w.must(at, e, err)
}

func (w *town) hangUp(at, i byte) {
	w.t.Helper()
	e, err := w.books[device(at)].HangUp(w.now, id(i))
	w.must(at, e, err)
}

func (w *town) path(at, i byte, p call.Path) {
	w.does(at, w.books[device(at)].Path(w.now, id(i), p))
}

// connect makes a call between two devices that both hear.
func (w *town) connect(from, i, to byte) {
	w.t.Helper()
	w.dial(from, i, to)
	w.settle()
	w.answer(to, i)
	w.settle()
	w.path(from, i, call.Up)
	w.path(to, i, call.Up)
	w.want(from, i, call.Active, "")
	w.want(to, i, call.Active, "")
}

// want checks the state of a call, and why it ended.
func (w *town) want(at, i byte, s call.State, why call.Reason) call.Call {
	w.t.Helper()
	c, _ := w.books[device(at)].Find(id(i))
	if c.State != s || c.Reason != why {
		w.t.Errorf("at %c call %d is %q %q, want %q %q", at, i, c.State, c.Reason, s, why)
	}
	return c
}

func TestALifeOfACall(t *testing.T) {
	w := newTown(t, "ab")
	w.dial('a', 1, 'b')
	w.want('a', 1, call.Calling, "")
	w.want('b', 1, call.Idle, "")
	w.settle()
	w.want('a', 1, call.Ringing, "")
	w.want('b', 1, call.Ringing, "")
	w.pass(5 * time.Second)
	w.answer('b', 1)
	w.settle()
	w.want('a', 1, call.Connecting, "")
	w.want('b', 1, call.Connecting, "")
	w.path('a', 1, call.Up)
	w.path('b', 1, call.Up)
	w.pass(time.Minute)
	w.hangUp('a', 1)
	w.settle()
	a, b := w.want('a', 1, call.Ended, call.Completed), w.want('b', 1, call.Ended, call.Completed)
	if !a.ByUs || b.ByUs || a.Spoken(w.now) != time.Minute || b.Spoken(w.now) != time.Minute {
		t.Errorf("a %+v\nb %+v", a, b)
	}
	if len(w.over[device('a')]) != 1 || len(w.over[device('b')]) != 1 {
		t.Error("an end was not told once")
	}
}

func TestHowCallsEnd(t *testing.T) {
	type step func(*town)
	at := func(f func(*town)) step { return f }
	for name, c := range map[string]struct {
		ring bool // it rings; else both hear
		do   step
		a, b call.Reason
	}{
		"declined":            {true, at(func(w *town) { w.hangUp('b', 1) }), call.Declined, call.Declined},
		"called off":          {true, at(func(w *town) { w.hangUp('a', 1) }), call.Missed, call.Missed},
		"nobody answers":      {true, at(func(w *town) { w.pass(time.Hour) }), call.Missed, call.Missed},
		"caller vanishes":     {true, at(func(w *town) { w.cut[device('a')] = true; w.pass(time.Hour) }), call.Missed, call.Missed},
		"caller starts anew":  {true, at(func(w *town) { w.does('b', w.books[device('b')].Linked(w.now, person('a'), device('a'), true)) }), "", call.Missed},
		"no way is found":     {true, at(func(w *town) { w.answer('b', 1); w.settle(); w.pass(time.Minute) }), call.Failed, call.Failed},
		"keys are refused":    {true, at(func(w *town) { w.answer('b', 1); w.settle(); w.path('a', 1, call.Dead) }), call.Failed, call.Failed},
		"no microphone":       {true, at(func(w *town) { w.answer('b', 1); w.settle(); w.does('b', broken(w, 'b')) }), call.Completed, call.Broken},
		"callee hangs up":     {false, at(func(w *town) { w.hangUp('b', 1) }), call.Completed, call.Completed},
		"both hang up":        {false, at(func(w *town) { w.hangUp('a', 1); w.hangUp('b', 1) }), call.Completed, call.Completed},
		"only the path ends":  {false, at(func(w *town) { w.path('a', 1, call.Shut); w.pass(time.Second) }), call.Completed, ""},
		"the network is gone": {false, at(func(w *town) { w.down(); w.pass(time.Minute) }), call.Lost, call.Lost},
		"the other is dead":   {false, at(func(w *town) { w.cut[device('b')] = true; w.path('a', 1, call.Down); w.path('a', 1, call.Dead) }), call.Lost, ""},
		"the other is new":    {false, at(func(w *town) { w.does('a', w.books[device('a')].Linked(w.now, person('b'), device('b'), true)) }), call.Lost, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, "ab")
			if c.ring {
				w.dial('a', 1, 'b')
				w.settle()
			} else {
				w.connect('a', 1, 'b')
			}
			c.do(w)
			w.settle()
			if c.a != "" {
				w.want('a', 1, call.Ended, c.a)
			}
			if c.b != "" {
				w.want('b', 1, call.Ended, c.b)
			}
			for d, over := range w.over {
				if len(over) > 1 {
					t.Errorf("at %c the end was told %d times", d[0], len(over))
				}
			}
		})
	}
}

// Who waits in vain has not hung up, and is told that nobody answered; where
// it rang, the ring that ended by itself keeps its record.
func TestACallThatNobodyAnswersIsNotHungUpByTheCaller(t *testing.T) {
	for name, c := range map[string]struct {
		cut  bool // the caller's own network, so that it rings out over there
		do   func(*town)
		byUs bool
	}{
		"nobody answers":  {false, func(w *town) { w.pass(call.RingTime) }, false},
		"caller vanishes": {true, func(w *town) { w.pass(time.Hour) }, false},
		"caller starts anew": {true, func(w *town) {
			w.does('b', w.books[device('b')].Linked(w.now, person('a'), device('a'), true))
			w.pass(time.Hour)
		}, false},
		"called off": {false, func(w *town) { w.hangUp('a', 1) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, "ab")
			w.dial('a', 1, 'b')
			w.settle()
			w.cut[device('a')] = c.cut
			c.do(w)
			w.settle()
			if a := w.want('a', 1, call.Ended, call.Missed); a.ByUs != c.byUs {
				t.Errorf("at the caller by us is %v", a.ByUs)
			}
			if b := w.want('b', 1, call.Ended, call.Missed); b.ByUs != c.cut {
				t.Errorf("where it rang by us is %v", b.ByUs)
			}
		})
	}
}

func broken(w *town, at byte) []call.Effect {
	e, _ := w.books[device(at)].Break(w.now, id(1), call.Broken)
	return e
}

// down cuts the network between all.
func (w *town) down() {
	for d := range w.books {
		w.cut[d] = true
		w.path(d[0], 1, call.Down)
	}
}

func TestANetworkThatComesBackLeavesTheCall(t *testing.T) {
	w := newTown(t, "ab")
	w.connect('a', 1, 'b')
	w.down()
	w.want('a', 1, call.Reconnecting, "")
	if !slices.Contains(w.acts[device('a')], call.Probe) {
		t.Error("nobody looks whether the other is there")
	}
	w.pass(20 * time.Second)
	clear(w.cut)
	w.does('a', w.books[device('a')].Linked(w.now, person('b'), device('b'), false))
	if !slices.Contains(w.acts[device('a')], call.Restart) {
		t.Error("no other path is looked for")
	}
	w.path('a', 1, call.Up)
	w.path('b', 1, call.Up)
	w.pass(time.Hour)
	w.want('a', 1, call.Active, "")
	w.want('b', 1, call.Active, "")
}

func TestAHoldThatNobodyHeardIsToldAgain(t *testing.T) {
	w := newTown(t, "ab")
	w.connect('a', 1, 'b')
	for _, held := range []bool{true, false} {
		w.cut[device('a')] = true
		e, err := w.books[device('a')].Hold(w.now, id(1), held)
		w.must('a', e, err)
		w.settle()
		if c := w.want('b', 1, call.Active, ""); c.HeldThere == held {
			t.Fatal("the signal was not lost")
		}
		clear(w.cut)
		w.does('a', w.books[device('a')].Linked(w.now, person('b'), device('b'), false))
		w.settle()
		if c := w.want('b', 1, call.Active, ""); c.HeldThere != held {
			t.Errorf("held by a: %v; b believes %v", held, c.HeldThere)
		}
	}
}

func TestCallsThatCrossBecomeOne(t *testing.T) {
	for _, order := range []string{"both", "a heard first", "b heard first"} {
		t.Run(order, func(t *testing.T) {
			w := newTown(t, "abB")
			w.dial('a', 7, 'b', 'B')
			if order == "b heard first" {
				w.settle() // it rings at b, who calls a
			}
			w.dial('b', 3, 'a')
			if order == "a heard first" {
				w.mail = append(w.mail[len(w.mail)-1:], w.mail[:len(w.mail)-1]...)
			}
			w.settle()
			w.path('a', 7, call.Up)
			w.path('b', 3, call.Up)
			a, b := w.want('a', 7, call.Active, ""), w.want('b', 3, call.Active, "")
			if a.ID != b.ID || a.Outgoing == b.Outgoing {
				t.Errorf("a is in %v, b in %v", a, b)
			}
			c, known := w.books[device('B')].Find(id(7))
			if known && c.Live() {
				t.Errorf("at the other device it is %v", c.State)
			}
			w.hangUp('a', 7)
			w.settle()
			w.want('b', 3, call.Ended, call.Completed)
		})
	}
}

func TestAllDevicesRingUntilOneAnswers(t *testing.T) {
	w := newTown(t, "abB")
	w.dial('a', 1, 'b', 'B')
	w.settle()
	w.want('b', 1, call.Ringing, "")
	w.want('B', 1, call.Ringing, "")
	w.answer('B', 1)
	w.answer('b', 1) // at the same moment
	w.settle()
	w.want('a', 1, call.Connecting, "")
	w.want('B', 1, call.Connecting, "")
	w.want('b', 1, call.Ended, call.Completed)
	if c, _ := w.books[device('a')].Find(id(1)); c.Device != device('B') {
		t.Errorf("a speaks with %v", c.Device)
	}
	w = newTown(t, "abB")
	w.dial('a', 1, 'b', 'B')
	w.settle()
	w.hangUp('b', 1)
	w.settle()
	w.want('a', 1, call.Ended, call.Declined)
	w.want('B', 1, call.Ended, call.Elsewhere)
}

func TestADeviceThatComesWhileItRingsIsOfferedTheCall(t *testing.T) {
	w := newTown(t, "abB")
	w.dial('a', 1, 'b')
	w.settle()
	w.does('a', w.books[device('a')].Linked(w.now, person('b'), device('B'), false))
	w.settle()
	w.want('B', 1, call.Ringing, "")
	w.does('a', w.books[device('a')].Linked(w.now, person('b'), device('b'), false)) // its channel was renewed
	w.settle()
	w.answer('b', 1)
	w.settle()
	w.want('a', 1, call.Connecting, "")
	w.want('B', 1, call.Ended, call.Elsewhere)
}

func TestBusyWaitingAndHold(t *testing.T) {
	w := newTown(t, "abcd")
	w.connect('a', 1, 'b')
	w.dial('c', 2, 'b')
	w.settle()
	if c := w.want('b', 2, call.Ringing, ""); !c.Waiting {
		t.Error("the second call does not wait")
	}
	w.dial('d', 3, 'b')
	w.settle()
	w.want('d', 3, call.Ended, call.Busy)
	w.answer('b', 2)
	w.settle()
	if !w.want('b', 1, call.Active, "").Held || !w.want('a', 1, call.Active, "").HeldThere {
		t.Error("the first call is not held")
	}
	w.path('b', 2, call.Up)
	w.path('c', 2, call.Up)
	e, err := w.books[device('b')].Hold(w.now, id(1), false)
	w.must('b', e, err)
	w.settle()
	if w.want('b', 1, call.Active, "").Held || w.want('a', 1, call.Active, "").HeldThere || !w.want('b', 2, call.Active, "").Held {
		t.Error("the calls did not change places")
	}
}

func TestWhoCallsAThirdInVainIsBackInTheCallThatWasHeldForIt(t *testing.T) {
	for name, vain := range map[string]func(*town){
		"they decline":    func(w *town) { w.hangUp('c', 2) },
		"nobody answers":  func(w *town) { w.pass(call.RingTime) },
		"called off":      func(w *town) { w.hangUp('a', 2) },
		"no way is found": func(w *town) { w.answer('c', 2); w.settle(); w.pass(call.ConnectTime) },
	} {
		w := newTown(t, "abc")
		w.connect('a', 1, 'b')
		w.dial('a', 2, 'c')
		w.settle()
		if !w.want('a', 1, call.Active, "").Held || !w.want('b', 1, call.Active, "").HeldThere {
			t.Fatalf("%s: the first call is not held meanwhile", name)
		}
		vain(w)
		w.settle()
		if c, _ := w.books[device('a')].Find(id(2)); c.State != call.Ended {
			t.Fatalf("%s: the second call is %q", name, c.State)
		}
		if w.want('a', 1, call.Active, "").Held || w.want('b', 1, call.Active, "").HeldThere {
			t.Errorf("%s: the first call is still held", name)
		}
	}
}

func TestACallGoesOnByItselfOnlyIfItWasHeldForOneThatNobodySpokeIn(t *testing.T) {
	begin := func() *town {
		w := newTown(t, "abcd")
		w.connect('a', 1, 'b')
		return w
	}
	hold := func(w *town, i byte, on bool) {
		e, err := w.books[device('a')].Hold(w.now, id(i), on)
		w.must('a', e, err)
		w.settle()
	}
	held := func(w *town) bool { return w.want('a', 1, call.Active, "").Held }

	w := begin() // held by a person, before
	hold(w, 1, true)
	w.dial('a', 2, 'c')
	w.hangUp('a', 2)
	if w.settle(); !held(w) {
		t.Error("what a person held goes on by itself")
	}
	w = begin() // and meanwhile
	w.dial('a', 2, 'c')
	w.settle()
	hold(w, 1, false)
	hold(w, 1, true)
	w.hangUp('c', 2)
	if w.settle(); !held(w) {
		t.Error("what a person held while it rang goes on by itself")
	}
	w = begin() // they spoke
	w.connect('a', 2, 'c')
	w.hangUp('c', 2)
	if w.settle(); !held(w) {
		t.Error("after a call in which they spoke the other one goes on by itself")
	}
}

func TestACallThatWaitsRingsOnceTheOtherIsOver(t *testing.T) {
	w := newTown(t, "abc")
	w.connect('a', 1, 'b')
	w.dial('c', 2, 'b')
	w.settle()
	w.hangUp('a', 1)
	w.settle()
	if w.want('b', 2, call.Ringing, "").Waiting {
		t.Error("it waits for a call that is over")
	}
}

func TestFiftyOffersAtOnceRingOnce(t *testing.T) {
	w := newTown(t, "ab")
	b := w.books[device('b')]
	for i := range byte(50) {
		w.does('b', b.Heard(w.now, id(i+1), person('a'), device('a'), call.Signal{Kind: call.Offer}))
	}
	rings, busy := 0, 0
	for _, l := range w.mail {
		switch {
		case l.s.Kind == call.Rings:
			rings++
		case l.s.Kind == call.Reject && l.s.Reason == call.Busy:
			busy++
		}
	}
	if rings != 1 || busy != 49 || len(b.Calls()) != 1 {
		t.Errorf("%d ring, %d are told busy, %d are kept", rings, busy, len(b.Calls()))
	}
}

func TestAnOldOfferIsRefusedAndAReplayedOneNeverRings(t *testing.T) {
	w := newTown(t, "ab")
	b := w.books[device('b')]
	w.does('b', b.Heard(w.now, id(1), person('a'), device('a'), call.Signal{Kind: call.Offer, Age: call.MaxAge + time.Second}))
	if len(b.Calls()) != 0 || len(w.mail) != 1 || w.mail[0].s.Reason != call.Stale {
		t.Errorf("an old offer: %v", w.mail)
	}
	w.mail = nil
	w.dial('a', 2, 'b')
	w.settle()
	w.hangUp('b', 2)
	w.settle()
	w.does('b', b.Heard(w.now, id(2), person('a'), device('a'), call.Signal{Kind: call.Offer}))
	for range 200 { // others push it out of what viewers see
		w.dial('a', 9, 'b')
		w.books[device('a')] = &call.Book{}
		w.mail = nil
	}
	w.does('b', b.Heard(w.now, id(2), person('a'), device('a'), call.Signal{Kind: call.Offer}))
	w.want('b', 2, call.Ended, call.Declined)
	for _, l := range w.mail {
		if l.s.Kind != call.Reject || l.s.Reason != call.Declined {
			t.Errorf("a replayed offer is answered: %v", l)
		}
	}
}

func TestVerbsOutOfPlaceAreRefused(t *testing.T) {
	w := newTown(t, "abc")
	b := w.books[device('a')]
	w.dial('a', 1, 'b')
	if _, err := b.Dial(w.now, id(2), person('b'), nil); err != call.ErrInCall { //nolint:errorlint // not wrapped
		t.Errorf("dialled twice: %v", err)
	}
	if _, err := b.Dial(w.now, id(2), person('c'), nil); err != call.ErrBusy { //nolint:errorlint // not wrapped
		t.Errorf("dialled two: %v", err)
	}
	if _, err := b.Answer(w.now, id(1)); err != call.ErrState { //nolint:errorlint // not wrapped
		t.Errorf("answered an own call: %v", err)
	}
	if _, err := b.Answer(w.now, id(5)); err != call.ErrNone { //nolint:errorlint // not wrapped
		t.Errorf("answered none: %v", err)
	}
	if _, err := b.Hold(w.now, id(1), true); err != call.ErrState { //nolint:errorlint // not wrapped
		t.Errorf("held what rings: %v", err)
	}
}

func TestEndedCallsAreForgotten(t *testing.T) {
	w := newTown(t, "ab")
	for i := range byte(100) {
		w.dial('a', i+1, 'b')
		w.settle()
		w.hangUp('a', i+1)
		w.settle()
	}
	for d, b := range w.books {
		if n := len(b.Calls()); n > 20 {
			t.Errorf("%c remembers %d calls", d[0], n)
		}
		if !b.Next().IsZero() {
			t.Errorf("%c still waits", d[0])
		}
	}
}

func TestAnAnswerThatWasLostIsSaidAgain(t *testing.T) {
	w := newTown(t, "ab")
	w.dial('a', 1, 'b')
	w.settle()
	e, err := w.books[device('b')].Answer(w.now, id(1))
	w.must('b', e, err)
	w.cut[device('b')] = true
	w.settle()
	w.cut[device('b')] = false
	w.does('a', w.books[device('a')].Linked(w.now, person('b'), device('b'), false)) // the channel is renewed
	w.settle()
	if c, _ := w.books[device('a')].Find(id(1)); c.State != call.Connecting || c.Device != device('b') {
		t.Errorf("the answer was lost: the caller's call is %+v", c)
	}
}

func TestARefusalThatWasLostIsSaidAgain(t *testing.T) {
	for name, refuse := range map[string]struct {
		how func(w *town)
		why call.Reason
	}{
		"declined": {func(w *town) { w.hangUp('b', 1) }, call.Declined},
		"hung up before it was answered at the caller": {func(w *town) { w.answer('b', 1); w.hangUp('b', 1) }, call.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, "ab")
			w.dial('a', 1, 'b')
			w.settle()
			w.cut[device('b')] = true
			refuse.how(w)
			w.settle()
			w.cut[device('b')] = false
			w.want('a', 1, call.Ringing, "")
			w.does('a', w.books[device('a')].Linked(w.now, person('b'), device('b'), false)) // the channel is renewed
			w.settle()
			w.want('a', 1, call.Ended, refuse.why)
		})
	}
}

func TestThatSomebodyIsBusyIsSaidAgain(t *testing.T) {
	w := newTown(t, "abc")
	w.dial('c', 9, 'b')
	w.settle()
	w.dial('a', 1, 'b')
	l := w.mail[0]
	w.does('b', w.books[device('b')].Heard(w.now, l.id, person('a'), l.from, l.s))
	w.mail = nil // what b answers is lost
	w.does('a', w.books[device('a')].Linked(w.now, person('b'), device('b'), false))
	w.settle()
	w.want('a', 1, call.Ended, call.Busy)
}
