package app_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// dweller is somebody's daemon in a home.
type dweller struct {
	l           *lab
	r           router
	name, space string
	profile     string
	daemon      *process
	c           *control.Client
}

// dwell lets somebody live behind a router, reachable through relays.
func (l *lab) dwell(r router, name string, relays []string) *dweller {
	l.t.Helper()
	var args []string
	for _, a := range relays {
		args = append(args, "--relay", a)
	}
	return l.settle(r, name, args...)
}

// settle is dwell with arguments of the test's choice.
func (l *lab) settle(r router, name string, more ...string) *dweller {
	l.t.Helper()
	d := &dweller{l: l, r: r, name: name, space: l.home(r), profile: filepath.Join(l.dir, name)}
	l.run(l.bin, "init", "--profile", d.profile, "--name", name, "--no-passphrase")
	args := []string{"daemon", "--json", "--audio", "tone", "--auto-answer", "--profile", d.profile}
	if r.opens == "" {
		args = append(args, "--no-lan", "--no-port-mapping")
	}
	if d.daemon = l.begin(d.space, append(args, more...)...); !d.daemon.next(&struct{}{}) {
		l.t.Fatalf("the daemon of %s does not start", name)
	}
	d.c = control.Dial(d.profile)
	l.t.Cleanup(d.c.Close)
	return d
}

// ready waits until the dweller is reachable through a relay.
func (d *dweller) ready() {
	d.l.t.Helper()
	d.l.until(d.name+" is reachable through the relay", 20*time.Second, func(ctx context.Context) bool {
		s, err := d.c.Status(ctx)
		return err == nil && strings.Contains(strings.Join(s.Addrs, " "), "p2p-circuit")
	})
}

func (d *dweller) path(ctx context.Context, o *dweller) string {
	c, err := d.c.Contact(ctx, o.name)
	if err != nil || c.State != control.Friend || c.Presence != control.Online {
		return "none"
	}
	kind, _, _ := strings.Cut(c.Path, ":")
	return kind
}

// meeting is what became of two people.
type meeting struct {
	a, b         router
	met, settled time.Duration // both friends and online; on the best path
	path         string        // in the end
	sound        time.Duration // from the answer to the first sound
	callPath     string        // after three seconds
}

func (m meeting) String() string {
	return fmt.Sprintf("%-26s %-26s %-7s %7d ms %7d ms   %-7s %7d ms", m.a.name, m.b.name, m.path,
		m.met.Milliseconds(), m.settled.Milliseconds(), m.callPath, m.sound.Milliseconds())
}

// theory says whether two routers let people meet directly, or nothing where
// both may happen. Linux's masquerade filters by address and port, so that
// symmetric ones are punched from open ones only. Where UDP is blocked TCP may
// be punched by calling at the same moment.
func theory(a, b router) string {
	switch {
	case a.six != b.six:
		return "relay"
	case a.nat != "" && !b.reached(), b.nat != "" && !a.reached():
		return "relay"
	case a.noUDP || b.noUDP:
		return ""
	}
	return "direct"
}

// reached says whether whoever is outside gets in unasked.
func (r router) reached() bool { return r.open || r.opens != "" && r.claims == "" }

// meet makes two people friends, lets them write and call.
func (l *lab) meet(a, b *dweller) (m meeting) {
	l.t.Helper()
	m = meeting{a: a.r, b: b.r}
	i, err := a.c.Invite(l.t.Context(), control.NewInvite{Once: true})
	if err != nil {
		l.t.Fatal(err)
	}
	began := time.Now()
	if _, err := b.c.Add(l.t.Context(), control.NewContact{Link: i.Link}); err != nil {
		l.t.Fatal(err)
	}
	l.until(a.name+" and "+b.name+" are friends", 20*time.Second, func(ctx context.Context) bool {
		return a.path(ctx, b) != "none" && b.path(ctx, a) != "none"
	})
	m.met = time.Since(began)
	want := theory(a.r, b.r)
	l.until(fmt.Sprintf("the path of %s and %s is %s", a.name, b.name, want), 15*time.Second, func(ctx context.Context) bool {
		got := a.path(ctx, b)
		return got == want || want == "" && got != "none"
	})
	m.settled = time.Since(began)
	if _, err := b.c.Send(l.t.Context(), a.name, control.NewMessage{Text: "through two routers", Wait: control.Delivered, Timeout: 10_000}); err != nil {
		l.t.Errorf("%s writes to %s: %v", b.name, a.name, err)
	}
	m.sound, m.callPath = l.call(a, b, 3*time.Second)
	m.path = a.path(l.t.Context(), b)
	if want != "" && (m.path != want || m.callPath != want) {
		l.t.Errorf("%s and %s write by %s and speak by %s, want %s", a.name, b.name, m.path, m.callPath, want)
	}
	return m
}

// heard is a line of “call --json”.
type heard struct {
	Type    string  `json:"type"`
	At      float64 `json:"at_ms"`
	Reason  string  `json:"reason"`
	Quality *struct {
		Path     string  `json:"path"`
		First    float64 `json:"first_audio_ms"`
		Received uint64  `json:"packets_received"`
		MadeUp   uint64  `json:"concealed_samples"`
	} `json:"quality"`
}

// call calls for some time, and says when sound came and how it travelled last.
func (l *lab) call(a, b *dweller, length time.Duration) (sound time.Duration, path string) {
	l.t.Helper()
	p := l.begin(a.space, "call", b.name, "--json", "--for", length.String(), "--profile", a.profile)
	path = "none"
	var x heard
	for p.next(&x) {
		if x.Quality == nil {
			continue
		}
		if x.Quality.Path != "none" {
			path = x.Quality.Path
		}
		if x.Type == "first_audio" {
			sound = time.Duration(x.Quality.First * float64(time.Millisecond))
		}
	}
	if sound == 0 {
		l.t.Errorf("%s and %s hear nothing of each other: %s", a.name, b.name, x.Reason)
	}
	return sound, path
}

// telling are the cells of the short form: punched, across families, by relay,
// by TCP.
var telling = map[[2]int]bool{{1, 1}: true, {1, 3}: true, {1, 4}: true, {2, 5}: true}

// TestNATLab prints the matrix. ENTRENOUS_NATLAB_SHORT keeps the telling cells.
func TestNATLab(t *testing.T) {
	l := newLab(t)
	relays, _ := l.relay(1)
	short := os.Getenv("ENTRENOUS_NATLAB_SHORT") != ""
	var cells [][2]int
	people := map[string]*dweller{}
	for i, a := range routers {
		for j, b := range routers[i:] {
			cell := [2]int{i, i + j}
			if short && !telling[cell] {
				continue
			}
			cells = append(cells, cell)
			for side, r := range []router{a, b} {
				if name := fmt.Sprintf("%c%d", 'a'+side, cell[side]); people[name] == nil {
					people[name] = l.dwell(r, name, relays)
				}
			}
		}
	}
	for _, d := range people {
		d.ready()
	}
	table := []string{fmt.Sprintf("%-26s %-26s %-7s %10s %10s   %-7s %10s", "one", "other", "chat", "met", "settled", "call", "sound")}
	for _, cell := range cells {
		m := l.meet(people[fmt.Sprintf("a%d", cell[0])], people[fmt.Sprintf("b%d", cell[1])])
		table = append(table, m.String())
		if m.met > 3*time.Second {
			t.Errorf("%s and %s met after %v", m.a.name, m.b.name, m.met)
		}
	}
	t.Log("\n" + strings.Join(table, "\n"))
}
