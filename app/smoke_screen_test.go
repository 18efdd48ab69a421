//go:build !headless

package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	screenWide, screenHigh = 1200, 780
	// screenPatience is how long a window may take to show something on a
	// busy machine.
	screenPatience = 30 * time.Second
)

// What the left edge of the window looks like when nothing lies over it.
var (
	sideLight = color.RGBA{0xf3, 0xf1, 0xed, 0xff}
	backLight = color.RGBA{0xfb, 0xfa, 0xf8, 0xff}
	sideDark  = color.RGBA{0x1e, 0x1c, 0x1b, 0xff}
	backDark  = color.RGBA{0x17, 0x16, 0x15, 0xff}
)

// dangerLight is what one is told in that something is wrong.
var dangerLight = color.RGBA{0xb9, 0x3c, 0x2a, 0xff}

// screen is a virtual display with a keyboard and a mouse of its own.
type screen struct {
	t       testing.TB
	display string
	frames  string // the file in which the X server keeps the pixels
	server  *running
}

// newScreen starts a display that lives as long as the test.
func newScreen(t testing.TB) *screen {
	t.Helper()
	dir := t.TempDir()
	r, w, err := os.Pipe()
	must(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "Xvfb", "-displayfd", "3", "-nolisten", "tcp", "-noreset",
		"-fbdir", dir, "-screen", "0", fmt.Sprintf("%dx%dx24", screenWide, screenHigh))
	cmd.ExtraFiles = []*os.File{w}
	server := start(t, cmd)
	must(t, w.Close())
	must(t, r.SetReadDeadline(time.Now().Add(screenPatience)))
	number, err := bufio.NewReader(r).ReadString('\n') // all of it: the server does not forgive a closed pipe
	must(t, err)
	must(t, r.Close())
	s := &screen{t: t, display: ":" + strings.TrimSpace(number), frames: filepath.Join(dir, "Xvfb_screen0"), server: server}
	within(t, screenPatience, "the display has pixels", func() bool {
		select {
		case <-server.done:
			t.Fatalf("the display ended: %s", server.err)
		default:
		}
		f, err := os.Stat(s.frames)
		return err == nil && f.Size() > 4*screenWide*screenHigh
	})
	within(t, screenPatience, "the display takes the mouse", func() bool {
		_, err := s.try("mousemove", strconv.Itoa(screenWide-1), strconv.Itoa(screenHigh-1))
		return err == nil
	})
	return s
}

// do runs xdotool on this display and gives what it printed.
func (s *screen) do(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("xdotool %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (s *screen) try(args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), "xdotool", args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	out, err := cmd.Output()
	if bad := (*exec.ExitError)(nil); errors.As(err, &bad) {
		err = fmt.Errorf("%w: %s", err, bad.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// press strikes keys, one after the other; "ctrl+k" is a chord.
func (s *screen) press(keys ...string) {
	s.t.Helper()
	s.do(append([]string{"key", "--delay", "30"}, keys...)...)
}

// write types a text.
func (s *screen) write(text string) {
	s.t.Helper()
	s.do("type", "--delay", "12", "--", text)
}

// picture is what the display shows.
func (s *screen) picture() *image.RGBA {
	s.t.Helper()
	b, err := os.ReadFile(s.frames) // X Window Dump, version 7
	if err != nil {
		s.t.Fatalf("the display is gone: %v\n%s", err, s.server.err)
	}
	field := func(i int) int { return int(binary.BigEndian.Uint32(b[4*i:])) }
	wide, high, line := field(4), field(5), field(12)
	b = b[field(0)+12*field(19):]
	img := image.NewRGBA(image.Rect(0, 0, wide, high))
	for y := range high {
		from, to := b[y*line:], img.Pix[y*img.Stride:]
		for x := 0; x < 4*wide; x += 4 {
			to[x], to[x+1], to[x+2], to[x+3] = from[x+2], from[x+1], from[x], 0xff
		}
	}
	return img
}

// shows says whether a colour is anywhere to be seen.
func (s *screen) shows(c color.RGBA) bool {
	s.t.Helper()
	img := s.picture()
	for at := 0; at < len(img.Pix); at += 4 {
		if [4]byte(img.Pix[at:]) == [4]byte{c.R, c.G, c.B, c.A} {
			return true
		}
	}
	return false
}

func same(a, b *image.RGBA) bool { return bytes.Equal(a.Pix, b.Pix) }

// settled waits until the picture stays as it is for a moment.
func (s *screen) settled() *image.RGBA {
	s.t.Helper()
	last := s.picture()
	since := time.Now()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(screenPatience); time.Now().Before(end); <-look.C {
		now := s.picture()
		if !same(last, now) {
			last, since = now, time.Now()
		}
		if time.Since(since) > 300*time.Millisecond {
			return now
		}
	}
	s.t.Fatal("the window does not come to rest")
	return nil
}

// after waits until the picture is another one than it was, and has settled.
func (s *screen) after(what string, do func()) *image.RGBA {
	s.t.Helper()
	was := s.settled()
	do()
	within(s.t, screenPatience, what+" shows", func() bool { return !same(was, s.picture()) })
	return s.settled()
}

// covered waits until a card lies over the page, or none.
func (s *screen) covered(yes bool) {
	s.t.Helper()
	within(s.t, screenPatience, fmt.Sprintf("a card lies over the page: %v", yes), func() bool {
		at := s.picture().RGBAAt(2, screenHigh/2)
		bare := slices.Contains([]color.RGBA{sideLight, sideDark, backLight, backDark}, at)
		return bare != yes
	})
	s.settled()
}

// windowOf waits for the window of a process and gives it the keyboard.
func (s *screen) windowOf(r *running) string {
	s.t.Helper()
	id := ""
	within(s.t, screenPatience, "there is a window", func() bool {
		select {
		case <-r.done:
			s.t.Fatalf("the window ended: %s%s", r.out, r.err)
		default:
		}
		out, err := s.try("search", "--onlyvisible", "--pid", strconv.Itoa(r.cmd.Process.Pid))
		id, _, _ = strings.Cut(out, "\n")
		return err == nil && id != ""
	})
	s.do("windowfocus", "--sync", id)
	return id
}

// save writes a picture of the upper left part that a window covers.
func save(t testing.TB, path string, img *image.RGBA, wide int) {
	t.Helper()
	var b bytes.Buffer
	must(t, (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img.SubImage(image.Rect(0, 0, wide, screenHigh))))
	must(t, os.WriteFile(path, b.Bytes(), 0o600))
}

// savePacked writes a whole picture as small as PNG gets.
func savePacked(t testing.TB, path string, img *image.RGBA) {
	t.Helper()
	var b bytes.Buffer
	must(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img))
	must(t, os.WriteFile(path, b.Bytes(), 0o644)) //nolint:gosec // belongs to the documentation
}

// inOwnNetwork runs the rest of a test in a network namespace of its own,
// where loopback, one private network and nothing else is; the sockets of its
// displays are its own as well.
func inOwnNetwork(t *testing.T, story func(t *testing.T)) {
	t.Helper()
	if os.Getenv("ENTRENOUS_INSIDE") != "" {
		story(t)
		return
	}
	unshare := []string{"-nm"}
	if os.Getuid() != 0 {
		unshare = []string{"-rnm"}
	}
	const network = `mkdir -p /tmp/.X11-unix && mount -t tmpfs none /tmp/.X11-unix && ip link set lo up && ip link add lan0 type veth peer name lan1 && ip addr add 192.168.77.2/24 dev lan0 &&
		ip link set lan0 up multicast on && ip link set lan1 up && ip route add 224.0.0.0/4 dev lan0 && exec "$@"`
	args := append(unshare, "sh", "-c", network, "sh", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "9m", "-test.count", "1")
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "unshare", args...)
	cmd.Env = append(os.Environ(), "ENTRENOUS_INSIDE=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
}
