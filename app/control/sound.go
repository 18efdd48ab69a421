package control

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
)

// SoundDevice is a microphone or a loudspeaker.
type SoundDevice struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`              // "microphone" or "loudspeaker"
	Default bool   `json:"default,omitempty"` // the system's own choice
	Chosen  bool   `json:"chosen,omitempty"`  // for calls
	Rings   bool   `json:"rings,omitempty"`   // calls that come in are heard here
}

// SoundChoice takes devices by their ids; nil leaves as it is. An empty
// microphone or loudspeaker is the system's choice; an empty Ring rings where
// calls are heard.
type SoundChoice struct {
	Mic     *string `json:"mic,omitempty"`
	Speaker *string `json:"speaker,omitempty"`
	Ring    *string `json:"ring,omitempty"`
}

// EchoTest is a line of a test of the sound: what happens next, then what was
// found.
type EchoTest struct {
	Step   string      `json:"step,omitempty"` // "ask", "listen", "speak" or "playback"
	Report *EchoReport `json:"report,omitempty"`
}

// EchoReport is what a test of the sound found.
type EchoReport struct {
	Good       bool     `json:"good"`
	Findings   []string `json:"findings"`      // words, such as "echo.good", "voice.quiet", "way", "return.slow"
	Heard      bool     `json:"heard"`         // the microphone heard the loudspeaker
	EchoDelay  float64  `json:"echo_delay_ms"` // from loudspeaker to microphone
	Room       float64  `json:"room_db"`       // that the room takes from the echo
	Echo       float64  `json:"echo_db"`       // by which friends hear themselves weaker; 0 when none was heard
	Canceller  string   `json:"canceller,omitempty"`
	Voice      float64  `json:"voice_dbfs"`
	Noise      float64  `json:"noise_dbfs"`
	MouthToEar float64  `json:"mouth_to_ear_ms"`
	Quality    string   `json:"quality"`
	Mic        string   `json:"mic"`
	Speaker    string   `json:"speaker"`
	Far        *EchoFar `json:"far,omitempty"` // of a test with a friend's machine
}

// EchoFar is how the way to a friend's machine and back was.
type EchoFar struct {
	Who       string  `json:"who"`
	Name      string  `json:"name"`
	Path      string  `json:"path"` // "lan", "direct", "relay" or "none"
	RTT       float64 `json:"rtt_ms"`
	Return    float64 `json:"return_ms"`  // of sound, through both machines; 0 when nothing came back
	Loss      float64 `json:"loss"`       // part of the sound lost on the way back
	LossThere float64 `json:"loss_there"` // part lost on the way there
}

// Sentences say what was found in words. tr gives the sentence of a key of the
// program's words, with arguments in it.
func (r EchoReport) Sentences(tr func(key string, args ...any) string) []string {
	whole := func(x float64) int { return int(math.Round(math.Abs(x))) }
	var out []string
	for _, f := range r.Findings {
		key := "test." + f
		switch {
		case strings.HasPrefix(f, "echo."):
			out = append(out, tr(key, whole(r.Echo)))
		case f == "way":
			out = append(out, tr(key, whole(r.MouthToEar), tr("sounds."+strings.ReplaceAll(r.Quality, "no sound", "none"))))
		case strings.HasPrefix(f, "return.") && r.Far != nil:
			out = append(out, tr(key, r.Far.Name, whole(r.Far.Return)))
		default:
			out = append(out, tr(key))
		}
	}
	if f := r.Far; f != nil && f.Path != "none" && f.Path != "" {
		out = append(out, tr("test.path."+f.Path, f.Name, whole(f.RTT)), tr("test.loss", whole(f.LossThere*100), whole(f.Loss*100)))
	}
	return out
}

// SoundDevices lists microphones and loudspeakers.
func (c *Client) SoundDevices(ctx context.Context) ([]SoundDevice, error) {
	return get[[]SoundDevice](ctx, c, "/sound")
}

// ChooseSound takes other devices, at once in the call that goes on.
func (c *Client) ChooseSound(ctx context.Context, s SoundChoice) ([]SoundDevice, error) {
	return send[[]SoundDevice](ctx, c, http.MethodPut, "/sound", s)
}

// FollowTest hears whether this machine can call: a sound is played, then one
// may speak and hears oneself. step is told what happens next: "listen",
// "speak", "playback".
func (c *Client) FollowTest(ctx context.Context, step func(string)) (EchoReport, error) {
	return c.followTest(ctx, "/sound/test", step)
}

// FollowTestWith is FollowTest over a friend's machine, which sends back what
// it hears; its owner has allowed that, and nobody rings. The first step is
// "ask".
func (c *Client) FollowTestWith(ctx context.Context, who string, step func(string)) (EchoReport, error) {
	return c.followTest(ctx, contactPath(who, "/test"), step)
}

func (c *Client) followTest(ctx context.Context, path string, step func(string)) (EchoReport, error) {
	body, err := c.open(ctx, http.MethodPost, path, nil)
	if err != nil {
		return EchoReport{}, err
	}
	defer body.Close()
	in := json.NewDecoder(body)
	for {
		var line EchoTest
		if err := in.Decode(&line); err != nil {
			return EchoReport{}, fmt.Errorf("test the sound: %w", err)
		}
		if line.Report != nil {
			return *line.Report, nil
		}
		step(line.Step)
	}
}
