package noise_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/noise"
)

func TestPairIsStirredByEveryHandshakeWhoeverDials(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	first, _ := channels(t, a, b, nil, welcome())
	old := noise.Pair{Secret: first.NextPair(), Of: "ana-bo"}
	for range 3 {
		a, b = b, a
		d, c := channels(t, a, b, &old, welcome(noise.Pair{Secret: [32]byte{1}}, old, noise.Pair{Secret: [32]byte{2}}))
		if u := c.UsedPair(); u == nil || *u != old || d.UsedPair() == nil || *d.UsedPair() != old {
			t.Fatal("the pair that was used is lost")
		}
		if d.NextPair() != c.NextPair() || d.NextPair() == old.Secret {
			t.Fatal("the pair secret was not stirred")
		}
		old.Secret = d.NextPair()
	}
}

func TestOneMeetingIsNeverLikeAnother(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	pair := noise.Pair{Secret: [32]byte{9}}
	one, _ := channels(t, a, b, &pair, welcome(pair))
	two, _ := channels(t, a, b, &pair, welcome(pair))
	if one.Binding() == two.Binding() || one.NextPair() == two.NextPair() {
		t.Error("two handshakes gave the same")
	}
}

func TestDirectionsHaveDifferentKeys(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	if d.Key() == c.Key() {
		t.Error("both ends send under one key")
	}
}

func TestPairsThatDoNotFitAreRefused(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	ours, others := noise.Pair{Secret: [32]byte{7}, Of: "ana"}, noise.Pair{Secret: [32]byte{8}, Of: "carla"}
	admit := func(cert identity.Certificate, used *noise.Pair) error {
		switch {
		case cert.Person != a.cert.Person:
			return errors.New("not ana")
		case used == nil:
			return noise.ErrDowngrade
		case used.Of != "ana":
			return errors.New("someone else's pair")
		}
		return nil
	}
	pairs := func(p ...noise.Pair) noise.Accepting {
		return noise.Accepting{Pairs: func() []noise.Pair { return p }, Admit: admit}
	}
	for name, c := range map[string]struct {
		dial    *noise.Pair
		with    noise.Accepting
		dialErr error // nil: any error
		accErr  error // nil: any error
	}{
		"wrong pair":          {&noise.Pair{Secret: [32]byte{6}}, pairs(ours), noise.ErrAuth, nil},
		"they lost it":        {&ours, pairs(), noise.ErrAuth, nil},
		"nil list":            {&ours, noise.Accepting{Admit: admit}, noise.ErrAuth, nil},
		"downgrade":           {nil, pairs(ours), nil, noise.ErrDowngrade},
		"someone else's":      {&others, pairs(ours, others), nil, nil},
		"zeros dialled":       {&noise.Pair{}, pairs(ours), nil, nil},
		"zeros on their list": {nil, pairs(noise.Pair{Of: "ana"}), nil, noise.ErrDowngrade},
	} {
		t.Run(name, func(t *testing.T) {
			m := meet(t, a, b, c.dial, c.with)
			if m.dialErr == nil || m.accErr == nil {
				t.Fatalf("they met: %v, %v", m.dialErr, m.accErr)
			}
			if c.dialErr != nil && !errors.Is(m.dialErr, c.dialErr) {
				t.Errorf("dial: %v", m.dialErr)
			}
			if c.accErr != nil && !errors.Is(m.accErr, c.accErr) {
				t.Errorf("accept: %v", m.accErr)
			}
		})
	}
	if m := meet(t, a, b, &ours, pairs(others, ours)); m.dialErr != nil || m.accErr != nil {
		t.Errorf("the right pair: %v, %v", m.dialErr, m.accErr)
	}
}

func TestCertificatesThatDoNotFitAreRefused(t *testing.T) {
	b, other := person(t, "bo"), person(t, "ana")
	now := time.Now()
	for name, c := range map[string]struct {
		from, to time.Time
		change   func(*noise.Config)
		want     error
	}{
		"expired":       {now.Add(-240 * time.Hour), now.Add(-48 * time.Hour), nil, identity.ErrExpired},
		"not yet valid": {now.Add(48 * time.Hour), now.Add(240 * time.Hour), nil, identity.ErrNotYetValid},
		"someone else's": {now.Add(-time.Hour), now.Add(time.Hour), func(c *noise.Config) {
			c.Certificate = other.cfg.Certificate
		}, noise.ErrAuth},
		"forged": {now.Add(-time.Hour), now.Add(time.Hour), func(c *noise.Config) {
			c.Certificate[len(c.Certificate)-1] ^= 1
		}, noise.ErrAuth},
		"garbage": {now.Add(-time.Hour), now.Add(time.Hour), func(c *noise.Config) {
			c.Certificate = make([]byte, 200)
		}, noise.ErrAuth},
	} {
		t.Run(name, func(t *testing.T) {
			a := personAt(t, "ana", c.from, c.to)
			if c.change != nil {
				c.change(&a.cfg)
			}
			with := welcome()
			with.Admit = func(identity.Certificate, *noise.Pair) error {
				t.Error("was asked to admit")
				return nil
			}
			if m := meet(t, a, b, nil, with); !errors.Is(m.accErr, c.want) || m.dialErr == nil {
				t.Errorf("dial: %v, accept: %v", m.dialErr, m.accErr)
			}
		})
	}
}

func TestCertificatesAreJudgedByTheClockGiven(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	b.cfg.Now = func() time.Time { return time.Now().AddDate(3, 0, 0) }
	if m := meet(t, a, b, nil, welcome()); !errors.Is(m.accErr, identity.ErrExpired) {
		t.Errorf("accept: %v", m.accErr)
	}
}

func TestRefusedCallerLearnsNothing(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	refused := errors.New("blocked")
	with := welcome()
	with.Admit = func(identity.Certificate, *noise.Pair) error { return refused }
	m := meet(t, a, b, nil, with)
	if !errors.Is(m.accErr, refused) || m.accepted != nil {
		t.Errorf("accept: %v", m.accErr)
	}
	if m.dialErr == nil || m.dialled != nil {
		t.Error("the refused caller has a channel")
	}
}

func TestWhoIsMeantIsBound(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	for name, change := range map[string]func(a, b *end){
		"initiator's peer id": func(a, _ *end) { a.cfg.Local = []byte("eve") },
		"another static key":  func(_, b *end) { b.cert.Device.Noise = person(t, "eve").static() },
	} {
		t.Run(name, func(t *testing.T) {
			p, q := net.Pipe()
			ca, cb := a, b
			change(&ca, &cb)
			m := meeting{}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, m.accErr = noise.Accept(ctx, q, b.facing(a), welcome())
			}()
			_, m.dialErr = noise.Dial(ctx, p, ca.facing(cb), cb.static(), nil)
			<-done
			if m.dialErr == nil || !errors.Is(m.accErr, noise.ErrAuth) {
				t.Errorf("dial: %v, accept: %v", m.dialErr, m.accErr)
			}
		})
	}
}

func TestVersionsAreNegotiated(t *testing.T) {
	for name, c := range map[string]struct {
		a, b [2]byte
		meet bool
	}{
		"same":         {[2]byte{1, 1}, [2]byte{1, 1}, true},
		"overlap":      {[2]byte{1, 3}, [2]byte{1, 2}, true},
		"they too old": {[2]byte{2, 3}, [2]byte{1, 1}, false},
		"they too new": {[2]byte{1, 1}, [2]byte{2, 3}, false},
		"nonsense":     {[2]byte{1, 0}, [2]byte{1, 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := person(t, "ana"), person(t, "bo")
			a.cfg.Versions(c.a[0], c.a[1])
			b.cfg.Versions(c.b[0], c.b[1])
			m := meet(t, a, b, nil, welcome())
			if c.meet && (m.dialErr != nil || m.accErr != nil) {
				t.Errorf("dial: %v, accept: %v", m.dialErr, m.accErr)
			}
			if !c.meet && (!errors.Is(m.dialErr, noise.ErrVersion) || !errors.Is(m.accErr, noise.ErrVersion)) {
				t.Errorf("dial: %v, accept: %v", m.dialErr, m.accErr)
			}
		})
	}
}

// tap changes what is written through it.
type tap struct {
	noise.Conn
	writes int
	change func(write int, b []byte) []byte
}

func (c *tap) Write(b []byte) (int, error) {
	c.writes++
	if _, err := c.Conn.Write(c.change(c.writes, append([]byte(nil), b...))); err != nil {
		return 0, err
	}
	return len(b), nil
}

func TestVersionRollbackIsRefused(t *testing.T) {
	lower := func(write int, b []byte) []byte {
		if write == 1 {
			b[1] = 1 // "I speak nothing newer than 1"
		}
		return b
	}
	a, b := person(t, "ana"), person(t, "bo")
	a.cfg.Versions(1, 2)
	b.cfg.Versions(1, 2)
	p, q := net.Pipe()
	if m := meetOver(t, &tap{Conn: p, change: lower}, q, a, b, nil, welcome()); m.dialErr == nil || !errors.Is(m.accErr, noise.ErrAuth) {
		t.Errorf("initiator's hello lowered; dial: %v, accept: %v", m.dialErr, m.accErr)
	}
	p, q = net.Pipe()
	initiator := &tap{Conn: p, change: func(_ int, b []byte) []byte { return b }}
	if m := meetOver(t, initiator, &tap{Conn: q, change: lower}, a, b, nil, welcome()); !errors.Is(m.dialErr, noise.ErrAuth) || m.accErr == nil {
		t.Errorf("responder's hello lowered; dial: %v, accept: %v", m.dialErr, m.accErr)
	}
	if initiator.writes != 1 {
		t.Error("the initiator said who it is before it noticed")
	}
}

func TestLostLastProofLeavesTheOldPairWorking(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	old := noise.Pair{Secret: [32]byte{7}}
	p, q := net.Pipe()
	cut := &tap{Conn: p, change: func(write int, b []byte) []byte {
		if write == 3 { // the initiator's proof
			_ = p.Close()
		}
		return b
	}}
	m := meetOver(t, cut, q, a, b, &old, welcome(old))
	if m.accErr == nil {
		t.Fatal("the responder is content without the initiator's proof")
	}
	next := noise.Pair{Secret: [32]byte{8}} // what only the initiator would have stored
	if m := meet(t, a, b, &next, welcome(old)); !errors.Is(m.dialErr, noise.ErrAuth) {
		t.Errorf("dial with the new one: %v", m.dialErr)
	}
	if m := meet(t, a, b, &old, welcome(old)); m.dialErr != nil || m.accErr != nil {
		t.Errorf("dial with the old one: %v, %v", m.dialErr, m.accErr)
	}
	if m := meet(t, b, a, &old, welcome(next, old)); m.dialErr != nil || m.accErr != nil {
		t.Errorf("the other way round: %v, %v", m.dialErr, m.accErr)
	}
}

func TestReflectionIsRefused(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	synctest.Test(t, func(t *testing.T) {
		p, q := net.Pipe()
		go func() { _, _ = io.Copy(q, q) }()
		if _, err := noise.Dial(t.Context(), p, a.facing(b), b.static(), nil); err == nil {
			t.Error("the initiator met its own echo")
		}
	})
	self := a
	self.cfg.Local = []byte("elsewhere")
	p, _ := net.Pipe()
	if _, err := noise.Dial(t.Context(), p, self.facing(a), a.static(), nil); err == nil {
		t.Error("the initiator dialled its own key")
	}
}

func TestSilentPeersAreGivenUp(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	for name, run := range map[string]func(context.Context, noise.Conn) error{
		"dial": func(ctx context.Context, c noise.Conn) error {
			_, err := noise.Dial(ctx, c, a.facing(b), b.static(), nil)
			return err
		},
		"accept": func(ctx context.Context, c noise.Conn) error {
			_, err := noise.Accept(ctx, c, b.facing(a), welcome())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				p, q := net.Pipe()
				defer func() { _ = q.Close() }()
				if err := run(t.Context(), p); err == nil || time.Since(start) != noise.HandshakeTimeout {
					t.Errorf("without a deadline: %v after %v", err, time.Since(start))
				}
				start = time.Now()
				p, q = net.Pipe()
				defer func() { _ = q.Close() }()
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				if err := run(ctx, p); err == nil || time.Since(start) != 3*time.Second {
					t.Errorf("with a deadline: %v after %v", err, time.Since(start))
				}
				start = time.Now()
				p, q = net.Pipe()
				defer func() { _ = q.Close() }()
				ctx, cancel = context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				if err := run(ctx, p); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
					t.Errorf("cancelled: %v after %v", err, time.Since(start))
				}
				if _, err := p.Write([]byte{1}); err == nil {
					t.Error("the connection is left open")
				}
			})
		})
	}
}

func TestDeadlineOfTheHandshakeEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
		go func() {
			time.Sleep(time.Hour)
			_ = d.Send([]byte("still here"))
		}()
		if m := receive(t, c); string(m) != "still here" {
			t.Errorf("received %q", m)
		}
	})
}

func TestConfigurationsAreChecked(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	good := a.facing(b)
	for name, change := range map[string]func(*noise.Config){
		"no static key":   func(c *noise.Config) { c.Static = nil },
		"no peer id":      func(c *noise.Config) { c.Local = nil },
		"no remote id":    func(c *noise.Config) { c.Remote = nil },
		"long peer id":    func(c *noise.Config) { c.Remote = make([]byte, 129) },
		"same peer id":    func(c *noise.Config) { c.Remote = c.Local },
		"long caps":       func(c *noise.Config) { c.Caps = make([]byte, 1025) },
		"long cert":       func(c *noise.Config) { c.Certificate = make([]byte, 1025) },
		"no certificates": func(c *noise.Config) { c.Certificate = nil },
	} {
		cfg := good
		change(&cfg)
		p, _ := net.Pipe()
		if _, err := noise.Dial(t.Context(), p, cfg, b.static(), nil); err == nil {
			t.Errorf("%s: dialled", name)
		}
		if name == "no certificates" {
			continue
		}
		p, _ = net.Pipe()
		if _, err := noise.Accept(t.Context(), p, cfg, welcome()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if m := meet(t, a, b, &noise.Pair{}, welcome()); m.dialErr == nil {
		t.Error("dialled with a pair secret of zeros")
	}
	p, _ := net.Pipe()
	if _, err := noise.Accept(t.Context(), p, good, noise.Accepting{}); err == nil {
		t.Error("accepted with nobody to decide")
	}
	big := a
	big.cfg.Caps = make([]byte, 1024)
	big.cfg.Caps[0], big.cfg.Caps[1023] = 1, 2
	if _, c := channels(t, big, b, nil, welcome()); len(c.Caps()) != 1024 || c.Caps()[1023] != 2 {
		t.Error("1 KiB of capabilities is lost")
	}
}
