package control

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// States of a call.
const (
	CallCalling      = "calling"      // outgoing: no device of theirs has answered that it rings
	CallRinging      = "ringing"      // it rings: there if Outgoing, else here
	CallConnecting   = "connecting"   // accepted, no sound yet
	CallActive       = "active"       // both hear each other
	CallReconnecting = "reconnecting" // the network failed; it may come back
	CallEnded        = "ended"
)

// Reasons why a call ended.
const (
	EndCompleted = "ended"     // somebody hung up
	EndMissed    = "missed"    // not answered, or called off before
	EndAway      = "away"      // no device of theirs was here in time
	EndDeclined  = "declined"  // they said no
	EndBusy      = "busy"      // they are in other calls
	EndFailed    = "failed"    // accepted, but no way was found
	EndLost      = "lost"      // the network or the other end broke off
	EndElsewhere = "elsewhere" // answered or declined at another device of ours
	EndStale     = "stale"     // the offer was too old
	EndBroken    = "broken"    // no microphone or loudspeaker could be opened
)

// CurrentCall stands for an id in paths: the call that is spoken in, else the
// one that is dialled. RingingCall is the one that rings here.
const (
	CurrentCall = "current"
	RingingCall = "ringing"
)

// Call is a call as it is now: one that lives, or one that ended lately.
type Call struct {
	ID        string    `json:"id"`
	Was       string    `json:"was,omitempty"` // its id before it became one with a call of theirs
	Who       string    `json:"who"`           // the contact
	Name      string    `json:"name"`
	Outgoing  bool      `json:"outgoing"`
	State     string    `json:"state"`
	Reason    string    `json:"reason,omitempty"` // once ended
	ByUs      bool      `json:"by_us,omitempty"`  // we ended it
	Began     time.Time `json:"began"`
	Answered  time.Time `json:"answered,omitzero"`
	Connected time.Time `json:"connected,omitzero"` // sound could pass from here on: count the duration from it
	Over      time.Time `json:"over,omitzero"`
	Seconds   float64   `json:"seconds"` // since Connected

	Waiting        bool    `json:"waiting,omitempty"` // rings while another call goes on
	Held           bool    `json:"held,omitempty"`    // by us
	HeldThere      bool    `json:"held_there,omitempty"`
	Muted          bool    `json:"muted,omitempty"`
	PushToTalk     bool    `json:"push_to_talk,omitempty"`
	Talking        bool    `json:"talking,omitempty"` // the key of push-to-talk is down
	Headphones     bool    `json:"headphones,omitempty"`
	Volume         float64 `json:"volume_db,omitempty"` // kept for the next call with them
	Recording      bool    `json:"recording,omitempty"`
	RecordingFile  string  `json:"recording_file,omitempty"` // the newest recording of this call: a plain file of yours, not encrypted
	RecordingThere bool    `json:"recording_there,omitempty"`

	MyLevel    float64 `json:"my_level"`    // dBFS: 0 is the loudest, -127 silence
	TheirLevel float64 `json:"their_level"` // dBFS

	Quality *Quality     `json:"quality,omitempty"` // once connected
	Notices []CallNotice `json:"notices,omitempty"` // the last few
}

// Quality is how a call is, in a word and in figures.
type Quality struct {
	Word        string  `json:"word"` // "excellent", "good", "fair", "poor", "bad" or "no sound"
	MOS         float64 `json:"mos"`  // 1 to 4.5
	Path        string  `json:"path"` // "lan", "direct", "relay" or "none"
	Addr        string  `json:"addr,omitempty"`
	RTT         float64 `json:"rtt_ms"`
	Loss        float64 `json:"loss"`       // part of their packets lost here lately, 0 to 1
	LossThere   float64 `json:"loss_there"` // part of ours lost there lately
	Jitter      float64 `json:"jitter_ms"`
	Buffer      float64 `json:"buffer_ms"`       // that the jitter buffer adds
	MouthToEar  float64 `json:"mouth_to_ear_ms"` // estimated
	Concealed   float64 `json:"concealed"`       // part of the sound made up lately
	FirstAudio  float64 `json:"first_audio_ms"`  // from the answer to the first sound here; 0 before
	Frame       float64 `json:"frame_ms"`
	Bitrate     int     `json:"bitrate"`            // of ours, bits a second
	EchoReturn  float64 `json:"echo_db,omitempty"`  // by which they hear themselves weaker
	EchoRemoved float64 `json:"erle_db,omitempty"`  // that the canceller takes away
	Sent        uint64  `json:"packets_sent"`       // so far
	Received    uint64  `json:"packets_received"`   // so far
	Lost        uint64  `json:"packets_lost"`       // so far
	Discarded   uint64  `json:"packets_discarded"`  // too late, or malformed
	SentBytes   uint64  `json:"bytes_sent"`         // of sound
	GotBytes    uint64  `json:"bytes_received"`     // of sound
	Copies      int     `json:"redundancy"`         // older packets that each of ours carries
	MadeUp      uint64  `json:"concealed_samples"`  // so far
	Mended      uint64  `json:"recovered_samples"`  // lost, but told again by a later packet
	Faster      uint64  `json:"removed_samples"`    // to catch up
	Slower      uint64  `json:"inserted_samples"`   // to wait
	AllSamples  uint64  `json:"samples_received"`   // so far
	Events      uint64  `json:"concealment_events"` // so far
}

// CallNotice is something about the sound that a person would want to know.
type CallNotice struct {
	Time   time.Time `json:"time"`
	What   string    `json:"what"` // "microphone-lost", "speaker-changed", "headset-found", "muted-speech", …
	Device string    `json:"device,omitempty"`
	Error  string    `json:"error,omitempty"`
}

// CallEdit changes a call; what is left out stays.
type CallEdit struct {
	Muted      *bool    `json:"muted,omitempty"`
	Held       *bool    `json:"held,omitempty"`
	PushToTalk *bool    `json:"push_to_talk,omitempty"`
	Talking    *bool    `json:"talking,omitempty"`
	Headphones *bool    `json:"headphones,omitempty"` // no echo to cancel
	Recording  *bool    `json:"recording,omitempty"`  // both voices, into the profile's folder "recordings"
	Volume     *float64 `json:"volume_db,omitempty"`
	Typing     bool     `json:"typing,omitempty"` // a key was pressed just now: press its click down
}

// CallReport is how a call was, as one end saw it.
type CallReport struct {
	Path       string  `json:"path,omitempty"`
	Quality    string  `json:"quality,omitempty"`
	MOS        float64 `json:"mos,omitempty"`
	RTT        float64 `json:"rtt_ms,omitempty"`
	Loss       float64 `json:"loss,omitempty"`
	Concealed  float64 `json:"concealed,omitempty"`
	MouthToEar float64 `json:"mouth_to_ear_ms,omitempty"`
	Jitter     float64 `json:"jitter_ms,omitempty"`
	Echo       float64 `json:"echo_db,omitempty"`
}

func callPath(id, rest string) string { return "/calls/" + url.PathEscape(id) + rest }

// Call calls a friend at all their devices.
func (c *Client) Call(ctx context.Context, who string) (Call, error) {
	return send[Call](ctx, c, http.MethodPost, contactPath(who, "/call"), nil)
}

// Calls lists the calls that live and those that ended lately, the oldest first.
func (c *Client) Calls(ctx context.Context) ([]Call, error) {
	return get[[]Call](ctx, c, "/calls")
}

// CallNow asks how a call is.
func (c *Client) CallNow(ctx context.Context, id string) (Call, error) {
	return get[Call](ctx, c, callPath(id, ""))
}

// Answer accepts a call that rings here; one that is spoken in is held.
func (c *Client) Answer(ctx context.Context, id string) (Call, error) {
	return send[Call](ctx, c, http.MethodPost, callPath(id, "/answer"), nil)
}

// Decline refuses a call that rings here.
func (c *Client) Decline(ctx context.Context, id string) (Call, error) {
	return send[Call](ctx, c, http.MethodPost, callPath(id, "/decline"), nil)
}

// HangUp ends a call, or calls it off.
func (c *Client) HangUp(ctx context.Context, id string) (Call, error) {
	return send[Call](ctx, c, http.MethodPost, callPath(id, "/hangup"), nil)
}

// EditCall mutes, holds, records, and so on.
func (c *Client) EditCall(ctx context.Context, id string, e CallEdit) (Call, error) {
	return send[Call](ctx, c, http.MethodPatch, callPath(id, ""), e)
}

// A CallFeed is a stream of one call's states. Next is called by one goroutine.
type CallFeed struct {
	body io.ReadCloser
	in   *bufio.Scanner
}

// FollowCall streams a call: at once, after each change, and every so often
// (at least 20 ms; levels move in between). It ends after the call.
func (c *Client) FollowCall(ctx context.Context, id string, every time.Duration) (*CallFeed, error) {
	body, err := c.open(ctx, http.MethodGet, callPath(id, "/feed?every_ms="+strconv.FormatInt(every.Milliseconds(), 10)), nil)
	if err != nil {
		return nil, err
	}
	in := bufio.NewScanner(body)
	in.Buffer(make([]byte, 0, 4096), maxLine)
	return &CallFeed{body: body, in: in}, nil
}

// Next waits for the next state; io.EOF follows the one that is ended.
func (f *CallFeed) Next() (Call, error) {
	if !f.in.Scan() {
		if err := f.in.Err(); err != nil {
			return Call{}, fmt.Errorf("follow call: %w", err)
		}
		return Call{}, io.EOF
	}
	var c Call
	if err := json.Unmarshal(f.in.Bytes(), &c); err != nil {
		return Call{}, fmt.Errorf("decode call: %w", err)
	}
	return c, nil
}

// Close ends the stream.
func (f *CallFeed) Close() error { return f.body.Close() }
