package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

const (
	defaultLimit = 50
	maxLimit     = 500
	defaultWait  = 30 * time.Second
	maxWait      = time.Hour
)

func (s *Server) messageRoutes() {
	s.aboutWho("GET /v1/contacts/{who}/messages", page)
	s.aboutWho("POST /v1/contacts/{who}/messages", sendMessage)
	s.mux.HandleFunc("POST /v1/contacts/{who}/stream", s.stream)
	s.aboutWho("POST /v1/contacts/{who}/read", func(n *node.Node, who identity.ID, r *http.Request) (any, error) {
		in, err := decode[control.Read](r)
		if err != nil {
			return nil, err
		}
		id, err := messageID(in.UpTo)
		if err != nil {
			return nil, err
		}
		return nil, n.MarkRead(r.Context(), who, id)
	})
	s.aboutWho("GET /v1/contacts/{who}/draft", func(n *node.Node, who identity.ID, _ *http.Request) (any, error) {
		d, err := n.Draft(who)
		return control.Draft{Text: d.Text, ReplyTo: idText(d.ReplyTo), Edit: idText(d.Editing)}, err
	})
	s.aboutWho("PUT /v1/contacts/{who}/draft", putDraft)
	s.verb("GET /v1/messages/{id}", func(n *node.Node, r *http.Request) (any, error) {
		id, err := messageID(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		row, who, err := n.Message(id)
		if err != nil {
			return nil, err
		}
		return message(n, who, row), nil
	})
	s.alter("PATCH /v1/messages/{id}", func(n *node.Node, id chat.Hash, r *http.Request) error {
		in, err := decode[control.Edit](r)
		if err != nil {
			return err
		}
		return n.Edit(r.Context(), id, in.Text)
	})
	s.alter("DELETE /v1/messages/{id}", func(n *node.Node, id chat.Hash, r *http.Request) error { return n.Delete(r.Context(), id) })
	s.alter("POST /v1/messages/{id}/reactions", func(n *node.Node, id chat.Hash, r *http.Request) error {
		in, err := decode[control.Reaction](r)
		if err != nil {
			return err
		}
		return n.React(r.Context(), id, in.Emoji, !in.Off)
	})
	s.verb("GET /v1/search", search)
	s.mux.HandleFunc("GET /v1/contacts/{who}/export", s.export)
}

// alter registers a verb that changes a message.
func (s *Server) alter(pattern string, f func(*node.Node, chat.Hash, *http.Request) error) {
	s.verb(pattern, func(n *node.Node, r *http.Request) (any, error) {
		id, err := messageID(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		if err := f(n, id, r); err != nil {
			return nil, err
		}
		row, _, err := n.Message(id)
		return control.Sent{ID: id.String(), State: row.State.String()}, err
	})
}

func messageID(text string) (chat.Hash, error) {
	id, err := chat.ParseHash(text)
	if err != nil {
		return id, &control.Failure{Message: "This is not the id of a message", Hint: "It has 64 hexadecimal digits", Code: control.CodeInvalid}
	}
	return id, nil
}

// optionalID reads an id that may be left out.
func optionalID(text string) (chat.Hash, error) {
	if text == "" {
		return chat.Hash{}, nil
	}
	return messageID(text)
}

func idText(h chat.Hash) string {
	if h.IsZero() {
		return ""
	}
	return h.String()
}

func page(n *node.Node, who identity.ID, r *http.Request) (any, error) {
	q, err := pageQuery(r)
	if err != nil {
		return nil, err
	}
	p, err := n.Page(who, q)
	if errors.Is(err, store.ErrNotFound) {
		return nil, node.ErrNoMessage
	}
	if err != nil {
		return nil, err
	}
	out := control.Page{Rows: make([]control.Message, len(p.Rows)), Earlier: p.Earlier, Later: p.Later}
	if first, err := n.FirstUnread(who); err == nil {
		out.FirstUnread = idText(first)
	}
	for i, row := range p.Rows {
		out.Rows[i] = message(n, who, row)
	}
	return out, nil
}

func pageQuery(r *http.Request) (q store.Query, err error) {
	v := r.URL.Query()
	q.Limit = defaultLimit
	if text := v.Get("limit"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil || q.Limit < 1 || q.Limit > maxLimit {
			return q, &control.Failure{Message: "limit must be between 1 and 500", Hint: "Read on with “before” or “after”, or look for words that are in less", Code: control.CodeInvalid}
		}
	}
	for name, to := range map[string]*chat.Hash{"before": &q.Before, "after": &q.After, "around": &q.Around} {
		if *to, err = optionalID(v.Get(name)); err != nil {
			return q, err
		}
	}
	return q, nil
}

func sendMessage(n *node.Node, who identity.ID, r *http.Request) (any, error) {
	in, err := decode[control.NewMessage](r)
	if err != nil {
		return nil, err
	}
	to, err := optionalID(in.ReplyTo)
	if err != nil {
		return nil, err
	}
	want, wait, err := wanted(in)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	id, err := n.Send(ctx, who, in.Text, to, want)
	if err != nil && id.IsZero() {
		return nil, err
	}
	if errors.Is(err, node.ErrTimeout) {
		f := failure(err)
		f.Message = "The message " + id.String() + " is stored, and has not come that far yet"
		if row, _, err := n.Message(id); err == nil && row.State == chat.Delivered {
			f.Message = "The message " + id.String() + " has arrived, and was not seen yet"
			f.Hint = "Look again with “entrenous history”: what was seen says so"
		}
		return nil, f
	}
	if err != nil {
		return nil, err
	}
	return control.Sent{ID: id.String(), State: want.String()}, nil
}

// wanted reads how far a message is to come before it is answered, and how
// long that may take.
func wanted(in control.NewMessage) (want chat.State, wait time.Duration, err error) {
	want, wait = chat.Written, defaultWait
	if in.Wait != "" {
		if want, err = chat.ParseState(in.Wait); err != nil || want > chat.Seen || want == chat.Carried {
			return want, wait, &control.Failure{Message: "wait must be written, delivered or seen", Hint: "“seen” waits the longest; without it nothing is waited for", Code: control.CodeInvalid}
		}
	}
	if in.Timeout > 0 {
		wait = time.Duration(min(in.Timeout, maxWait.Milliseconds())) * time.Millisecond
	}
	return want, wait, nil
}

func putDraft(n *node.Node, who identity.ID, r *http.Request) (any, error) {
	in, err := decode[control.Draft](r)
	if err != nil {
		return nil, err
	}
	d := store.Draft{Text: in.Text}
	if d.ReplyTo, err = optionalID(in.ReplyTo); err != nil {
		return nil, err
	}
	if d.Editing, err = optionalID(in.Edit); err != nil {
		return nil, err
	}
	return nil, n.PutDraft(r.Context(), who, d)
}

func search(n *node.Node, r *http.Request) (any, error) {
	v := r.URL.Query()
	var who identity.ID
	if text := v.Get("who"); text != "" {
		var err error
		if who, err = n.Resolve(text); err != nil {
			return nil, err
		}
	}
	q, err := pageQuery(r)
	if err != nil {
		return nil, err
	}
	hits, err := n.Search(strings.TrimSpace(v.Get("q")), who, q.Limit)
	if err != nil {
		return nil, err
	}
	out := []control.Hit{}
	for _, h := range hits {
		if with, ok := n.With(h.Conv); ok {
			out = append(out, control.Hit{Message: message(n, with, h.Row), Snippet: h.Snippet, Marks: h.Matches})
		}
	}
	return out, nil
}

// message makes the API's row of a stored one.
func message(n *node.Node, who identity.ID, row store.RowView) control.Message {
	m := control.Message{
		ID: row.ID.String(), Who: who.String(), Author: row.Author.String(), Mine: row.Author == n.ID(),
		Time: shown(time.UnixMilli(row.Time)), Kind: kindOf(row), Text: row.Text, State: row.State.String(), Edited: row.Edited,
		Reactions: []control.Reactions{}, ReplyTo: idText(row.ReplyTo),
	}
	for _, r := range row.Reactions {
		c := control.Reactions{Emoji: r.Emoji}
		for _, by := range r.By {
			c.By = append(c.By, by.String())
			c.Mine = c.Mine || by == n.ID()
		}
		m.Reactions = append(m.Reactions, c)
	}
	if row.Reply != nil {
		m.Quote = &control.Quote{Author: row.Reply.Author.String(), Mine: row.Reply.Author == n.ID(), Text: row.Reply.Text}
	}
	if row.Call != nil {
		reports := node.ParseCallReports(row.Reports...)
		m.Call = &control.CallRow{
			ID: callText(row.Call.Call), Outgoing: row.Call.Outgoing == m.Mine,
			Reason: row.Call.Reason, Seconds: float64(row.Call.Duration),
			Caller: reportOf(reports.Caller), Callee: reportOf(reports.Callee),
		}
	}
	if row.Change != nil {
		m.Device = &control.DeviceRow{
			Person: row.Change.Person.String(), Mine: row.Change.Person == n.ID(),
			Name: chat.DisplayName(row.Change.Name), Act: row.Change.Act.String(),
		}
	}
	return m
}

func kindOf(row store.RowView) string {
	switch {
	case row.Deleted:
		return control.KindDeleted
	case row.Unknown:
		return control.KindUnknown
	}
	switch row.Kind {
	case chat.KindText:
		return control.KindText
	case chat.KindReply:
		return control.KindReply
	case chat.KindCall:
		return control.KindCall
	case chat.KindDevice:
		return control.KindDevice
	}
	return control.KindUnknown
}

func callText(id [16]byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 32)
	for _, b := range id {
		out = append(out, digits[b>>4], digits[b&15])
	}
	return string(out)
}

// export streams a whole conversation, oldest row first, a Message a line.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	n, err := s.node()
	var who identity.ID
	if err == nil {
		who, err = n.Resolve(r.PathValue("who"))
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	err = n.All(who, func(row store.RowView) error { return enc.Encode(message(n, who, row)) })
	if err != nil {
		s.log.Error("export", "err", err)
		panic(http.ErrAbortHandler) // the reader must see that it is not whole
	}
}
