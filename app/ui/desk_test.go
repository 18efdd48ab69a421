package ui

import (
	"context"
	"image/png"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/entrenous/entrenous/app/control"
)

// A desk is where tests sit before a window: it asks a node in memory through
// the real client, and its thread is the test's.
type desk struct {
	w  *Window
	ui chan func()
}

// run makes the window over an API, in a bubble of virtual time; begin starts
// of it what the test needs, and f is the test.
func (d *desk) run(t *testing.T, api http.Handler, begin func(context.Context, *sync.WaitGroup), f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d.ui = make(chan func(), 10_000)
		listener := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		server := &http.Server{Handler: api, ReadHeaderTimeout: time.Minute}
		var wg sync.WaitGroup
		wg.Go(func() { _ = server.Serve(listener) })
		client := control.NewClient(listener.dial)
		app := test.NewApp()
		d.w = New(Options{
			Client: client, App: app, Log: slog.New(slog.DiscardHandler), Now: talkNow,
			Do: func(f func()) { d.ui <- f },
		})
		begin(ctx, &wg)
		f(t)
		d.settle()
		cancel()
		d.settle()
		client.Close()
		server.Close()
		wg.Wait()
		app.Quit()
	})
}

// settle lets everything happen that can: verbs, answers, and what follows
// from them on the thread of the widgets.
func (d *desk) settle() {
	for {
		synctest.Wait()
		select {
		case f := <-d.ui:
			f()
		default:
			return
		}
	}
}

// wait lets time pass.
func (d *desk) wait(pause time.Duration) {
	d.settle()
	time.Sleep(pause) // virtual: takes no time
	d.settle()
}

// size gives the window a size.
func (d *desk) size(width, height float32) {
	d.w.win.Resize(fyne.NewSize(width, height))
	for _, m := range d.w.modals {
		m.layer.Resize(fyne.NewSize(width, height))
	}
	d.settle()
}

// page makes o the window's page.
func (d *desk) page(o fyne.CanvasObject) {
	d.w.setPage(o)
	d.settle()
}

// top is the modal in front, nil when there is none.
func (d *desk) top() fyne.CanvasObject {
	if len(d.w.modals) == 0 {
		return nil
	}
	return d.w.modals[len(d.w.modals)-1].layer
}

// each calls f for everything that can be seen under o.
func each(o fyne.CanvasObject, f func(fyne.CanvasObject)) {
	if o == nil || !o.Visible() {
		return
	}
	f(o)
	if w, ok := o.(fyne.Widget); ok {
		for _, child := range test.WidgetRenderer(w).Objects() {
			each(child, f)
		}
		return
	}
	for _, child := range inside(o) {
		each(child, f)
	}
}

// wordsOn gives all texts under o, a line each.
func wordsOn(o fyne.CanvasObject) string {
	var b strings.Builder
	each(o, func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *text:
			b.WriteString(o.words + "\n")
		case *button:
			b.WriteString(o.AccessibilityLabel() + "\n")
		case *holdButton:
			b.WriteString(o.AccessibilityLabel() + "\n")
		}
	})
	return b.String()
}

func wantWords(t *testing.T, o fyne.CanvasObject, want string) {
	t.Helper()
	if got := wordsOn(o); !strings.Contains(got, want) {
		t.Errorf("%q is not to be read among:\n%s", want, got)
	}
}

func wantNoWords(t *testing.T, o fyne.CanvasObject, bad string) {
	t.Helper()
	if strings.Contains(wordsOn(o), bad) {
		t.Errorf("%q is to be read", bad)
	}
}

// press taps the button, the line or the switch of that name and lets
// everything happen.
func (d *desk) press(t *testing.T, o fyne.CanvasObject, name string) {
	t.Helper()
	var found fyne.Tappable
	each(o, func(o fyne.CanvasObject) {
		if a, ok := o.(fyne.Accessible); ok && found == nil && a.AccessibilityLabel() == name {
			if tap, ok := o.(fyne.Tappable); ok {
				found = tap
			}
		}
	})
	if found == nil {
		t.Fatalf("nothing to press is called %q among:\n%s", name, wordsOn(o))
	}
	found.Tapped(&fyne.PointEvent{})
	d.settle()
}

// entries gives the entries under o from top to bottom.
func entries(o fyne.CanvasObject) []*entry {
	var all []*entry
	each(o, func(o fyne.CanvasObject) {
		if e, ok := o.(*entry); ok {
			all = append(all, e)
		}
	})
	return all
}

// shot writes a picture of the window into the folder that ENTRENOUS_SHOTS
// names, for people to look at.
func (d *desk) shot(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv("ENTRENOUS_SHOTS")
	if folder == "" {
		return
	}
	d.settle()
	file, err := os.Create(filepath.Join(folder, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, d.w.win.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
}

// pipes is a listener over connections in memory.
type pipes struct {
	open chan net.Conn
	once sync.Once
	done chan struct{}
}

func newPipes() *pipes { return &pipes{open: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.open <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.open:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
