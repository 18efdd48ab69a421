//go:build !headless

package app_test

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// bareProgram shows a Fyne window with nothing in it, or, when
// it is given an argument, with Fyne's list of 100,000 rows.
const bareProgram = `package main

import (
	"os"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/widget"
)

func main() {
	w := app.NewWithID("empty").NewWindow("Empty")
	w.SetContent(widget.NewLabel("nothing"))
	if len(os.Args) > 1 {
		w.SetContent(widget.NewList(func() int { return 100000 },
			func() fyne.CanvasObject { return widget.NewLabel("") },
			func(i widget.ListItemID, o fyne.CanvasObject) {
				o.(*widget.Label).SetText(strconv.Itoa(i) + ". A word about tea, 你好 😀 مرحبا")
			}))
	}
	w.Resize(fyne.NewSize(1200, 780))
	w.ShowAndRun()
}
`

// TestWindowFigures measures a real window under a virtual display and prints
// what it finds beside the targets.
func TestWindowFigures(t *testing.T) {
	if os.Getenv(benchEnv) == "" {
		t.Skip("measures for minutes: make bench, or ENTRENOUS_BENCH=./entrenous")
	}
	t.Setenv(smokeEnv, os.Getenv(benchEnv))
	needsWindows(t)
	bare := filepath.Join(t.TempDir(), "bare")
	if os.Getenv("ENTRENOUS_BARE") == "" {
		source := filepath.Join(t.TempDir(), "main.go")
		must(t, os.WriteFile(source, []byte(bareProgram), 0o600))
		out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", buildTags(), "-o", bare, source).CombinedOutput()
		if err != nil {
			t.Fatalf("build an empty window: %v\n%s", err, out)
		}
		t.Setenv("ENTRENOUS_BARE", bare)
	}
	inOwnNetwork(t, measureWindows)
}

const (
	longHistory = 100_000
	idleFor     = 30 * time.Second
)

func measureWindows(t *testing.T) {
	s, friend := readerOfALongHistory(t)
	bare := startBare(t)
	bareCPU, bareRSS := idleCost(t, bare.pid)
	bare.end()
	list := startBare(t, "list")
	listSteps := list.scrolling("5")
	list.end()

	s.open()
	_, err := s.api.Unlock(t.Context(), castPassphrase)
	must(t, err)
	content := s.contentOf(friend)
	var starts []time.Duration
	for range 5 {
		s.win.end(syscall.SIGKILL)
		starts = append(starts, s.timeTo(content))
	}
	slices.Sort(starts)
	cpu, rss := idleCost(t, s.win.cmd.Process.Pid)
	steps := s.scrolling("4")
	s.win.end(syscall.SIGKILL)
	trayCPU, trayRSS := idleCost(t, s.node())
	printFigures(os.Stdout, []figure{
		{"window: start → content with a 100,000-message history", "≤ 700 ms", "qTox 1,690 ms, Jami 1,760 ms; an empty Fyne window " + bare.took, fmt.Sprintf("%.0f ms, worst of 5 %.0f ms", ms(starts[2]), ms(starts[4]))},
		{"window: idle CPU, with the keyboard in the composer", fmt.Sprintf("≤ %.2f %%", bareCPU+0.2), fmt.Sprintf("qTox 0.99 %%, Jami 0.33 %%; an empty Fyne window %.2f %%", bareCPU), fmt.Sprintf("%.2f %%", cpu)},
		{"window: resident memory (window alone)", "≤ 190 MiB", fmt.Sprintf("qTox 164 MiB, Jami 293 MiB; an empty Fyne window %d MiB", bareRSS), fmt.Sprintf("%d MiB", rss)},
		{"window closed to the tray: everything that runs", "≤ 0.1 %, ≤ 70 MiB", "", fmt.Sprintf("%.3f %%, %d MiB", trayCPU, trayRSS)},
		{"scroll", "60 steps/s", fmt.Sprintf("Fyne list of 100,000: 60 steps/s, here and now %.0f", listSteps), fmt.Sprintf("%.0f steps/s", steps)},
	})
}

// readerOfALongHistory is somebody before a screen who has a long history with
// one friend.
func readerOfALongHistory(t *testing.T) (s *seat, friend string) {
	t.Helper()
	past := time.Now().Add(-longHistory * time.Minute)
	ana, bo := act(t, "Ana", past), act(t, "Bo", past)
	ana.befriends(bo)
	ana.says(bo, past, "Here we begin", chat.Hash{})
	who, device := bo.node.ID(), ana.node.Device()
	self := ana.node.ID()
	s = ana.takesSeat("Ana", t.TempDir(), "FYNE_THEME=light")
	bo.stop()
	fillHistory(t, ana.dir, self, who, device, past)
	return s, who.String()
}

// fillHistory appends messages to the store of a node that does not run.
func fillHistory(t *testing.T, dir string, self, friend identity.ID, device identity.DeviceID, past time.Time) {
	t.Helper()
	v, err := identity.OpenVault(dir, identity.Unlock{Passphrase: []byte(castPassphrase), Cost: identity.CheapForTests()})
	must(t, err)
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "history"), Key: v.Key("db"), Self: self})
	must(t, err)
	conv := chat.Direct(self, friend)
	subjects := []string{"the boat", "tea", "the weather", "that train", "the garden", "Sunday"}
	for from := 0; from < longHistory; from += 1000 {
		must(t, db.Write(t.Context(), func(tx *store.Tx) error {
			k, err := tx.ConvKey(conv, device)
			if err != nil {
				return err
			}
			for i := from; i < from+1000; i++ {
				e, err := tx.Next(conv, device)
				if err != nil {
					return err
				}
				e.Time, e.Kind = past.Add(time.Duration(i)*time.Minute).UnixMilli(), chat.KindText
				e.Body = chat.TextBody{Text: fmt.Sprintf("%d. A word about %s, and one about %s", i, subjects[i%6], subjects[i/7%6])}.Encode()
				e.Sign(slices.Concat(k.Priv, k.Pub[:]))
				if _, err := tx.Append(e, self); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	must(t, db.Close())
}

// bareWindow is a window of bareProgram.
type bareWindow struct {
	*screen
	pid  int
	took string // until it showed
	end  func()
}

func startBare(t *testing.T, args ...string) bareWindow {
	t.Helper()
	s := newScreen(t)
	blank := s.print()
	cmd := exec.Command(os.Getenv("ENTRENOUS_BARE"), args...) //nolint:noctx // ended by start's cleanup
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display, "LIBGL_ALWAYS_SOFTWARE=1", "FYNE_THEME=light", "HOME="+t.TempDir())
	begin := time.Now()
	r := start(t, cmd)
	within(t, screenPatience, "an empty window shows", func() bool { return s.print() != blank })
	took := time.Since(begin)
	s.windowOf(r)
	return bareWindow{s, cmd.Process.Pid, fmt.Sprintf("%.0f ms", ms(took)), func() { r.end(syscall.SIGKILL) }}
}

// idleCost is the share of a core, in percent, and the resident MiB of a
// process that nobody uses.
func idleCost(t *testing.T, pid int) (cpu float64, rss int64) {
	t.Helper()
	<-time.After(3 * time.Second) // what it does at its start is no idling
	before := cpuOfProcess(t, pid)
	<-time.After(idleFor)
	used := cpuOfProcess(t, pid) - before
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	must(t, err)
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	must(t, err)
	return 100 * used.Seconds() / idleFor.Seconds(), pages * int64(os.Getpagesize()) >> 20
}

// print is a fingerprint of what stands there once there is content: the friend
// in the roster, and the newest messages.
func (s *screen) print() uint64 { return s.part(0, 110, 1180, 690) }

// part is a fingerprint of every eighth line of a part of the screen. It reads
// little and leaves no garbage: who looks takes no processor time from what is
// looked at.
func (s *screen) part(left, top, right, bottom int) uint64 {
	f, err := os.Open(s.frames)
	must(s.t, err)
	defer f.Close()
	var head [100]byte
	_, err = f.ReadAt(head[:], 0)
	must(s.t, err)
	field := func(i int) int64 { return int64(binary.BigEndian.Uint32(head[4*i:])) }
	pixels, line := field(0)+12*field(19), field(12)
	b := make([]byte, 4*(right-left))
	var h maphash.Hash
	h.SetSeed(printSeed)
	for y := top; y < bottom; y += 8 {
		_, err := f.ReadAt(b, pixels+line*int64(y)+4*int64(left))
		must(s.t, err)
		_, _ = h.Write(b)
	}
	return h.Sum64()
}

var printSeed = maphash.MakeSeed()

// contentOf waits until the friend is in the roster, and gives its print.
func (s *seat) contentOf(friend string) uint64 {
	s.t.Helper()
	s.sees("the friend", func() bool {
		c, err := s.api.Contact(s.t.Context(), friend)
		return err == nil && c.State == control.Friend
	})
	s.settled()
	return s.print()
}

// timeTo starts the window and waits until it shows its content.
func (s *seat) timeTo(content uint64) time.Duration {
	s.t.Helper()
	within(s.t, screenPatience, "the screen is empty again", func() bool { return s.print() != content })
	begin := time.Now()
	s.win = start(s.t, s.command())
	within(s.t, screenPatience, "the content shows", func() bool { return s.print() == content })
	took := time.Since(begin)
	s.id = s.windowOf(s.win)
	s.settled()
	return took
}

// scrolling turns the wheel over what is scrolled, up (4) or down (5): how many
// different pictures come in a second.
func (s *screen) scrolling(wheel string) float64 {
	s.t.Helper()
	s.do("mousemove", "700", "400")
	s.settled()
	const turning = 4 * time.Second
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = s.try("click", "--repeat", strconv.Itoa(int(turning/(8*time.Millisecond))), "--delay", "8", wheel)
	}()
	pictures, last := 0, uint64(0)
	look := time.NewTicker(3 * time.Millisecond)
	defer look.Stop()
	begin := time.Now()
	for time.Since(begin) < turning {
		<-look.C
		if now := s.part(1000, 70, 1180, 700); now != last {
			last = now
			pictures++
		}
	}
	took := time.Since(begin)
	<-done
	return float64(pictures) / took.Seconds()
}
