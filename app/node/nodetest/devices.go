package nodetest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"path/filepath"
	"slices"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/noise"
)

// Second gives a person a second device, as linking will: both are on one
// device list, both know the same friends. Both are awake afterwards.
func (p *Person) Second() *Person {
	p.t.Helper()
	addrs, peer := p.node.Addrs(), p.Peer()
	p.Sleep()
	o := &Person{town: p.town, t: p.t, Name: p.Name + "'s second", Dir: filepath.Join(p.t.TempDir(), "profile"), Host: p.town.lan.Host(), seed: p.seed, Now: time.Now}
	o.create(false)
	both := p.together(o)
	p.edit(func(tx *store.Tx) error { return p.putOwn(tx, both) })
	friends, devices := p.people()
	o.edit(func(tx *store.Tx) error {
		if err := o.putOwn(tx, both); err != nil {
			return err
		}
		for _, c := range friends {
			if err := tx.PutContact(c); err != nil {
				return err
			}
		}
		for _, d := range devices {
			d.PairOld, d.PairNew = nil, nil
			if d.Person == p.ID() && d.ID == p.DeviceID() {
				d.Peer, d.Addrs = string(peer), addrs
			}
			if err := tx.PutDevice(d); err != nil {
				return err
			}
		}
		return nil
	})
	p.Wake()
	o.Wake()
	p.t.Cleanup(o.Sleep)
	return o
}

// together signs the list with both devices on it.
func (p *Person) together(o *Person) *identity.DeviceList {
	p.t.Helper()
	mine, theirs := p.list(), o.list()
	both, err := identity.FromSeed(p.seed).SignList(mine, append(mine.Certs, theirs.Certs...), time.Now())
	p.must(err)
	return both
}

func (p *Person) list() (list *identity.DeviceList) {
	p.t.Helper()
	p.read(func(s *store.Store) error {
		b, err := s.List(p.ID())
		if err != nil {
			return err
		}
		list, err = identity.ParseDeviceList(b)
		return err
	})
	return list
}

func (p *Person) putOwn(tx *store.Tx, list *identity.DeviceList) error {
	b, err := list.MarshalBinary()
	if err != nil {
		return err
	}
	for _, c := range list.Certs {
		cert, err := c.MarshalBinary()
		if err != nil {
			return err
		}
		if _, err := tx.Device(c.DeviceID()); err == nil {
			continue
		}
		if err := tx.PutDevice(store.Device{ID: c.DeviceID(), Person: list.Person, Cert: cert}); err != nil {
			return err
		}
	}
	return tx.PutList(list.Person, b)
}

func (p *Person) people() (friends []store.Contact, devices []store.Device) {
	p.t.Helper()
	p.read(func(s *store.Store) (err error) {
		if friends, err = s.Contacts(); err != nil {
			return err
		}
		ids := []identity.ID{p.ID()}
		for _, c := range friends {
			ids = append(ids, c.ID)
		}
		for _, id := range ids {
			some, err := s.Devices(id)
			if err != nil {
				return err
			}
			devices = append(devices, some...)
		}
		return nil
	})
	return friends, devices
}

// read opens the store of a person who is asleep.
func (p *Person) read(f func(*store.Store) error) {
	p.t.Helper()
	s, err := store.Open(p.t.Context(), store.Config{Path: filepath.Join(p.Dir, "history"), Key: p.vault.Key("db"), Self: p.ID()})
	p.must(err)
	p.must(f(s))
	p.must(s.Close())
}

func (p *Person) edit(f func(*store.Tx) error) {
	p.t.Helper()
	p.read(func(s *store.Store) error { return s.Write(p.t.Context(), f) })
}

// Keeps says whether words of a conversation are in an event on the disk of a
// person who is asleep, shown or not.
func (p *Person) Keeps(with *Person, words string) (found bool) {
	p.t.Helper()
	p.read(func(s *store.Store) error {
		events, err := s.EventsAfter(chat.Direct(p.ID(), with.ID()), nil, 1000, 1<<20)
		found = slices.ContainsFunc(events, func(e []byte) bool { return bytes.Contains(e, []byte(words)) })
		return err
	})
	return found
}

// keys are the secret keys of the person's device.
func (p *Person) keys() *identity.Device {
	p.t.Helper()
	var s struct {
		Device []byte `json:"device"`
	}
	p.must(json.Unmarshal(p.vault.Payload(), &s))
	d, err := identity.ParseDevice(s.Device)
	p.must(err)
	return d
}

// DeviceID is the person's device.
func (p *Person) DeviceID() identity.DeviceID { return p.keys().ID() }

// Peer is the network name of the person's device.
func (p *Person) Peer() transport.Peer {
	p.t.Helper()
	public, ok := p.keys().Peer.Public().(ed25519.PublicKey)
	if !ok {
		p.t.Fatal("the peer key is not Ed25519")
	}
	peer, err := transport.PeerOf(public)
	p.must(err)
	return peer
}

// Impersonate opens a channel to a friend's node with the keys of p, who must
// be asleep: whatever is sent on it is what a hostile friend could send. The
// channel ends with the test.
func (p *Person) Impersonate(friend *Person) *noise.Channel {
	p.t.Helper()
	var me, them store.Device
	p.read(func(s *store.Store) (err error) {
		if me, err = s.Device(p.DeviceID()); err != nil {
			return err
		}
		them, err = s.Device(friend.DeviceID())
		return err
	})
	d := p.keys()
	host, err := transport.Listen(p.t.Context(), transport.Config{
		Key:   d.Peer,
		World: p.Host.World(),
	})
	p.must(err)
	p.t.Cleanup(func() { p.must(host.Close()) })
	peer := friend.Peer()
	p.must(host.Dial(p.t.Context(), peer, friend.node.Addrs()))
	s, err := host.Open(p.t.Context(), peer, "/entrenous/live/1")
	p.must(err)
	cert, err := identity.ParseCertificate(them.Cert)
	p.must(err)
	var pair *noise.Pair
	if len(them.PairNew) == 32 {
		pair = &noise.Pair{Secret: [32]byte(them.PairNew)}
	}
	ch, err := noise.Dial(p.t.Context(), s, noise.Config{
		Static: d.Noise, Local: host.Peer().Bytes(), Remote: peer.Bytes(), Certificate: me.Cert, Epoch: 1, Caps: []byte("a hostile friend"),
	}, cert.Device.Noise, pair)
	p.must(err)
	return ch
}
