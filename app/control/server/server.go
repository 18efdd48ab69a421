// Package server answers the local API of package control for one profile. It
// hides HTTP: each handler turns a request into one verb of the node, and the
// node's values into the API's types.
package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
)

// maxRequest is the longest request body, in bytes: a text of 64 KiB in JSON,
// where each byte may take six.
const maxRequest = 512 << 10

// Profile is what a server needs from the program: a profile may be empty or
// locked before there is a node. All functions are safe for concurrent use.
type Profile struct {
	Dir    string
	State  func() (state string, keyKept string)
	Node   func() *node.Node // nil unless Ready
	Setup  func(context.Context, control.Setup) (control.SetupDone, error)
	Unlock func(ctx context.Context, passphrase string) error
	// Check says whether a passphrase opens the vault; a profile without one
	// takes the empty passphrase.
	Check  func(ctx context.Context, passphrase string) error
	Backup func(ctx context.Context, passphrase string, w io.Writer) error
	// Again ends the node and begins a new one with the settings that hold now.
	// It returns when that is there; Node waits meanwhile.
	Again func(context.Context) error
	Quit  func()
	PID   int
}

// Server is the API of one profile.
type Server struct {
	profile Profile
	log     *slog.Logger
	mux     *http.ServeMux

	mu      sync.Mutex
	windows map[chan struct{}]struct{} // a token raises the window
	opened  chan struct{}              // closed and replaced when a node begins
}

// New makes a server.
func New(p Profile, log *slog.Logger) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{profile: p, log: log, mux: http.NewServeMux(), windows: map[chan struct{}]struct{}{}, opened: make(chan struct{})}
	s.routes()
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mux.ServeHTTP(w, r)
}

// Serve answers on a listener until ctx ends. It closes the listener and waits
// for the requests under way.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler: s, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		done <- h.Shutdown(end)
	})
	err := h.Serve(l)
	if !stop() {
		err = errors.Join(ignoreClosed(err), <-done)
	}
	return ignoreClosed(err)
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// Opened tells the streams that a node begins: the first one, or one after
// another.
func (s *Server) Opened() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.opened)
	s.opened = make(chan struct{})
}

func (s *Server) routes() {
	s.profileRoutes()
	s.peopleRoutes()
	s.messageRoutes()
	s.callRoutes()
	s.networkRoutes()
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, &control.Failure{Message: "There is no such verb: " + r.Method + " " + r.URL.Path, Hint: "The API begins with /" + control.Version + "; its verbs are in the documentation of app/control", Code: control.CodeNotFound})
	})
}

// handle registers a verb that needs no node.
func (s *Server) handle(pattern string, f func(r *http.Request) (any, error)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		out, err := f(r)
		if err != nil {
			s.fail(w, err)
			return
		}
		s.answer(w, out)
	})
}

// verb registers a verb of the node.
func (s *Server) verb(pattern string, f func(n *node.Node, r *http.Request) (any, error)) {
	s.handle(pattern, func(r *http.Request) (any, error) {
		n, err := s.node()
		if err != nil {
			return nil, err
		}
		return f(n, r)
	})
}

// node gives the node, or says what is missing.
func (s *Server) node() (*node.Node, error) {
	if n := s.profile.Node(); n != nil {
		return n, nil
	}
	switch state, _ := s.profile.State(); state {
	case control.Empty:
		return nil, &control.Failure{Message: "This profile has no identity yet", Hint: "Make one with “entrenous init --name NAME”, or open the window", Code: control.CodeState, Reason: "no_identity"}
	case control.Locked:
		return nil, &control.Failure{Message: "This profile is locked", Hint: "Give the passphrase: POST /v1/unlock, or open the window", Code: control.CodeState, Reason: "locked"}
	}
	return nil, &control.Failure{Message: "The node is starting", Hint: "Try again in a moment", Code: control.CodeState, Reason: "starting"}
}

// answer encodes all of an answer before it begins: what cannot be encoded is a
// failure, not an empty success.
func (s *Server) answer(w http.ResponseWriter, out any) {
	if out == nil {
		out = struct{}{}
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(out); err != nil {
		s.fail(w, fmt.Errorf("encode answer: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(b.Bytes()); err != nil {
		s.log.Debug("answer", "err", err)
	}
}

// explained finds the sentence for an error. What has none is logged.
func (s *Server) explained(err error) *control.Failure {
	f := failure(err)
	if f.Code == control.CodeInternal {
		s.log.Error("verb failed", "err", err)
	}
	return f
}

func (s *Server) fail(w http.ResponseWriter, err error) {
	f := s.explained(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(statusOf(f.Code))
	if err := json.NewEncoder(w).Encode(f); err != nil {
		s.log.Debug("answer", "err", err)
	}
}

// decode reads a JSON body; fields that do not exist are an error, so that a
// mistyped one is not silently without effect.
func decode[T any](r *http.Request) (T, error) {
	return decodeFrom[T](http.MaxBytesReader(nil, r.Body, maxRequest))
}

func decodeFrom[T any](from io.Reader) (T, error) {
	var v T
	d := json.NewDecoder(from)
	d.DisallowUnknownFields()
	err := d.Decode(&v)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return v, &control.Failure{Message: fmt.Sprintf("The request is longer than %d bytes", tooLarge.Limit), Hint: "A text may have 64 KiB", Code: control.CodeTooLong}
	case errors.Is(err, io.EOF):
		return v, nil // no body: all fields are zero
	case err != nil:
		return v, &control.Failure{Message: "The request is not the JSON expected: " + err.Error(), Code: control.CodeInvalid}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, &control.Failure{Message: "The request is more than one JSON value", Code: control.CodeInvalid}
	}
	return v, nil
}
