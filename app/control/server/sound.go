package server

import (
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
		out = append(out, control.SoundDevice{ID: d.ID, Name: d.Name, Kind: kind, Default: d.Default, Chosen: d.Chosen})
	}
	return out, nil
}

// testSound streams a test of the sound.
func (s *Server) testSound(w http.ResponseWriter, r *http.Request) {
	n, err := s.node()
	if err != nil {
		s.fail(w, err)
		return
	}
	stream := &lines{w: w, rc: http.NewResponseController(w)}
	begun := false
	found, err := n.TestSound(r.Context(), func(step node.EchoStep) {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		_ = stream.put(control.EchoTest{Step: string(step)}) // whoever has gone hears no more of it
	})
	switch {
	case err == nil:
		report := echoReport(found)
		_ = stream.put(control.EchoTest{Report: &report})
	case begun:
		s.log.Warn("test the sound", "err", err)
		panic(http.ErrAbortHandler) // the reader must see that it is not whole
	default:
		s.fail(w, err)
	}
}

// What makes a test good: an echo that nobody hears, a voice that everybody does.
const (
	goodEcho  = 30.0  // dB
	goodVoice = -40.0 // dBFS
)

func echoReport(e node.EchoReport) control.EchoReport {
	out := control.EchoReport{
		Heard: e.Heard, EchoDelay: millis(e.Delay), Room: e.Room, Canceller: e.Canceller,
		Voice: e.Voice, Noise: e.Noise, MouthToEar: millis(e.MouthToEar), Quality: e.Quality.String(), Mic: e.Mic, Speaker: e.Output,
	}
	if e.Heard {
		out.Echo = e.EchoReturn
	}
	out.Good = e.Voice >= goodVoice && (!e.Heard || e.EchoReturn >= goodEcho)
	for _, s := range e.Sentences() {
		out.Say = append(out.Say, sentence(s))
	}
	return out
}
