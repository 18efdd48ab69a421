package nodetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// relaysOf are those that pass on for a person now.
func relaysOf(p *nodetest.Person) (out []transport.RelayState) {
	for _, r := range p.Node().Relays() {
		if r.Reserved {
			out = append(out, r)
		}
	}
	return out
}

// reachedBy says whether relays of that origin pass on for a person, and no others.
func reachedBy(p *nodetest.Person, from transport.Origin) bool {
	rs := relaysOf(p)
	for _, r := range rs {
		if r.Origin != from {
			return false
		}
	}
	return len(rs) > 0
}

// strangersBeside are two friends behind routers that cannot be punched, a table,
// and no relay of their own. They have met, and sleep.
func strangersBeside(town *nodetest.Town) (alice, bob *nodetest.Person, table *transport.DHT) {
	table = town.Strangers(6)
	alice, bob = town.JoinFar("alice"), town.JoinFar("bob")
	town.Befriend(alice, bob)
	town.Elsewhere(alice, simnet.Symmetric)
	town.Elsewhere(bob, simnet.Symmetric)
	alice.DHT, bob.DHT = table, table
	return alice, bob, table
}

func TestWhoHasNoRelayFindsOneThatAStrangerOffers(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		alice, bob, table := strangersBeside(town)
		town.PublicRelay(table)
		open, _ := town.OpenRelay(table, transport.Lend{Duration: time.Hour, Bytes: 1 << 28})
		town.Pass(30 * time.Second)
		alice.Wake()
		bob.Wake()
		woke := time.Now()
		town.Within(3*time.Second, "they see each other", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		t.Logf("met after %v", time.Since(woke))
		if !reachedBy(alice, transport.OriginOpen) || !reachedBy(bob, transport.OriginOpen) {
			t.Errorf("alice is reached by %+v, bob by %+v", relaysOf(alice), relaysOf(bob))
		}
		c, err := alice.Node().Contact(bob.ID())
		if err != nil || c.PathName() != "relay:"+open.Short() || c.Path.Small {
			t.Errorf("the path is %s, %+v: %v", c.PathName(), c.Path, err)
		}
		if f := found(town, alice, "relay:"+open.Short()); f.Code != "relay.stranger" || f.State != "good" {
			t.Errorf("the doctor says %+v", f)
		}
		id := alice.Call(bob)
		bob.Rings(alice)
		bob.Answer(id)
		alice.WantSound(id)
		alice.HangUp(id)
	})
}

func TestALinkLeadsThroughAStrangersRelayThoughItsOwnAddressesTakeLongToFail(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		table := town.Strangers(6)
		town.OpenRelay(table, transport.Lend{})
		alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
		for _, p := range []*nodetest.Person{alice, bob} {
			town.Elsewhere(p, simnet.Symmetric)
			p.DHT = table
		}
		town.Pass(30 * time.Second)
		alice.Wake()
		bob.Wake()
		i, err := alice.Node().Invite(town.Context(), true, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bob.Node().Add(town.Context(), i.String(), "", ""); err != nil {
			t.Fatal(err)
		}
		added := time.Now()
		town.Within(3*time.Second, "they are friends", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		t.Logf("friends after %v", time.Since(added))
	})
}

func TestWhereNobodyOffersARelayAPublicOneCarriesTextsAndNoCalls(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		alice, bob, table := strangersBeside(town)
		public, _ := town.PublicRelay(table)
		town.Pass(10 * time.Second)
		alice.Wake()
		bob.Wake()
		town.Within(time.Minute, "they see each other", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		if !reachedBy(alice, transport.OriginPublic) {
			t.Errorf("alice is reached by %+v", relaysOf(alice))
		}
		id := alice.Send(bob, "a few words")
		alice.WantState(id, chat.Delivered)
		c, err := alice.Node().Contact(bob.ID())
		if err != nil || c.PathName() != "relay:"+public.Short() || !c.Path.Small {
			t.Errorf("the path is %s, %+v: %v", c.PathName(), c.Path, err)
		}
		if f := found(town, alice, "relay:"+public.Short()); f.Code != "relay.small" || f.State != "warn" {
			t.Errorf("the doctor says %+v", f)
		}
		town.Pass(5 * time.Minute) // each circuit lasts two
		id = bob.Send(alice, "and a few more")
		bob.WantState(id, chat.Delivered)
	})
}

func TestAPublicRelayIsEnoughToMeetInTheMiddle(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		table := town.Strangers(6)
		alice, bob := town.JoinFar("alice"), town.JoinFar("bob")
		town.Befriend(alice, bob)
		town.Elsewhere(alice, simnet.PortRestricted)
		town.Elsewhere(bob, simnet.PortRestricted)
		alice.DHT, bob.DHT = table, table
		town.PublicRelay(table)
		town.Pass(10 * time.Second)
		alice.Wake()
		bob.Wake()
		town.Within(time.Minute, "they talk directly", func() bool {
			return alice.Sees(bob) && pathTo(t, alice, bob) == transport.Direct && pathTo(t, bob, alice) == transport.Direct
		})
	})
}

func TestStrangersAreAskedForNothingWhereFriendsOrNamedRelaysPassOn(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		table := town.Strangers(6)
		open, stop := town.OpenRelay(table, transport.Lend{})
		town.PublicRelay(table)
		named, die := town.Relay()
		carol := town.JoinFar("carol")
		if _, err := carol.Node().PutNetwork(town.Context(), node.Network{Lend: node.Lending{On: true}}); err != nil {
			t.Fatal(err)
		}
		carol.Sleep()
		carol.Wake()
		alice := town.AtHome("alice", simnet.Symmetric, nil)
		town.Befriend(carol, alice)
		alice.Sleep()
		alice.DHT, alice.Relays = table, named
		alice.Wake()
		town.Pass(time.Minute)
		rs := alice.Node().Relays()
		if len(rs) != 2 || rs[0].Origin != transport.OriginFriend || rs[1].Origin != transport.OriginNamed || !rs[0].Reserved || !rs[1].Reserved {
			t.Errorf("alice's relays are %+v", rs)
		}
		if f := found(town, alice, "relay:carol"); f.State != "good" {
			t.Errorf("the doctor says %+v", f)
		}
		die()
		carol.Sleep()
		town.Within(5*time.Minute, "a stranger takes their place", func() bool { return reachedBy(alice, transport.OriginOpen) })
		if r := relaysOf(alice); r[0].Peer != open {
			t.Errorf("alice is reached by %+v", r)
		}
		stop()
		town.Within(5*time.Minute, "a public relay takes their place", func() bool { return reachedBy(alice, transport.OriginPublic) })
		carol.Wake()
		town.Within(10*time.Minute, "carol passes on again, and no stranger", func() bool { return reachedBy(alice, transport.OriginFriend) })
	})
}

func TestNoStrangerIsAskedByWhoHidesOrTurnsFindingOffOrNeedsNobody(t *testing.T) {
	nodetest.RunFar(t, far(), func(town *nodetest.Town) {
		table := town.Strangers(4)
		town.OpenRelay(table, transport.Lend{})
		town.PublicRelay(table)
		town.Pass(20 * time.Second)
		carol := town.JoinFar("carol")
		people := map[string]*nodetest.Person{
			"hides": town.AtHome("hides", simnet.PortRestricted, nil), "off": town.AtHome("off", simnet.PortRestricted, nil),
			"no table": town.AtHome("no table", simnet.PortRestricted, nil), "alone": town.AtHome("alone", simnet.PortRestricted, nil), "public": town.JoinFar("public"),
		}
		for name, p := range people {
			if name != "alone" {
				town.Befriend(carol, p)
			}
			p.Sleep()
			if name != "no table" {
				p.DHT = table
			}
			p.Wake()
		}
		s := people["off"].Node().Settings()
		s.FindOnline = false
		if err := people["off"].Node().PutSettings(town.Context(), s); err != nil {
			t.Fatal(err)
		}
		if err := people["hides"].Node().SetRoute(town.Context(), carol.ID(), node.RouteRelay); err != nil {
			t.Fatal(err)
		}
		town.Pass(2 * time.Minute)
		for name, p := range people {
			if r := p.Node().Relays(); len(r) != 0 {
				t.Errorf("%s is reached by %+v", name, r)
			}
			for _, a := range p.Node().Addrs() {
				if strings.Contains(a, "p2p-circuit") {
					t.Errorf("%s names %s", name, a)
				}
			}
		}
	})
}
