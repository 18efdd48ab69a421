//go:build !headless

package app_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
)

// castPassphrase opens the profiles of all actors.
const castPassphrase = "curtain"

// actor is somebody whose node runs inside the test, by a clock of its own.
type actor struct {
	t    testing.TB
	dir  string
	node *node.Node
	now  atomic.Int64 // on the clock, in milliseconds
	stop func()
}

// act gives an actor a profile and a running node.
func act(t testing.TB, name string, now time.Time) *actor {
	t.Helper()
	a := &actor{t: t, dir: filepath.Join(t.TempDir(), "profile")}
	a.at(now)
	u := identity.Unlock{Passphrase: []byte(castPassphrase), Cost: identity.CheapForTests()}
	_, _, err := node.Create(t.Context(), node.NewAccount{Dir: a.dir, Name: name, DeviceName: "Laptop", Seed: identity.NewSeed(), Unlock: u, Now: now})
	must(t, err)
	v, err := identity.OpenVault(a.dir, u)
	must(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	a.node, err = node.Open(ctx, node.Config{
		Dir: a.dir, Vault: v, Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1"}, NoLAN: true,
		Now: func() time.Time { return time.UnixMilli(a.now.Load()) },
	})
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- a.node.Run(ctx) }()
	a.stop = func() {
		cancel()
		must(t, <-done)
		must(t, a.node.Close())
		a.stop = func() {}
	}
	t.Cleanup(func() { a.stop() })
	return a
}

// at sets the clock.
func (a *actor) at(now time.Time) { a.now.Store(now.UnixMilli()) }

// befriends makes two actors friends.
func (a *actor) befriends(o *actor) {
	a.t.Helper()
	i, err := a.node.Invite(a.t.Context(), true, 0)
	must(a.t, err)
	_, err = o.node.Add(a.t.Context(), i.String(), "", "")
	must(a.t, err)
	within(a.t, screenPatience, "they are friends", func() bool {
		here, err := a.node.Contact(o.node.ID())
		there, bad := o.node.Contact(a.node.ID())
		return err == nil && bad == nil && here.Online && there.Online
	})
}

// says writes to another actor at a time, and waits until it is there.
func (a *actor) says(to *actor, at time.Time, text string, reply chat.Hash) chat.Hash {
	a.t.Helper()
	a.at(at)
	to.at(at)
	id, err := a.node.Send(a.t.Context(), to.node.ID(), text, reply, chat.Delivered)
	must(a.t, err)
	return id
}

// reads has an actor see a message.
func (a *actor) reads(from *actor, upTo chat.Hash) {
	a.t.Helper()
	must(a.t, a.node.MarkRead(a.t.Context(), from.node.ID(), upTo))
	within(a.t, screenPatience, "it is known to be seen", func() bool {
		row, _, err := from.node.Message(upTo)
		return err == nil && row.State == chat.Seen
	})
}

// takesSeat opens an actor's profile in a real window.
func (a *actor) takesSeat(name, shots string, env ...string) *seat {
	a.t.Helper()
	a.stop()
	s := sit(a.t, name, shots, env...)
	s.dir = a.dir
	s.api = control.Dial(a.dir)
	a.t.Cleanup(s.api.Close)
	return s
}
