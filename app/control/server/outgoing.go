package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
)

const (
	// maxTogether and maxTogetherBytes bound the lines that share one commit.
	maxTogether      = 256
	maxTogetherBytes = 1 << 20
	// maxUnanswered is how many messages of one stream may wait for the state
	// that was asked for; whoever sends more waits.
	maxUnanswered = 1024
)

// stream takes a NewMessage a line and answers each, in their order, with an
// Answer a line. What has come in while the disk was busy is committed
// together: many messages cost little more than one.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	if err := rc.EnableFullDuplex(); err != nil {
		s.log.Debug("answers come after the last line only", "err", err)
	}
	n, err := s.node()
	var who identity.ID
	if err == nil {
		who, err = n.Resolve(r.PathValue("who"))
	}
	if err != nil {
		w.Header().Set("Connection", "close") // the lines are not waited for
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	if rc.Flush() != nil {
		return
	}
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	defer context.AfterFunc(ctx, func() { _ = rc.SetReadDeadline(time.Unix(1, 0)) })() // nobody waits for more lines
	o := &outgoing{server: s, n: n, who: who, in: bufio.NewReaderSize(r.Body, 128<<10), posted: make(chan toAnswer, maxUnanswered)}
	var answers sync.WaitGroup
	answers.Go(func() {
		if o.answer(ctx, w, rc.Flush) != nil {
			stop() // who does not take answers sends nothing more
		}
	})
	o.read(ctx)
	close(o.posted)
	answers.Wait()
}

// outgoing is one stream of messages to one person.
type outgoing struct {
	server *Server
	n      *node.Node
	who    identity.ID
	in     *bufio.Reader
	posted chan toAnswer
}

// toAnswer is a line that was taken, and what the answer waits for.
type toAnswer struct {
	posted node.Posted
	want   chat.State
	until  time.Time
}

// read posts lines until there are no more, or until one is too long.
func (o *outgoing) read(ctx context.Context) {
	for {
		lines, err := o.lines()
		if len(lines) > 0 && !o.post(ctx, lines) {
			return
		}
		if err != nil {
			if f := (*control.Failure)(nil); errors.As(err, &f) {
				o.put(ctx, toAnswer{posted: node.Posted{Err: f}})
			}
			return
		}
	}
}

// lines waits for a line, and takes all that have come with it.
func (o *outgoing) lines() (lines [][]byte, err error) {
	size := 0
	for len(lines) < maxTogether && size < maxTogetherBytes {
		if len(lines) > 0 && !o.waiting() {
			return lines, nil
		}
		line, err := o.line()
		if line = bytes.TrimSpace(line); len(line) > 0 {
			lines, size = append(lines, line), size+len(line)
		}
		if err != nil {
			return lines, err
		}
	}
	return lines, nil
}

// waiting says whether a whole line is here already.
func (o *outgoing) waiting() bool {
	b, err := o.in.Peek(o.in.Buffered())
	return err == nil && bytes.IndexByte(b, '\n') >= 0
}

// line reads up to the end of a line, or of the stream.
func (o *outgoing) line() (line []byte, err error) {
	for {
		part, err := o.in.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxRequest {
			return nil, &control.Failure{Message: fmt.Sprintf("A line is longer than %d bytes", maxRequest), Hint: "A text may have 64 KiB", Code: control.CodeTooLong}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// post writes what a few lines say, in one commit. It is false when nobody
// waits for the answers any more.
func (o *outgoing) post(ctx context.Context, lines [][]byte) bool {
	all := make([]toAnswer, len(lines))
	var drafts []node.Draft
	var places []int
	for i, line := range lines {
		d, err := all[i].parse(line)
		if err != nil {
			all[i].posted.Err = err
			continue
		}
		drafts, places = append(drafts, d), append(places, i)
	}
	if len(drafts) > 0 {
		posted, err := o.n.Post(ctx, o.who, drafts)
		for i, place := range places {
			if err != nil {
				all[place].posted.Err = err
				continue
			}
			all[place].posted = posted[i]
		}
	}
	for _, a := range all {
		if !o.put(ctx, a) {
			return false
		}
	}
	return true
}

// put hands on what is to be answered; false when nobody waits for it.
func (o *outgoing) put(ctx context.Context, a toAnswer) bool {
	select {
	case o.posted <- a:
		return true
	case <-ctx.Done():
		return false
	}
}

// parse reads a line.
func (a *toAnswer) parse(line []byte) (node.Draft, error) {
	in, err := decodeFrom[control.NewMessage](bytes.NewReader(line))
	if err != nil {
		return node.Draft{}, err
	}
	want, wait, err := wanted(in)
	if err != nil {
		return node.Draft{}, err
	}
	a.want, a.until = want, time.Now().Add(wait)
	to, err := optionalID(in.ReplyTo)
	return node.Draft{Text: in.Text, To: to}, err
}

// answer writes the answers, each when its message has come as far as asked.
// What is ready goes out together.
func (o *outgoing) answer(ctx context.Context, w io.Writer, flush func() error) error {
	out := bufio.NewWriterSize(w, 32<<10)
	lines := json.NewEncoder(out)
	send := func() error { return errors.Join(out.Flush(), flush()) }
	for a := range o.posted {
		if a.posted.Err == nil && !o.n.CameTo(a.posted, a.want) {
			if err := send(); err != nil {
				return err
			}
			a.posted.Err = o.await(ctx, a)
		}
		if err := lines.Encode(o.say(a)); err != nil {
			return err
		}
		if len(o.posted) > 0 {
			continue
		}
		if err := send(); err != nil {
			return err
		}
	}
	return send()
}

func (o *outgoing) await(ctx context.Context, a toAnswer) error {
	ctx, cancel := context.WithDeadline(ctx, a.until)
	defer cancel()
	return o.n.Await(ctx, a.posted, a.want)
}

// say makes an answer of what became of a message.
func (o *outgoing) say(a toAnswer) control.Answer {
	out := control.Answer{ID: idText(a.posted.ID), State: a.want.String()}
	if a.posted.Err == nil {
		return out
	}
	out.Failure = o.server.explained(a.posted.Err)
	out.State = ""
	if !a.posted.ID.IsZero() {
		out.State = control.Written
	}
	return out
}
