package nodetest_test

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/rtc"
	"github.com/entrenous/entrenous/transport/simnet"
)

// spy keeps everything that one machine is told, and knows which addresses
// should not be among it.
type spy struct {
	t      *testing.T
	secret []net.IP

	mu   sync.Mutex
	told map[string][][]byte // by where it was told
}

func spyOn(t *testing.T, p *nodetest.Person) *spy {
	return &spy{t: t, secret: []net.IP{p.Host.IP(), p.Home.PublicIP()}, told: map[string][][]byte{}}
}

func (s *spy) hear(where string, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told[where] = append(s.told[where], b)
}

// leaks lists where an address was told, as text or in four bytes.
func (s *spy) leaks() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for where, all := range s.told {
		for _, b := range all {
			for _, ip := range s.secret {
				if bytes.Contains(b, ip.To4()) || bytes.Contains(b, []byte(ip.String())) {
					out = append(out, where)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wants fails unless something was told in each of these places, else the test
// proves nothing.
func (s *spy) wants(places ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range places {
		if len(bytes.Join(s.told[p], nil)) == 0 {
			s.t.Errorf("nothing was told in %s", p)
		}
	}
}

func (s *spy) readAll(where string, r io.Reader) {
	b, _ := io.ReadAll(r) // what came before the end counts
	s.hear(where, b)
}

// listenTo lets the machine of a friend, who is asleep, ask for everything that
// alice's machine tells: about itself, in the middle, and inside the channel.
func (s *spy) listenTo(town *nodetest.Town, alice, friend *nodetest.Person) {
	t := s.t
	t.Helper()
	pair, raw := friend.Pair(alice), friend.Raw()
	for _, p := range []string{"/ipfs/id/push/1.0.0", "/libp2p/dcutr"} {
		raw.Handle(p, func(st *transport.Stream) { s.readAll("pushed "+p, st) })
	}
	ch, err := raw.Live(town.Context(), alice, pair)
	if err != nil {
		t.Fatal(err)
	}
	id, err := raw.Stream(town.Context(), alice, "/ipfs/id/1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	s.readAll("identify", id)
	if punch, err := raw.Stream(town.Context(), alice, "/libp2p/dcutr"); err == nil {
		// CONNECT: type 100, and 1.2.3.4/udp/4001/quic-v1.
		_, _ = punch.Write([]byte{15, 8, 100, 18, 11, 4, 1, 2, 3, 4, 0x91, 2, 0x0f, 0xa1, 0xcd, 3})
		_ = punch.SetDeadline(time.Now().Add(5 * time.Second))
		s.readAll("hole punching", punch)
	}
	if err := alice.Node().PutSettings(town.Context(), renamed(alice.Node().Settings())); err != nil { // says hello again
		t.Fatal(err)
	}
	var frames sync.WaitGroup
	frames.Go(func() {
		for {
			b, err := ch.Receive()
			if err != nil {
				return
			}
			s.hear("frames", b)
			if f, err := chat.ParseFrame(b); err == nil {
				s.description(ch.Binding(), alice, f)
			}
		}
	})
	if _, err := alice.Node().Call(friend.ID()); err != nil {
		t.Error(err)
	}
	town.Pass(10 * time.Second)
	ch.Close()
	frames.Wait()
}

func renamed(s node.Settings) node.Settings {
	s.Name += " the hidden"
	return s
}

// description looks into the offer of a call.
func (s *spy) description(channel [32]byte, from *nodetest.Person, f chat.Frame) {
	c, ok := f.(chat.CallFrame)
	if !ok {
		return
	}
	sig, err := call.OpenSignal(c.Body, channel, c.Call, call.Device(from.DeviceID()))
	if err != nil {
		s.t.Error(err)
		return
	}
	if len(sig.Description) == 0 {
		return
	}
	d, err := rtc.ParseDescription(sig.Description)
	if err != nil {
		s.t.Error(err)
	}
	s.hear("call", sig.Description)
	for _, cand := range d.Candidates {
		s.hear("call", []byte(cand.Addr.String()))
	}
}

func TestWhoeverIsReachedThroughRelaysOnlyIsToldNoAddress(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		alice, bob := atHome(town, simnet.PortRestricted, simnet.PortRestricted)
		town.Eventually("they meet in the middle", func() bool { return pathTo(t, alice, bob) == transport.Direct })
		if err := alice.Node().SetRoute(town.Context(), bob.ID(), node.RouteRelay); err != nil {
			t.Fatal(err)
		}
		town.Eventually("the path is a relay's", func() bool { return alice.Sees(bob) && pathTo(t, alice, bob) == transport.Relay })
		bob.Send(alice, "where are you?")
		alice.WantRow(bob, "where are you?")
		id := bob.Call(alice)
		alice.Rings(bob)
		alice.Answer(id)
		bob.WantCallWithin(10*time.Second, id, call.Active)
		bob.WantSound(id)
		alice.WantSound(id)
		for range 2 { // a call works on better ones for its first five seconds
			if c := bob.WantCall(id, call.Active); c.Path != transport.Relay {
				t.Errorf("the call's path is %s", c.Path)
			}
			town.Pass(6 * time.Second)
		}
		bob.HangUp(id)
		town.Pass(time.Minute)
		if got := pathTo(t, alice, bob); got != transport.Relay {
			t.Errorf("after a minute the path is %s", got)
		}
		bob.Sleep()
		bob.Disk(func(s *store.Store) error {
			d, err := s.Device(alice.DeviceID())
			if len(d.Addrs) == 0 {
				t.Error("bob knows no way to alice")
			}
			for _, a := range d.Addrs {
				if !strings.Contains(a, "/p2p-circuit") {
					t.Errorf("bob knows alice at %s", a)
				}
			}
			return err
		})
		s := spyOn(t, alice)
		s.listenTo(town, alice, bob)
		s.wants("identify", "frames", "call")
		if l := s.leaks(); len(l) > 0 {
			t.Errorf("alice's address is told in %v", l)
		}
	})
}

func TestTheSpyHearsTheAddressOfWhoDoesNotHide(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		alice, bob := atHome(town, simnet.PortRestricted, simnet.PortRestricted)
		bob.Sleep()
		s := spyOn(t, alice)
		s.listenTo(town, alice, bob)
		if l := s.leaks(); !slices.Contains(l, "frames") || !slices.Contains(l, "call") || slices.Contains(l, "identify") {
			t.Errorf("alice's address is told in %v", l)
		}
	})
}

func TestAStrangerIsToldNoAddressThroughARelayWhileWeHide(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		relay, _ := town.Relay()
		alice, bob, carol := town.AtHome("alice", simnet.PortRestricted, relay), town.AtHome("bob", simnet.PortRestricted, relay), town.AtHome("carol", simnet.PortRestricted, relay)
		town.Pass(5 * time.Second)
		town.Befriend(alice, bob)
		if err := alice.Node().SetRoute(town.Context(), bob.ID(), node.RouteThrough); err != nil {
			t.Fatal(err)
		}
		i, err := alice.Node().Invite(town.Context(), false, 0)
		if err != nil {
			t.Fatal(err)
		}
		i.Hints = slices.DeleteFunc(i.Hints, func(h identity.Hint) bool { return !strings.Contains(h.Value, "/p2p-circuit") })
		if _, err := carol.Node().Add(town.Context(), i.String(), "", ""); err != nil {
			t.Fatal(err)
		}
		town.Eventually("alice is asked", func() bool {
			c, err := alice.Node().Contact(carol.ID())
			return err == nil && c.State == store.Request
		})
		town.Pass(time.Minute)
		carol.Sleep()
		carol.Disk(func(s *store.Store) error {
			d, err := s.Device(alice.DeviceID())
			for _, a := range d.Addrs {
				if !strings.Contains(a, "/p2p-circuit") {
					t.Errorf("carol knows alice at %s", a)
				}
			}
			return err
		})
		if p := pathTo(t, alice, carol); p == transport.Direct {
			t.Error("a stranger was met in the middle")
		}
	})
}

func TestAFriendsOwnRelayIsNotCalledByWhoHides(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		ours, _ := town.Relay()
		theirs, _ := town.Relay()
		alice, bob := town.AtHome("alice", simnet.PortRestricted, ours), town.AtHome("bob", simnet.PortRestricted, append(slices.Clone(ours), theirs...))
		town.Pass(5 * time.Second)
		town.Befriend(alice, bob)
		if err := alice.Node().SetRoute(town.Context(), bob.ID(), node.RouteRelay); err != nil {
			t.Fatal(err)
		}
		town.Eventually("the path is a relay's", func() bool { return alice.Sees(bob) && pathTo(t, alice, bob) == transport.Relay })
		c, err := alice.Node().Contact(bob.ID())
		if err != nil || !strings.Contains(ours[0], string(c.Path.Via)) {
			t.Errorf("alice reaches bob through %s: %v", c.Path.Via, err)
		}
	})
}

func pathTo(t *testing.T, from, to *nodetest.Person) transport.Kind {
	t.Helper()
	c, err := from.Node().Contact(to.ID())
	if err != nil {
		t.Fatal(err)
	}
	return c.Path.Kind
}
