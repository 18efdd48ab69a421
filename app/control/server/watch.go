package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
)

// watch streams changes, a line each. Before the profile is ready the stream
// only says when it becomes so.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	stream := &lines{w: w, rc: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "application/x-ndjson")
	var raise chan struct{}
	if r.URL.Query().Get("as") == "window" {
		raise = make(chan struct{}, 1)
		s.enter(raise)
		defer s.leave(raise)
	}
	if s.profile.Node() == nil {
		if stream.put(control.Change{Type: control.ChangeHello}) != nil || !s.waitOpen(r.Context(), stream, raise) {
			return
		}
	}
	for {
		next := s.nextOpening()
		n := s.profile.Node()
		if n == nil || !s.followNode(r.Context(), stream, n, next, raise) || stream.put(control.Change{Type: control.ChangeReset}) != nil {
			return
		}
	}
}

// nextOpening is closed when the next node begins.
func (s *Server) nextOpening() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// followNode streams the changes of one node. True means that another one has
// taken its place.
func (s *Server) followNode(ctx context.Context, stream *lines, n *node.Node, next, raise <-chan struct{}) bool {
	watcher := n.Watch()
	defer watcher.Close()
	changes := make(chan node.Change)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer close(changes)
		for {
			c, err := watcher.Next(ctx)
			if err != nil {
				return
			}
			select {
			case changes <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-next:
			if s.profile.Node() != n {
				return true
			}
			next = s.nextOpening()
			continue
		default:
		}
		if !follow(stream, changes, next, raise) {
			return false
		}
	}
}

// follow streams until the next node begins, which gives true, or the reader
// or the node leaves.
func follow(stream *lines, changes <-chan node.Change, next, raise <-chan struct{}) bool {
	for {
		var err error
		select {
		case <-next:
			return true
		case c, ok := <-changes:
			if !ok {
				return false
			}
			err = stream.put(change(c))
		case <-raise:
			err = stream.put(control.Change{Type: control.ChangeWindow, State: "raise"})
		}
		if err != nil {
			return false
		}
	}
}

// waitOpen waits until the profile is ready, and says so.
func (s *Server) waitOpen(ctx context.Context, stream *lines, raise <-chan struct{}) bool {
	opened := s.nextOpening()
	for s.profile.Node() == nil {
		select {
		case <-ctx.Done():
			return false
		case <-raise:
			if stream.put(control.Change{Type: control.ChangeWindow, State: "raise"}) != nil {
				return false
			}
		case <-opened:
			opened = s.nextOpening()
		}
	}
	return stream.put(control.Change{Type: control.ChangeProfile, State: control.Ready}) == nil
}

func change(c node.Change) control.Change {
	out := control.Change{Type: string(c.Topic), State: c.State}
	if !c.Who.IsZero() {
		out.Who = c.Who.String()
	}
	switch {
	case c.Topic == node.TopicCall:
		out.ID = callText([16]byte(c.ID[:16]))
	case !c.ID.IsZero():
		out.ID = c.ID.String()
	}
	return out
}

// lines writes one JSON value a line and sends it off.
type lines struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (l *lines) put(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_ = l.rc.SetWriteDeadline(time.Now().Add(10 * time.Second)) // a reader that does not read is let go; it can come again
	if _, err := l.w.Write(append(b, '\n')); err != nil {
		return err
	}
	return l.rc.Flush()
}

func (s *Server) enter(w chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.windows[w] = struct{}{}
}

func (s *Server) leave(w chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.windows, w)
}

// raise asks every open window to come to the front.
func (s *Server) raise() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.windows {
		select {
		case w <- struct{}{}:
		default:
		}
	}
	return len(s.windows) > 0
}
