package app_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// scene is what happens to a network in the middle of a call.
type scene struct {
	name   string
	a, b   router
	relays int
	happen func(l *lab, a *dweller, relays []*process)
	gap    time.Duration // the longest silence allowed
	chat   time.Duration // the longest that a message may take
}

// back is how soon friends who move write again.
const back = 2 * time.Second

func home(d *dweller) string { return strings.TrimPrefix(d.space, "h") }

var scenes = []scene{
	{"the cable is out for a second", router{name: "port-restricted"}, router{name: "port-restricted"}, 1, func(l *lab, a *dweller, _ []*process) {
		l.ip("-n", l.ns(a.space), "link", "set", "eth0", "down")
		l.pass(time.Second)
		l.ip("-n", l.ns(a.space), "link", "set", "eth0", "up")
		l.ip("-n", l.ns(a.space), "route", "add", "default", "via", "10."+home(a)+".0.1")
	}, 3 * time.Second, back},
	{"another address", router{name: "port-restricted"}, router{name: "port-restricted"}, 1, func(l *lab, a *dweller, _ []*process) {
		net := "10." + home(a) + ".0."
		l.ip("-n", l.ns(a.space), "addr", "add", net+"3/24", "dev", "eth0")
		l.ip("-n", l.ns(a.space), "addr", "del", net+"2/24", "dev", "eth0")
		l.ip("-n", l.ns(a.space), "addr", "replace", net+"3/24", "dev", "eth0")
		l.ip("-n", l.ns(a.space), "route", "replace", "default", "via", net+"1")
	}, time.Second, back},
	{"another router", router{name: "port-restricted"}, router{name: "port-restricted"}, 1, func(l *lab, a *dweller, _ []*process) {
		l.uplink(a)
		l.wayOut(a, "10.200.0.1")
	}, 3 * time.Second, back},
	{"another way out, addresses as before", router{name: "port-restricted"}, router{name: "port-restricted"}, 1, func(l *lab, a *dweller, _ []*process) {
		l.uplink(a)
		l.pass(4 * time.Second)
		l.wayOut(a, "10.200.0.1")
	}, 3 * time.Second, back},
	{"a VPN comes", router{name: "port-restricted"}, router{name: "port-restricted"}, 1, func(l *lab, a *dweller, _ []*process) {
		l.vpn(a)
	}, 3 * time.Second, back},
	{"a VPN comes and goes", router{name: "port-restricted"}, router{name: "port-restricted"}, 1, func(l *lab, a *dweller, _ []*process) {
		l.vpn(a)
		l.pass(5 * time.Second)
		l.ip("-n", l.ns(a.space), "link", "del", "eth1")
	}, 3 * time.Second, back},
	{"the relay is killed, there is another", router{name: "symmetric", nat: "fully-random"}, router{name: "symmetric", nat: "fully-random"}, 2, func(l *lab, _ *dweller, relays []*process) {
		if err := relays[0].cmd.Process.Kill(); err != nil {
			l.t.Error(err)
		}
	}, 3 * time.Second, 3 * time.Second}, // which nobody tells of
}

// uplink joins somebody to a second router, which has an address of its own.
func (l *lab) uplink(a *dweller) {
	l.t.Helper()
	gate := "r" + strings.TrimPrefix(l.home(router{name: "port-restricted"}), "h")
	l.wire(gate, "lan2", a.space, "eth1")
	l.ip("-n", l.ns(gate), "addr", "add", "10.200.0.1/24", "dev", "lan2")
	l.ip("-n", l.ns(a.space), "addr", "add", "10.200.0.2/24", "dev", "eth1")
}

// wayOut makes what somebody sends far away leave through another gateway.
func (l *lab) wayOut(a *dweller, gate string) {
	l.t.Helper()
	l.ip("-n", l.ns(a.space), "route", "replace", "default", "via", gate)
}

// vpn takes what somebody sends far away through a second router, as a VPN does:
// by two routes that hide the default one, which stays.
func (l *lab) vpn(a *dweller) {
	l.t.Helper()
	l.uplink(a)
	for _, half := range []string{"0.0.0.0/1", "128.0.0.0/1"} {
		l.ip("-n", l.ns(a.space), "route", "add", half, "via", "10.200.0.1")
	}
}

// TestNATLabSleep stops a daemon for half a minute, as sleep does, and says how
// long after waking messages come and go.
func TestNATLabSleep(t *testing.T) {
	for _, r := range []router{{name: "port-restricted"}, {name: "symmetric", nat: "fully-random"}} {
		t.Run(r.name, func(t *testing.T) {
			l := newLab(t)
			relays, _ := l.relay(1)
			a, b := l.dwell(r, "ana", relays), l.dwell(r, "bo", relays)
			a.ready()
			b.ready()
			l.befriend(a, b)
			pid := a.daemon.cmd.Process.Pid // “ip netns exec” becomes what it runs
			for _, say := range []struct {
				name     string
				from, to *dweller
			}{{"to a friend", a, b}, {"from a friend", b, a}} {
				must(t, syscall.Kill(pid, syscall.SIGSTOP))
				l.pass(30 * time.Second)
				must(t, syscall.Kill(pid, syscall.SIGCONT))
				woke := time.Now()
				_, err := say.from.c.Send(t.Context(), say.to.name, control.NewMessage{Text: "awake", Wait: control.Delivered, Timeout: 20_000})
				took := time.Since(woke)
				t.Logf("%s: %s, a message %s after %v", r.name, theory(r, r), say.name, took.Round(time.Millisecond))
				if err != nil || took > 2*time.Second {
					t.Errorf("after waking a message %s took %v, %v", say.name, took, err)
				}
			}
		})
	}
}

// TestNATLabChanges prints how long nobody was heard, and how long a message
// took, when the network changed in the middle of a call.
func TestNATLabChanges(t *testing.T) {
	var mu sync.Mutex
	table := []string{fmt.Sprintf("%-40s %14s %14s %14s", "what happens", "silence here", "silence there", "next message")}
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			l := newLab(t)
			var relays []string
			var running []*process
			for i := range s.relays {
				addrs, p := l.relay(i + 1)
				relays, running = append(relays, addrs...), append(running, p)
			}
			a, b := l.dwell(s.a, "ana", relays), l.dwell(s.b, "bo", relays)
			a.ready()
			b.ready()
			l.befriend(a, b)
			here, there, chat := l.during(a, b, func() { s.happen(l, a, running) })
			mu.Lock()
			defer mu.Unlock()
			table = append(table, fmt.Sprintf("%-40s %11d ms %11d ms %11d ms", s.name, here.Milliseconds(), there.Milliseconds(), chat.Milliseconds()))
			if max(here, there) > s.gap {
				t.Errorf("silence of %v and %v, want %v at most", here, there, s.gap)
			}
			if chat > s.chat {
				t.Errorf("the next message took %v, want %v at most", chat, s.chat)
			}
		})
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

func (l *lab) befriend(a, b *dweller) {
	l.t.Helper()
	i, err := a.c.Invite(l.t.Context(), control.NewInvite{Once: true})
	if err == nil {
		_, err = b.c.Add(l.t.Context(), control.NewContact{Link: i.Link})
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.until("they are on their best path", 20*time.Second, func(ctx context.Context) bool {
		return a.path(ctx, b) == theory(a.r, b.r) && b.path(ctx, a) != "none"
	})
}

// during calls, lets something happen, and gives the longest silence on both
// sides and how long a message took that was written then.
func (l *lab) during(a, b *dweller, happen func()) (here, there, chat time.Duration) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	defer cancel()
	x, err := a.c.Call(ctx, b.name)
	if err != nil {
		l.t.Fatal(err)
	}
	if !l.until("they hear each other", 20*time.Second, func(ctx context.Context) bool { return a.hears(ctx) > 100 && b.hears(ctx) > 100 }) {
		for _, d := range []*dweller{a, b} {
			now, err := d.c.CallNow(ctx, x.ID)
			l.t.Errorf("%s: %+v %v", d.name, now, err)
		}
	}
	l.pass(2 * time.Second)
	var work sync.WaitGroup
	listening, stop := context.WithCancel(ctx)
	work.Go(func() { here = a.silence(listening) })
	work.Go(func() { there = b.silence(listening) })
	l.pass(500 * time.Millisecond)
	happen()
	began := time.Now()
	work.Go(func() {
		_, err := a.c.Send(ctx, b.name, control.NewMessage{Text: "still there?", Wait: control.Delivered, Timeout: 25_000})
		if err != nil {
			l.t.Errorf("the next message: %v", err)
		}
		chat = time.Since(began)
	})
	l.pass(10 * time.Second)
	stop()
	work.Wait()
	_, _ = a.c.HangUp(ctx, x.ID)
	return here, there, chat
}

// hears gives how many packets of sound have come in the call there is.
func (d *dweller) hears(ctx context.Context) uint64 {
	x, err := d.c.CallNow(ctx, control.CurrentCall)
	if err != nil || x.Quality == nil {
		return 0
	}
	return x.Quality.Received
}

// silence listens until ctx ends, and gives the longest time without a packet.
func (d *dweller) silence(ctx context.Context) (longest time.Duration) {
	heard, last := uint64(0), time.Now()
	for ctx.Err() == nil {
		if n := d.hears(ctx); n != heard && ctx.Err() == nil {
			heard, last = n, time.Now()
		}
		longest = max(longest, time.Since(last))
		d.l.pass(10 * time.Millisecond)
	}
	return longest
}

// ending is what becomes of somebody in the middle of a call.
type ending struct {
	name string
	a, b router
}

var endings = []ending{
	{"through a relay, by UDP", router{name: "symmetric", nat: "fully-random"}, router{name: "symmetric", nat: "fully-random"}},
	{"through a relay, by TCP", router{name: "symmetric", nat: "fully-random"}, router{name: "UDP blocked", noUDP: true}},
	{"directly", router{name: "port-restricted"}, router{name: "port-restricted"}},
}

// TestNATLabEndings cuts somebody off for ten seconds in the middle of a call,
// which has to go on, and then kills them, which has to end it.
func TestNATLabEndings(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			l := newLab(t)
			relays, _ := l.relay(1)
			a, b := l.dwell(e.a, "ana", relays), l.dwell(e.b, "bo", relays)
			a.ready()
			b.ready()
			l.befriend(a, b)
			x, err := a.c.Call(t.Context(), b.name)
			if err != nil {
				t.Fatal(err)
			}
			l.until("they hear each other", 20*time.Second, func(ctx context.Context) bool { return a.hears(ctx) > 100 && b.hears(ctx) > 100 })
			gate := "r" + home(b)
			l.ip("-n", l.ns(gate), "link", "set", "wan", "down")
			l.pass(10 * time.Second)
			l.ip("-n", l.ns(gate), "link", "set", "wan", "up")
			mended, before := time.Now(), a.hears(t.Context())
			l.until("the same call goes on", 15*time.Second, func(ctx context.Context) bool {
				now, err := a.c.CallNow(ctx, x.ID)
				return err == nil && now.State == "active" && a.hears(ctx) > before+50
			})
			back := time.Since(mended)
			if err := b.daemon.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			killed := time.Now()
			var reason string
			l.until("the call has ended", 5*time.Second, func(ctx context.Context) bool {
				now, err := a.c.CallNow(ctx, x.ID)
				if err == nil {
					reason = now.Reason
				}
				return err == nil && now.State == "ended"
			})
			if reason != "lost" {
				t.Errorf("the call ended because %q", reason)
			}
			t.Logf("%s: cut off for 10 s, heard again after %v; killed, ended after %v", e.name, back.Round(time.Millisecond), time.Since(killed).Round(time.Millisecond))
		})
	}
}
