package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// A talkNode is a node in memory that keeps conversations truthfully: what is
// sent becomes a row, what is read is no longer unread, and every change is
// told to whoever watches. It stands behind the real client.
type talkNode struct {
	desk
	mu       sync.Mutex
	status   control.Status
	settings control.Settings
	contacts []control.Contact
	rows     map[string][]control.Message // by contact
	unread   map[string]string            // the first one, by contact
	drafts   map[string]control.Draft
	typing   []string // "ana on"
	asked    []string // "METHOD path"
	refusal  map[string]control.Failure
	watchers map[chan control.Change]bool
	made     int
	exchange // calls
}

// now is when all of it happens: a Sunday.
func talkNow() time.Time { return time.Date(2026, 11, 22, 14, 33, 0, 0, time.UTC) }

func newTalkNode() *talkNode {
	return &talkNode{
		status:   control.Status{State: control.Ready, ID: "yelena", Name: "Yelena", DeviceName: "Laptop", Reach: control.ReachDirect},
		settings: control.Settings{Name: "Yelena", TextSize: 1, Language: "en", Appearance: "light", SendReceipts: true, SendTyping: true, WordsKept: true, CloseToTray: true},
		rows:     make(map[string][]control.Message), unread: make(map[string]string), drafts: make(map[string]control.Draft),
		refusal: make(map[string]control.Failure), watchers: make(map[chan control.Change]bool),
	}
}

// befriend adds a friend who is online.
func (n *talkNode) befriend(id, name string) *control.Contact {
	n.contacts = append(n.contacts, control.Contact{
		ID: id, Name: name, OwnName: name, State: control.Friend, Presence: control.Online,
		Path: "direct", RTT: 12, Verified: true, Since: talkNow().AddDate(0, -8, 0), Devices: 2,
	})
	return &n.contacts[len(n.contacts)-1]
}

// say adds a row that was written some time ago.
func (n *talkNode) say(who, author, words string, ago time.Duration) *control.Message {
	n.made++
	m := control.Message{
		ID: fmt.Sprintf("m%06d", n.made), Who: who, Author: author, Mine: author == "yelena",
		Time: talkNow().Add(-ago), Kind: control.KindText, Text: words, State: control.Received,
	}
	if m.Mine {
		m.State = control.Seen
	}
	n.rows[who] = append(n.rows[who], m)
	return &n.rows[who][len(n.rows[who])-1]
}

// withWindow runs f with a whole window on the node, in a bubble of virtual
// time.
func withWindow(t *testing.T, n *talkNode, f func(t *testing.T)) {
	t.Helper()
	n.run(t, n, func(ctx context.Context, wg *sync.WaitGroup) {
		n.w.Show()
		n.size(1200, 780)
		wg.Go(func() {
			if err := n.w.Run(ctx); err != nil {
				t.Errorf("run the window: %v", err)
			}
		})
		n.settle()
	}, f)
}

// tell tells everybody who watches of a change.
func (n *talkNode) tell(ch control.Change) {
	for c := range n.watchers {
		c <- ch
	}
}

// receive lets a message arrive now.
func (n *talkNode) receive(who, words string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.say(who, who, words, 0)
	c := n.contact(who)
	c.Unread++
	if n.unread[who] == "" {
		n.unread[who] = m.ID
	}
	n.tell(control.Change{Type: control.ChangeMessage, Who: who, ID: m.ID})
	return m.ID
}

// change edits a row and tells of it.
func (n *talkNode) change(id string, kind string, f func(*control.Message)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.message(id)
	f(m)
	n.tell(control.Change{Type: kind, Who: m.Who, ID: id, State: m.State})
}

// meet changes a contact and tells of it.
func (n *talkNode) meet(who, kind string, f func(*control.Contact)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(n.contact(who))
	n.tell(control.Change{Type: kind, Who: who})
}

func (n *talkNode) contact(id string) *control.Contact {
	for i := range n.contacts {
		if n.contacts[i].ID == id {
			return &n.contacts[i]
		}
	}
	return nil
}

func (n *talkNode) message(id string) *control.Message {
	for _, rows := range n.rows {
		for i := range rows {
			if rows[i].ID == id {
				return &rows[i]
			}
		}
	}
	return nil
}

func (n *talkNode) list() []control.Contact {
	people := slices.Clone(n.contacts)
	for i := range people {
		if rows := n.rows[people[i].ID]; len(rows) > 0 {
			people[i].Last = &rows[len(rows)-1]
		}
		people[i].Draft = n.drafts[people[i].ID].Text
	}
	return people
}

func (n *talkNode) ServeHTTP(out http.ResponseWriter, req *http.Request) {
	path := strings.TrimPrefix(req.URL.Path, "/"+control.Version)
	if path == "/watch" {
		n.watch(out, req)
		return
	}
	if id, ok := strings.CutSuffix(strings.TrimPrefix(path, "/calls/"), "/feed"); ok {
		n.feed(out, req, id)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	verb := req.Method + " " + path
	n.asked = append(n.asked, verb)
	if f, ok := n.refusal[verb]; ok {
		out.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(out).Encode(f)
		return
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var answer any
	switch {
	case path == "/status":
		answer = n.status
	case path == "/settings":
		answer = n.settings
	case path == "/contacts":
		answer = n.list()
	case path == "/invites":
		answer = control.Invite{Link: "entrenous:q9f27kdm3x4", QR: "ENTRENOUS:Q9F27KDM3X4", Once: true}
	case parts[0] == "contacts" && len(parts) == 3:
		answer = n.person(req, parts[1], parts[2])
	case parts[0] == "calls" || parts[0] == "sound":
		answer = n.phone(req, parts)
	case parts[0] == "messages":
		answer = n.row(req, parts[1], len(parts) == 3)
	}
	if answer == nil {
		out.WriteHeader(http.StatusNotFound)
		answer = control.Failure{Message: "No such thing: " + verb, Code: control.CodeNotFound}
	}
	_ = json.NewEncoder(out).Encode(answer)
}

func (n *talkNode) watch(out http.ResponseWriter, req *http.Request) {
	changes := make(chan control.Change, 1000)
	changes <- control.Change{Type: control.ChangeHello}
	n.mu.Lock()
	n.watchers[changes] = true
	n.mu.Unlock()
	defer func() { n.mu.Lock(); delete(n.watchers, changes); n.mu.Unlock() }()
	for {
		select {
		case <-req.Context().Done():
			return
		case ch := <-changes:
			if ch.Type == "end" {
				return
			}
			_ = json.NewEncoder(out).Encode(ch)
			out.(http.Flusher).Flush()
		}
	}
}

func decode[T any](req *http.Request) T {
	var v T
	_ = json.NewDecoder(req.Body).Decode(&v)
	return v
}

func (n *talkNode) person(req *http.Request, who, what string) any {
	switch req.Method + " " + what {
	case "POST call":
		return n.dial(who)
	case "GET messages":
		return n.page(who, req)
	case "POST messages":
		in := decode[control.NewMessage](req)
		m := n.say(who, "yelena", in.Text, 0)
		m.State = control.Written
		if in.ReplyTo != "" {
			to := n.message(in.ReplyTo)
			m.Kind, m.ReplyTo, m.Quote = control.KindReply, to.ID, &control.Quote{Author: to.Author, Mine: to.Mine, Text: to.Text}
		}
		n.tell(control.Change{Type: control.ChangeMessage, Who: who, ID: m.ID})
		return control.Sent{ID: m.ID, State: m.State}
	case "GET draft":
		return n.drafts[who]
	case "PUT draft":
		n.drafts[who] = decode[control.Draft](req)
		n.tell(control.Change{Type: control.ChangeDraft, Who: who})
		return struct{}{}
	case "POST read":
		n.contact(who).Unread = 0
		delete(n.unread, who)
		n.tell(control.Change{Type: control.ChangeRead, Who: who})
		return struct{}{}
	case "POST typing":
		n.typing = append(n.typing, fmt.Sprintf("%s %v", who, decode[control.Typing](req).On))
		return struct{}{}
	case "GET safety":
		return control.Safety{Number: "30184 55720 91463 72815 06394 48127 30184 55720 91463 72815 06394 48127", Verified: true}
	case "POST unblock":
		n.contact(who).State = control.Friend
		n.tell(control.Change{Type: control.ChangeContact, Who: who})
		return *n.contact(who)
	}
	return nil
}

func (n *talkNode) page(who string, req *http.Request) any {
	rows := n.rows[who]
	limit, _ := strconv.Atoi(req.FormValue("limit"))
	at := func(key string) int {
		return slices.IndexFunc(rows, func(m control.Message) bool { return m.ID == req.FormValue(key) })
	}
	from, to := max(len(rows)-limit, 0), len(rows)
	switch {
	case req.FormValue("before") != "":
		to = at("before")
		from = max(to-limit, 0)
	case req.FormValue("after") != "":
		from = at("after") + 1
		to = min(from+limit, len(rows))
	case req.FormValue("around") != "":
		from = max(at("around")-limit/2, 0)
		to = min(from+limit, len(rows))
	}
	return control.Page{Rows: slices.Clone(rows[from:to]), Earlier: from > 0, Later: to < len(rows), FirstUnread: n.unread[who]}
}

func (n *talkNode) row(req *http.Request, id string, reaction bool) any {
	m := n.message(id)
	if m == nil {
		return nil
	}
	switch {
	case reaction:
		r := decode[control.Reaction](req)
		m.Reactions = nil
		if !r.Off {
			m.Reactions = []control.Reactions{{Emoji: r.Emoji, By: []string{"yelena"}, Mine: true}}
		}
	case req.Method == http.MethodGet:
		return *m
	case req.Method == http.MethodPatch:
		m.Text, m.Edited = decode[control.Edit](req).Text, true
	case req.Method == http.MethodDelete:
		m.Kind, m.Text = control.KindDeleted, ""
	}
	n.tell(control.Change{Type: control.ChangeRow, Who: m.Who, ID: id})
	return control.Sent{ID: id, State: m.State}
}
