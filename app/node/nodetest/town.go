// Package nodetest is a town of people on a virtual internet in virtual time:
// real nodes with real databases, on a network that can be cut, slowed and
// waited on without waiting. Tests only.
package nodetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// Town is a virtual internet and the people on it.
type Town struct {
	t     testing.TB
	world *simnet.World
	lan   *simnet.LAN
}

// Run runs a story in a bubble of virtual time. Everybody is asleep when it ends.
func Run(t *testing.T, story func(*Town)) {
	t.Helper()
	bubble(t, func(t *testing.T) {
		t.Helper()
		w := simnet.New(t, simnet.Config{})
		story(&Town{t: t, world: w, lan: w.LAN(simnet.Public)})
	})
}

// Person is somebody in the town, on one device.
type Person struct {
	town   *Town
	t      testing.TB
	Name   string
	Dir    string
	Host   *simnet.Host
	Home   *simnet.LAN      // behind the router of a person AtHome
	Now    func() time.Time // the clock on this person's wall
	Relays []string         // where this person is reachable through; used at the next Wake
	DHT    *transport.DHT   // the table by which this person finds others; used at the next Wake
	Phone  Phone            // how this person calls
	seed   identity.Seed
	id     identity.ID // follows from the seed; stories ask for it all the time
	vault  *identity.Vault
	node   *node.Node
	stop   func() error
}

// Join brings a new person with one device into the town, awake, on a machine
// that everybody can reach.
func (tn *Town) Join(name string) *Person {
	tn.t.Helper()
	return tn.JoinAt(name, tn.lan)
}

// JoinAt is Join on a network of the test's choice, reachable through relays
// where some are named.
func (tn *Town) JoinAt(name string, lan *simnet.LAN, relays ...string) *Person {
	tn.t.Helper()
	p := &Person{
		town: tn, t: tn.t, Name: name, Dir: filepath.Join(tn.t.TempDir(), "profile"), Host: lan.Host(),
		seed: identity.NewSeed(), Now: time.Now, Relays: relays,
	}
	p.create(false)
	p.Wake()
	tn.t.Cleanup(p.Sleep)
	return p
}

func (p *Person) create(restored bool) {
	p.t.Helper()
	p.id = identity.FromSeed(p.seed).ID()
	u := identity.Unlock{Passphrase: []byte("a passphrase of " + p.Name), Cost: identity.CheapForTests()}
	_, _, err := node.Create(p.t.Context(), node.NewAccount{
		Dir: p.Dir, Name: p.Name, DeviceName: p.Name + "'s machine", Seed: p.seed, Restored: restored, Unlock: u, Now: time.Now(),
	})
	p.must(err)
	p.vault, err = identity.OpenVault(p.Dir, u)
	p.must(err)
}

// Wake starts the person's node.
func (p *Person) Wake() {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n, err := node.Open(ctx, node.Config{
		Dir: p.Dir, Vault: p.vault, Log: logger(p.Name), Relays: p.Relays, DHT: p.DHT,
		World: p.Host.World(),
		Now:   func() time.Time { return p.Now() },
		Sound: p.Phone.sound(), AutoAnswer: p.Phone.Auto,
	})
	p.must(err)
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	p.node = n
	p.stop = func() error {
		cancel()
		return errors.Join(<-done, n.Close())
	}
}

// logger writes a person's log where ENTRENOUS_TOWN_LOG asks for it.
func logger(name string) *slog.Logger {
	if os.Getenv("ENTRENOUS_TOWN_LOG") == "" {
		return nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("who", name)
}

// Sleep ends the person's node in good order. Asleep already is fine.
func (p *Person) Sleep() {
	if p.stop != nil {
		p.must(p.stop())
		p.stop, p.node = nil, nil
	}
}

// Vanish cuts the person's cable before the node ends: to others it looks like
// a machine that lost its power.
func (p *Person) Vanish() {
	p.Host.Cut()
	p.Sleep()
}

// Kill ends the person's node as kill -9 does: nobody is told, but the machine
// goes on and says to whoever asks that nothing listens there.
func (p *Person) Kill() {
	p.Host.Kill()
	p.town.Pass(100 * time.Millisecond) // libp2p does not bear to be closed while it dials anew
	_ = p.stop()                        // what goes wrong without a network is of no interest
	p.stop, p.node = nil, nil
	p.Host.Revive()
}

// Node is the person's running node.
func (p *Person) Node() *node.Node { return p.node }

// ID is the person.
func (p *Person) ID() identity.ID { return p.id }

// Context ends with the story. A story must not use the context of the test
// around it, which is outside the bubble.
func (tn *Town) Context() context.Context { return tn.t.Context() }

// Settle lets the town go quiet without time passing.
func (tn *Town) Settle() { synctest.Wait() }

// Pass lets time pass.
func (tn *Town) Pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Befriend makes two people friends by a one-time invite.
func (tn *Town) Befriend(a, b *Person) {
	tn.t.Helper()
	i, err := a.node.Invite(tn.t.Context(), true, 0)
	a.must(err)
	_, err = b.node.Add(tn.t.Context(), i.String(), "", "")
	b.must(err)
	tn.Eventually(fmt.Sprintf("%s and %s are friends and online", a.Name, b.Name), func() bool {
		return a.sees(b) && b.sees(a)
	})
}

func (p *Person) sees(o *Person) bool {
	c, err := p.node.Contact(o.ID())
	return err == nil && c.State == store.Friend && c.Online
}

// Sees says whether o is shown online to p.
func (p *Person) Sees(o *Person) bool { return p.sees(o) }

// Eventually waits until what is said holds, for a virtual minute.
func (tn *Town) Eventually(what string, holds func() bool) {
	tn.t.Helper()
	tn.Within(time.Minute, what, holds)
}

// Within waits until what is said holds, for some virtual time. It looks
// seldom where it waits long: a hundredth of the time passed is its precision.
func (tn *Town) Within(limit time.Duration, what string, holds func() bool) {
	tn.t.Helper()
	for began := time.Now(); ; tn.Pass(max(5*time.Millisecond, time.Since(began)/100)) {
		if holds() {
			return
		}
		if time.Since(began) > limit {
			tn.t.Fatalf("after %v it is not so that %s", limit, what)
		}
	}
}

// Send writes a message and gives its id.
func (p *Person) Send(to *Person, text string) chat.Hash {
	p.t.Helper()
	id, err := p.node.Send(p.t.Context(), to.ID(), text, chat.Hash{}, chat.Written)
	p.must(err)
	return id
}

// Rows are the last rows of the conversation with somebody.
func (p *Person) Rows(with *Person) []store.RowView {
	p.t.Helper()
	page, err := p.node.Page(with.ID(), store.Query{Limit: store.MaxPage})
	p.must(err)
	return page.Rows
}

// Texts are the texts of the last rows, oldest first.
func (p *Person) Texts(with *Person) []string {
	p.t.Helper()
	var out []string
	for _, r := range p.Rows(with) {
		out = append(out, r.Text)
	}
	return out
}

// WantRow waits until a text of somebody is in one of p's conversations.
func (p *Person) WantRow(from *Person, text string) {
	p.t.Helper()
	p.town.Eventually(fmt.Sprintf("%s reads %q from %s", p.Name, text, from.Name), func() bool {
		people, err := p.node.Contacts()
		p.must(err)
		for _, c := range people {
			page, err := p.node.Page(c.ID, store.Query{Limit: store.MaxPage})
			p.must(err)
			for _, r := range page.Rows {
				if r.Text == text && r.Author == from.ID() {
					return true
				}
			}
		}
		return false
	})
}

// WantState waits until a message of ours has come as far as s.
func (p *Person) WantState(id chat.Hash, s chat.State) {
	p.t.Helper()
	p.town.Eventually(fmt.Sprintf("%s's message is %v", p.Name, s), func() bool {
		row, _, err := p.node.Message(id)
		return err == nil && row.State >= s
	})
}

func (p *Person) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", p.Name, err)
	}
}
