package noise_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/noise"
)

// end is one device and what it brings to a handshake.
type end struct {
	cert identity.Certificate
	cfg  noise.Config
}

// person makes a device with a certificate that is valid for a year.
func person(tb testing.TB, peer string) end {
	tb.Helper()
	now := time.Now()
	return personAt(tb, peer, now.Add(-time.Hour), now.Add(365*24*time.Hour))
}

func personAt(tb testing.TB, peer string, from, to time.Time) end {
	tb.Helper()
	device, err := identity.NewDevice()
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := identity.FromSeed(identity.NewSeed()).Certify(device.Public(), peer, from, to)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := cert.MarshalBinary()
	if err != nil {
		tb.Fatal(err)
	}
	return end{cert: cert, cfg: noise.Config{Static: device.Noise, Local: []byte(peer), Certificate: b, Epoch: uint64(len(peer)), Caps: []byte("caps of " + peer)}}
}

// static is the key that others dial.
func (e end) static() [32]byte { return e.cert.Device.Noise }

// facing is the end's configuration towards another.
func (e end) facing(o end) noise.Config {
	c := e.cfg
	c.Remote = o.cfg.Local
	return c
}

// welcome admits everybody and knows these pairs.
func welcome(pairs ...noise.Pair) noise.Accepting {
	return noise.Accepting{
		Pairs: func() []noise.Pair { return pairs },
		Admit: func(identity.Certificate, *noise.Pair) error { return nil },
	}
}

// meeting is what came of a handshake at either end.
type meeting struct {
	dialled, accepted *noise.Channel
	dialErr, accErr   error
}

// meet lets a dial b over a pipe whose ends wrap may replace.
func meet(tb testing.TB, a, b end, pair *noise.Pair, with noise.Accepting) meeting {
	tb.Helper()
	p, q := net.Pipe()
	return meetOver(tb, p, q, a, b, pair, with)
}

func meetOver(tb testing.TB, p, q noise.Conn, a, b end, pair *noise.Pair, with noise.Accepting) (m meeting) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { m.accepted, m.accErr = noise.Accept(ctx, q, b.facing(a), with) })
	m.dialled, m.dialErr = noise.Dial(ctx, p, a.facing(b), b.static(), pair)
	wg.Wait()
	return m
}

// channels are the two ends of a channel that must come to be.
func channels(tb testing.TB, a, b end, pair *noise.Pair, with noise.Accepting) (*noise.Channel, *noise.Channel) {
	tb.Helper()
	m := meet(tb, a, b, pair, with)
	if err := errors.Join(m.dialErr, m.accErr); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = m.dialled.Close()
		_ = m.accepted.Close()
	})
	return m.dialled, m.accepted
}

// receive takes one message or fails.
func receive(tb testing.TB, c *noise.Channel) []byte {
	tb.Helper()
	m, err := c.Receive()
	if err != nil {
		tb.Fatal(err)
	}
	return m
}
