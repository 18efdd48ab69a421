package nodetest

import (
	"context"
	"crypto/ed25519"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/noise"
)

// Raw is a person whose device obeys the test instead of a node: it has their
// keys and their place in the network, and no manners.
type Raw struct {
	p    *Person
	host *transport.Host
	cert []byte
}

// Raw takes over the machine of p, who must be asleep, until the test ends.
func (p *Person) Raw() *Raw {
	p.t.Helper()
	r := &Raw{p: p}
	p.read(func(s *store.Store) error {
		me, err := s.Device(p.DeviceID())
		r.cert = me.Cert
		return err
	})
	host, err := transport.Listen(p.t.Context(), transport.Config{
		Key:   p.keys().Peer,
		World: p.Host.World(),
	})
	p.must(err)
	r.host = host
	p.t.Cleanup(func() { p.must(host.Close()) })
	return r
}

// As makes the device show another certificate from now on.
func (r *Raw) As(cert identity.Certificate) {
	r.p.t.Helper()
	b, err := cert.MarshalBinary()
	r.p.must(err)
	r.cert = b
}

// Addrs are where the device listens.
func (r *Raw) Addrs() []string { return r.host.Addrs() }

// Stream connects to somebody and opens a stream.
func (r *Raw) Stream(ctx context.Context, to *Person, protocol string) (*transport.Stream, error) {
	if err := r.host.Dial(ctx, to.Peer(), to.node.Addrs()); err != nil {
		return nil, err
	}
	return r.host.Open(ctx, to.Peer(), protocol)
}

// Handle serves streams that others open to the device.
func (r *Raw) Handle(protocol string, f func(*transport.Stream)) { r.host.Handle(protocol, f) }

// Hangup ends the connection to somebody.
func (r *Raw) Hangup(to *Person) { _ = r.host.Disconnect(to.Peer()) }

// Live opens a live channel to somebody; pair may be nil.
func (r *Raw) Live(ctx context.Context, to *Person, pair *noise.Pair) (*noise.Channel, error) {
	s, err := r.Stream(ctx, to, "/entrenous/live/1")
	if err != nil {
		return nil, err
	}
	static := [32]byte(to.keys().Noise.PublicKey().Bytes())
	return noise.Dial(ctx, s, noise.Config{
		Static: r.p.keys().Noise, Local: r.host.Peer().Bytes(), Remote: to.Peer().Bytes(), Certificate: r.cert, Epoch: 1, Caps: []byte("raw"),
	}, static, pair)
}

// Pair is the newest secret that p, who must be asleep, shares with somebody's
// device; nil if there is none.
func (p *Person) Pair(with *Person) (pair *noise.Pair) {
	p.t.Helper()
	p.read(func(s *store.Store) error {
		d, err := s.Device(with.DeviceID())
		if len(d.PairNew) == 32 {
			pair = &noise.Pair{Secret: [32]byte(d.PairNew)}
		}
		return err
	})
	return pair
}

// Signing is the key with which the device of p, who must be asleep, signs
// what it says to somebody.
func (p *Person) Signing(with *Person) (key ed25519.PrivateKey) {
	p.t.Helper()
	p.read(func(s *store.Store) error {
		k, err := s.ConvKey(chat.Direct(p.ID(), with.ID()), p.DeviceID())
		if err == nil {
			key = ed25519.NewKeyFromSeed(k.Priv)
		}
		return err
	})
	return key
}

// List signs a device list of p at some epoch, with p's own device and further
// ones that do not exist.
func (p *Person) List(epoch uint64, more ...identity.Certificate) *identity.DeviceList {
	p.t.Helper()
	own, _ := p.list().Find(p.DeviceID())
	l, err := identity.FromSeed(p.seed).SignListAt(epoch, append([]identity.Certificate{own}, more...), time.Now())
	p.must(err)
	return l
}

// Certificate certifies a new device of p, or one of the same keys as o's.
func (p *Person) Certificate(o *Person) identity.Certificate {
	p.t.Helper()
	var d *identity.Device
	var err error
	if o != nil {
		d = o.keys()
	} else {
		d, err = identity.NewDevice()
		p.must(err)
	}
	c, err := identity.FromSeed(p.seed).Certify(d.Public(), "a device", time.Unix(0, 0), time.Now().AddDate(10, 0, 0))
	p.must(err)
	return c
}

// Guise certifies a new device of p that proves itself with the key that p's has.
func (p *Person) Guise() identity.Certificate {
	p.t.Helper()
	d, err := identity.NewDevice()
	p.must(err)
	public := d.Public()
	public.Noise = p.keys().Public().Noise
	c, err := identity.FromSeed(p.seed).Certify(public, "another device", time.Unix(0, 0), time.Now().AddDate(10, 0, 0))
	p.must(err)
	return c
}

// Disk reads the store of p, who must be asleep.
func (p *Person) Disk(f func(*store.Store) error) {
	p.t.Helper()
	p.read(f)
}

// Edit changes the store of p, who must be asleep.
func (p *Person) Edit(f func(*store.Tx) error) {
	p.t.Helper()
	p.edit(f)
}

// Heard lists what arrives on a channel within some seconds, and whether it ended.
func Heard(ch *noise.Channel) (frames []chat.Frame, ended bool) {
	end := time.Now().Add(4 * time.Second)
	_ = ch.SetReadDeadline(end)
	for {
		b, err := ch.Receive()
		if err != nil {
			return frames, time.Now().Before(end)
		}
		f, err := chat.ParseFrame(b)
		if _, bye := f.(chat.Bye); err == nil && !bye {
			frames = append(frames, f)
		}
	}
}
