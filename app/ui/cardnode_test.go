package ui

import (
	"context"
	"encoding/json"
	"image/png"
	"io"
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

// cardNode answers the verbs that the cards use, and remembers what it was
// told. It stands behind the real client, over connections in memory.
type cardNode struct {
	w  *Window
	ui chan func()

	mu       sync.Mutex
	said     []string // "METHOD path body"
	answers  map[string]any
	status   control.Status
	settings control.Settings
	contacts []control.Contact
}

// refuse is an answer that is a failure.
type refuse control.Failure

// withCards runs f with a window that has no node process behind it, in a
// bubble of virtual time.
func withCards(t *testing.T, f func(t *testing.T, n *cardNode)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &cardNode{ui: make(chan func(), 1000), answers: make(map[string]any)}
		n.status = control.Status{State: control.Ready, ID: "me", Name: "Yelena", DeviceName: "Laptop", Reach: control.ReachDirect}
		n.settings = control.Settings{Name: "Yelena", DeviceName: "Laptop", TextSize: 1, Language: "en", Notify: true, SendReceipts: true, WordsKept: true}
		listener := newPipes()
		server := &http.Server{Handler: n, ReadHeaderTimeout: time.Minute}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = server.Serve(listener) })
		client := control.NewClient(listener.dial)
		app := test.NewApp()
		n.w = New(Options{
			Client: client, App: app, Log: slog.New(slog.DiscardHandler),
			Now: func() time.Time { return time.Date(2026, 11, 22, 14, 33, 0, 0, time.UTC) },
			Do:  func(f func()) { n.ui <- f },
		})
		n.w.status, n.w.contacts = n.status, n.contacts
		n.w.wear(n.settings)
		n.w.shell = newShell(n.w)
		wg.Go(func() { n.w.work.run(ctx) })
		f(t, n)
		n.settle()
		cancel()
		client.Close()
		server.Close()
		wg.Wait()
		app.Quit()
	})
}

// withCardsB runs f with a window whose node never answers.
func withCardsB(b *testing.B, f func(n *cardNode)) {
	b.Helper()
	app := test.NewApp()
	defer app.Quit()
	n := &cardNode{ui: make(chan func(), 1000)}
	client := control.NewClient(func(context.Context) (net.Conn, error) { return nil, net.ErrClosed })
	n.w = New(Options{Client: client, App: app, Log: slog.New(slog.DiscardHandler), Do: func(func()) {}})
	f(n)
}

// settle lets everything happen that can: verbs, answers, and what follows
// from them on the thread of the widgets.
func (n *cardNode) settle() {
	for {
		synctest.Wait()
		select {
		case f := <-n.ui:
			f()
		default:
			return
		}
	}
}

func (n *cardNode) ServeHTTP(out http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	verb := req.Method + " " + strings.TrimPrefix(req.URL.RequestURI(), "/"+control.Version)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = append(n.said, strings.TrimSpace(verb+" "+string(body)))
	answer, ok := n.answers[verb]
	if f, is := answer.(func(body []byte) any); is {
		answer = f(body)
	}
	switch {
	case ok:
	case verb == "GET /status":
		answer = n.status
	case verb == "GET /settings":
		answer = n.settings
	case verb == "PUT /settings":
		_ = json.Unmarshal(body, &n.settings)
		answer = n.settings
	case verb == "GET /contacts":
		answer = n.contacts
	default:
		answer = refuse{Message: "no answer to " + verb, Code: control.CodeInternal}
	}
	switch a := answer.(type) {
	case refuse:
		out.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(out).Encode(control.Failure(a))
	case string:
		_, _ = io.WriteString(out, a)
	default:
		_ = json.NewEncoder(out).Encode(a)
	}
}

// answer sets what a verb gives from now on.
func (n *cardNode) answer(verb string, with any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[verb] = with
}

// told says whether the node was told something that begins like this, and
// gives all of it.
func (n *cardNode) told(begin string) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := len(n.said) - 1; i >= 0; i-- {
		if strings.HasPrefix(n.said[i], begin) {
			return n.said[i], true
		}
	}
	return "", false
}

func (n *cardNode) wantTold(t *testing.T, begin string) {
	t.Helper()
	if _, ok := n.told(begin); !ok {
		t.Errorf("the node was not told %q, only %q", begin, n.said)
	}
}

// page makes o the window's page.
func (n *cardNode) page(o fyne.CanvasObject) {
	n.w.setPage(o)
	n.settle()
}

// top is the modal in front, nil when there is none.
func (n *cardNode) top() fyne.CanvasObject {
	if len(n.w.modals) == 0 {
		return nil
	}
	return n.w.modals[len(n.w.modals)-1].layer
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
func (n *cardNode) press(t *testing.T, o fyne.CanvasObject, name string) {
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
	n.settle()
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
func (n *cardNode) shot(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv("ENTRENOUS_SHOTS")
	if folder == "" {
		return
	}
	n.settle()
	file, err := os.Create(filepath.Join(folder, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, n.w.win.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
}

// size gives the window a size.
func (n *cardNode) size(width, height float32) {
	n.w.win.Resize(fyne.NewSize(width, height))
	for _, m := range n.w.modals {
		m.layer.Resize(fyne.NewSize(width, height))
	}
	n.settle()
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
