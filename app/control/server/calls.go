package server

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
)

func (s *Server) callRoutes() {
	s.aboutWho("POST /v1/contacts/{who}/call", func(n *node.Node, who identity.ID, _ *http.Request) (any, error) {
		id, err := n.Call(who)
		if err != nil {
			return nil, err
		}
		return callNow(n, id)
	})
	s.verb("GET /v1/calls", func(n *node.Node, _ *http.Request) (any, error) {
		out := []control.Call{}
		for _, c := range n.Calls() {
			out = append(out, callOf(c))
		}
		return out, nil
	})
	s.aboutCall("GET /v1/calls/{call}", func(*node.Node, call.ID, *http.Request) error { return nil })
	s.aboutCall("PATCH /v1/calls/{call}", editCall)
	s.aboutCall("POST /v1/calls/{call}/answer", func(n *node.Node, id call.ID, _ *http.Request) error { return n.Answer(id) })
	s.aboutCall("POST /v1/calls/{call}/decline", func(n *node.Node, id call.ID, _ *http.Request) error {
		c, err := n.CallInfo(id)
		if err == nil && (c.Outgoing || c.State != call.Ringing) {
			err = node.ErrCallState
		}
		if err != nil {
			return err
		}
		return n.HangUp(id)
	})
	s.aboutCall("POST /v1/calls/{call}/hangup", func(n *node.Node, id call.ID, _ *http.Request) error { return n.HangUp(id) })
	s.mux.HandleFunc("GET /v1/calls/{call}/feed", s.callFeed)
	s.verb("GET /v1/sound", func(n *node.Node, _ *http.Request) (any, error) { return soundDevices(n) })
	s.verb("PUT /v1/sound", func(n *node.Node, r *http.Request) (any, error) {
		in, err := decode[control.SoundChoice](r)
		if err != nil {
			return nil, err
		}
		if err := n.ChooseSound(node.SoundChoice(in)); err != nil {
			return nil, err
		}
		return soundDevices(n)
	})
	s.mux.HandleFunc("POST /v1/sound/test", s.testSound)
	s.mux.HandleFunc("POST /v1/contacts/{who}/test", s.testWith)
}

// aboutCall registers a verb that answers with the call as it is after it.
func (s *Server) aboutCall(pattern string, f func(n *node.Node, id call.ID, r *http.Request) error) {
	s.verb(pattern, func(n *node.Node, r *http.Request) (any, error) {
		id, err := callID(n, r.PathValue("call"))
		if err != nil {
			return nil, err
		}
		if err := f(n, id, r); err != nil {
			return nil, err
		}
		return callNow(n, id)
	})
}

// callID finds the call that a path means.
func callID(n *node.Node, text string) (call.ID, error) {
	rank := 0 // of the best candidate
	var best call.ID
	for _, c := range n.Calls() {
		got := 0
		switch {
		case !c.Live():
		case text == control.RingingCall && c.State == call.Ringing && !c.Outgoing:
			got = 1
		case text != control.CurrentCall:
		case !c.Answered.IsZero() && !c.Held:
			got = 4
		case c.Outgoing && c.Answered.IsZero():
			got = 3
		case !c.Answered.IsZero():
			got = 2
		default:
			got = 1
		}
		if got > rank {
			rank, best = got, c.ID
		}
	}
	if rank > 0 {
		return best, nil
	}
	var id call.ID
	if b, err := hex.DecodeString(text); err == nil && len(b) == len(id) {
		copy(id[:], b)
		return id, nil
	}
	return id, node.ErrNoCall
}

func callNow(n *node.Node, id call.ID) (any, error) {
	c, err := n.CallInfo(id)
	if err != nil {
		return nil, err
	}
	return callOf(c), nil
}

func editCall(n *node.Node, id call.ID, r *http.Request) error {
	in, err := decode[control.CallEdit](r)
	if err != nil {
		return err
	}
	return n.EditCall(r.Context(), id, node.CallEdit{
		Muted: in.Muted, Held: in.Held, PushToTalk: in.PushToTalk, Talking: in.Talking, Headphones: in.Headphones,
		Recording: in.Recording, Volume: in.Volume, Typing: in.Typing,
	})
}

// Bounds of the pause between two lines of a feed.
const (
	leastPause   = 20 * time.Millisecond
	defaultPause = time.Second
	mostPause    = time.Minute
)

// passCalls puts a token into stirred for each change of calls, until ctx ends.
func passCalls(ctx context.Context, watcher *node.Watcher, stirred chan<- struct{}) {
	for {
		c, err := watcher.Next(ctx)
		if err != nil {
			return
		}
		if c.Topic != node.TopicCall && c.Topic != node.TopicReset {
			continue
		}
		select {
		case stirred <- struct{}{}:
		default:
		}
	}
}

// callFeed streams one call until it has ended.
func (s *Server) callFeed(w http.ResponseWriter, r *http.Request) {
	n, err := s.node()
	var id call.ID
	if err == nil {
		id, err = callID(n, r.PathValue("call"))
	}
	if err == nil {
		_, err = n.CallInfo(id)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	every := defaultPause
	if given, err := strconv.Atoi(r.URL.Query().Get("every_ms")); err == nil {
		every = min(max(time.Duration(given)*time.Millisecond, leastPause), mostPause)
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	stream := &lines{w: w, rc: http.NewResponseController(w)}
	watcher := n.Watch()
	defer watcher.Close()
	stirred := make(chan struct{}, 1)
	go func() {
		defer close(stirred)
		passCalls(r.Context(), watcher, stirred)
	}()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		c, err := n.CallInfo(id)
		if err != nil || stream.put(callOf(c)) != nil || !c.Live() {
			return
		}
		select {
		case _, ok := <-stirred:
			if !ok {
				tellEnd(r.Context(), n, id, watcher, stream)
				return
			}
		case <-tick.C:
		}
	}
}

// farewell is how long a program that ends may take to hang up.
const farewell = time.Second

// tellEnd streams how a call ends whose program ends. Where only the viewer has
// left, nobody reads it.
func tellEnd(ctx context.Context, n *node.Node, id call.ID, watcher *node.Watcher, stream *lines) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	for {
		c, err := n.CallInfo(id)
		if err != nil {
			return
		}
		if !c.Live() {
			_ = stream.put(callOf(c)) // the viewer may have left
			return
		}
		if _, err := watcher.Next(ctx); err != nil {
			return
		}
	}
}

func callOf(c node.CallInfo) control.Call {
	out := control.Call{
		ID: hex.EncodeToString(c.ID[:]), Who: identity.ID(c.Person).String(), Name: c.Name, Outgoing: c.Outgoing,
		State: string(c.State), Reason: string(c.Reason), ByUs: c.ByUs,
		Began: shown(c.Began), Answered: shown(c.Answered), Connected: shown(c.ActiveFrom), Over: shown(c.Over), Seconds: c.Spoken(time.Now()).Seconds(),
		Waiting: c.Waiting, Held: c.Held, HeldThere: c.HeldThere, Muted: c.Muted, PushToTalk: c.PushToTalk, Talking: c.Talking,
		Headphones: c.Headphones, Volume: c.Volume, Recording: c.Recording, RecordingFile: c.RecordingFile, RecordingThere: c.RecordingThere,
		MyLevel: c.Mine, TheirLevel: c.Theirs,
	}
	if c.Was != (call.ID{}) {
		out.Was = hex.EncodeToString(c.Was[:])
	}
	if !c.ActiveFrom.IsZero() && c.Live() {
		out.Quality = qualityOf(c)
	}
	for _, x := range c.Notices {
		note := control.CallNotice{Time: shown(x.At), What: string(x.Kind), Device: x.Device}
		if x.Err != nil {
			note.Error = x.Err.Error()
		}
		out.Notices = append(out.Notices, note)
	}
	return out
}

func qualityOf(c node.CallInfo) *control.Quality {
	v := c.Voice
	q := &control.Quality{
		Word: v.Quality.String(), MOS: v.MOS, Path: string(c.Path), Addr: c.Addr,
		RTT: millis(c.Net.RTT), Loss: v.Loss, LossThere: c.Net.Loss, Jitter: v.Jitter * 1000, Buffer: millis(v.JitterDelay),
		MouthToEar: millis(v.MouthToEar), Concealed: v.Concealed, Frame: millis(v.Frame), Bitrate: v.Bitrate, Copies: v.Copies,
		EchoReturn: v.EchoReturn, EchoRemoved: v.EchoReturnLossEnhancement,
		Sent: v.PacketsSent, Received: v.PacketsReceived, Lost: uint64(max(v.PacketsLost, 0)), Discarded: v.PacketsDiscarded,
		SentBytes: v.BytesSent, GotBytes: v.BytesReceived, MadeUp: v.ConcealedSamples, Mended: v.RecoveredSamples,
		Faster: v.RemovedSamplesForAcceleration, Slower: v.InsertedSamplesForDeceleration,
		AllSamples: v.TotalSamplesReceived, Events: v.ConcealmentEvents,
	}
	if !v.FirstAudio.IsZero() {
		q.FirstAudio = millis(v.FirstAudio.Sub(c.Answered))
	}
	return q
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// reportOf makes the API's report of a stored one.
func reportOf(r *node.CallReport) *control.CallReport {
	if r == nil {
		return nil
	}
	out := control.CallReport(*r)
	return &out
}
