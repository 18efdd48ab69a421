package server

import (
	"context"
	"net/http"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
)

func soundDevices(n *node.Node) (any, error) {
	all, err := n.SoundDevices()
	if err != nil {
		return nil, err
	}
	out := []control.SoundDevice{}
	for _, d := range all {
		kind := "loudspeaker"
		if d.Mic {
			kind = "microphone"
		}
		out = append(out, control.SoundDevice{ID: d.ID, Name: d.Name, Kind: kind, Default: d.Default, Chosen: d.Chosen, Rings: d.Rings})
	}
	return out, nil
}

// soundTest is a test that tells step how far it is.
type soundTest func(ctx context.Context, step func(string)) (control.EchoReport, error)

// testSound streams a test of the sound here.
func (s *Server) testSound(w http.ResponseWriter, r *http.Request) {
	n, err := s.node()
	if err != nil {
		s.fail(w, err)
		return
	}
	s.streamTest(w, r, func(ctx context.Context, step func(string)) (control.EchoReport, error) {
		found, err := n.TestSound(ctx, func(x node.EchoStep) { step(string(x)) })
		return echoReport(found, found.Findings()), err
	})
}

// testWith streams a test over a friend's machine.
func (s *Server) testWith(w http.ResponseWriter, r *http.Request) {
	n, err := s.node()
	if err != nil {
		s.fail(w, err)
		return
	}
	who, err := n.Resolve(r.PathValue("who"))
	if err != nil {
		s.fail(w, err)
		return
	}
	s.streamTest(w, r, func(ctx context.Context, step func(string)) (control.EchoReport, error) {
		found, err := n.TestWith(ctx, who, func(x node.EchoStep) { step(string(x)) })
		out := echoReport(found.EchoReport, found.FarFindings())
		out.Good = out.Good && found.Return > 0
		out.Far = &control.EchoFar{
			Who: who.String(), Path: string(found.Path), RTT: millis(found.RTT), Return: millis(found.Return),
			Loss: found.Loss, LossThere: found.LossThere,
		}
		if c, err := n.Contact(who); err == nil {
			out.Far.Name = c.Shown
		}
		return out, err
	})
}

func (s *Server) streamTest(w http.ResponseWriter, r *http.Request, test soundTest) {
	stream := &lines{w: w, rc: http.NewResponseController(w)}
	begun := false
	found, err := test(r.Context(), func(step string) {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		_ = stream.put(control.EchoTest{Step: step}) // whoever has gone hears no more of it
	})
	switch {
	case err == nil:
		_ = stream.put(control.EchoTest{Report: &found})
	case begun:
		s.log.Warn("test the sound", "err", err)
		panic(http.ErrAbortHandler) // the reader must see that it is not whole
	default:
		s.fail(w, err)
	}
}

func echoReport(e node.EchoReport, findings []node.EchoFinding) control.EchoReport {
	out := control.EchoReport{
		Good: e.Good(), Findings: []string{}, Heard: e.Heard, EchoDelay: millis(e.Delay), Room: e.Room, Canceller: e.Canceller,
		Voice: e.Voice, Noise: e.Noise, MouthToEar: millis(e.MouthToEar), Quality: e.Quality.String(), Mic: e.Mic, Speaker: e.Output,
	}
	if e.Heard {
		out.Echo = e.EchoReturn
	}
	for _, f := range findings {
		out.Findings = append(out.Findings, string(f))
	}
	return out
}
