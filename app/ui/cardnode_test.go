package ui

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"fyne.io/fyne/v2/test"

	"github.com/entrenous/entrenous/app/control"
)

// cardNode answers the verbs that the cards use, and remembers what it was
// told. It stands behind the real client, over connections in memory.
type cardNode struct {
	desk
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
	n := &cardNode{answers: make(map[string]any)}
	n.status = control.Status{State: control.Ready, ID: "me", Name: "Yelena", DeviceName: "Laptop", Reach: control.ReachDirect}
	n.settings = control.Settings{Name: "Yelena", TextSize: 1, Language: "en", Notify: true, SendReceipts: true, WordsKept: true}
	n.run(t, n, func(ctx context.Context, wg *sync.WaitGroup) {
		n.w.status, n.w.contacts = n.status, n.contacts
		n.w.wear(n.settings)
		n.w.shell = newShell(n.w)
		wg.Go(func() { n.w.work.run(ctx) })
	}, func(t *testing.T) { f(t, n) })
}

// withCardsB runs f with a window whose node never answers.
func withCardsB(b *testing.B, f func(n *cardNode)) {
	b.Helper()
	app := test.NewApp()
	defer app.Quit()
	n := &cardNode{}
	client := control.NewClient(func(context.Context) (net.Conn, error) { return nil, net.ErrClosed })
	n.w = New(Options{Client: client, App: app, Log: slog.New(slog.DiscardHandler), Do: func(func()) {}})
	f(n)
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
