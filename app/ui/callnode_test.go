package ui

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// exchange is what a talkNode knows of calls: it keeps them as a node does,
// and tells of every change.
type exchange struct {
	calls   []*control.Call
	edits   []string // of calls, as JSON
	feeds   int      // that are open
	paces   []time.Duration
	told    int // lines that all feeds have given
	devices []control.SoundDevice
	echo    control.EchoReport
}

// call puts a call into a state and tells of it; a new one is made.
func (n *talkNode) call(id, who string, f func(*control.Call)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.find(id)
	if c == nil {
		c = &control.Call{ID: id, Who: who, Name: n.contact(who).Name, Began: talkNow(), State: control.CallRinging, MyLevel: -127, TheirLevel: -127}
		n.exchange.calls = append(n.exchange.calls, c)
	}
	f(c)
	n.stir(c)
}

func (n *talkNode) stir(c *control.Call) {
	n.tell(control.Change{Type: control.ChangeCall, Who: c.Who, ID: c.ID, State: c.State})
}

func (n *talkNode) find(id string) *control.Call {
	i := slices.IndexFunc(n.exchange.calls, func(c *control.Call) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return n.exchange.calls[i]
}

// active makes a call one that is spoken in.
func active(c *control.Call) {
	c.State, c.Answered, c.Connected, c.Seconds = control.CallActive, talkNow(), talkNow(), 761
	c.MyLevel, c.TheirLevel = -38, -16
	c.Quality = &control.Quality{
		Word: "excellent", MOS: 4.4, Path: "direct", Addr: "192.0.2.17:41820", RTT: 12.4, Loss: 0.004, Buffer: 14, MouthToEar: 38,
		Concealed: 0.001, Frame: 10, Bitrate: 32000, EchoRemoved: 34,
	}
}

func ended(reason string) func(*control.Call) {
	return func(c *control.Call) {
		c.State, c.Reason, c.Over, c.Quality = control.CallEnded, reason, talkNow(), nil
	}
}

func (n *talkNode) dial(who string) any {
	c := &control.Call{ID: fmt.Sprintf("call%d", len(n.exchange.calls)+1), Who: who, Name: n.contact(who).Name, Outgoing: true, State: control.CallCalling, Began: talkNow()}
	n.exchange.calls = append(n.exchange.calls, c)
	n.stir(c)
	return *c
}

// phone answers the verbs of calls and sound.
func (n *talkNode) phone(req *http.Request, parts []string) any {
	verb := req.Method + " " + parts[0]
	if len(parts) > 1 && (len(parts) == 3 || parts[0] == "sound") {
		verb += " " + parts[len(parts)-1]
	}
	switch verb {
	case "GET calls":
		list := []control.Call{}
		for _, c := range n.exchange.calls {
			list = append(list, *c)
		}
		return list
	case "GET sound":
		return n.exchange.devices
	case "PUT sound":
		return n.choose(decode[control.SoundChoice](req))
	case "POST sound test":
		return control.EchoTest{Report: &n.exchange.echo}
	}
	c := n.find(parts[1])
	if c == nil {
		return nil
	}
	switch verb {
	case "POST calls answer":
		for _, o := range n.exchange.calls {
			if o.State == control.CallActive {
				o.Held = true
			}
		}
		active(c)
	case "POST calls decline":
		ended(control.EndDeclined)(c)
		c.ByUs = true
	case "POST calls hangup":
		ended(control.EndCompleted)(c)
		c.ByUs = true
	case "PATCH calls":
		n.edit(c, req)
	}
	n.stir(c)
	return *c
}

// recordingFile is what calls are recorded into.
const recordingFile = "/home/yelena/recordings/Ana.wav"

func (n *talkNode) edit(c *control.Call, req *http.Request) {
	e := decode[control.CallEdit](req)
	b, _ := json.Marshal(e)
	n.exchange.edits = append(n.exchange.edits, string(b))
	for to, from := range map[*bool]*bool{&c.Muted: e.Muted, &c.Held: e.Held, &c.PushToTalk: e.PushToTalk, &c.Talking: e.Talking, &c.Headphones: e.Headphones, &c.Recording: e.Recording} {
		if from != nil {
			*to = *from
		}
	}
	if e.Volume != nil {
		c.Volume = *e.Volume
	}
	if c.Recording {
		c.RecordingFile = recordingFile
	}
}

// choose marks devices as chosen; an empty id is the system's choice.
func (n *talkNode) choose(s control.SoundChoice) any {
	chosen := func(d *control.SoundDevice, kind string, want *string, mark *bool) {
		if d.Kind == kind && want != nil {
			*mark = d.ID == *want || *want == "" && d.Default
		}
	}
	for i := range n.exchange.devices {
		d := &n.exchange.devices[i]
		chosen(d, microphone, s.Mic, &d.Chosen)
		chosen(d, loudspeaker, s.Speaker, &d.Chosen)
		chosen(d, loudspeaker, s.Ring, &d.Rings)
	}
	return n.exchange.devices
}

// feed streams a call as a node does: at once and every so often, until it has
// ended. Levels move all the time.
func (n *talkNode) feed(out http.ResponseWriter, req *http.Request, id string) {
	every, _ := strconv.Atoi(req.FormValue("every_ms"))
	n.mu.Lock()
	n.exchange.feeds++
	n.exchange.paces = append(n.exchange.paces, time.Duration(every)*time.Millisecond)
	n.mu.Unlock()
	defer func() { n.mu.Lock(); n.exchange.feeds--; n.mu.Unlock() }()
	tick := time.NewTicker(time.Duration(every) * time.Millisecond)
	defer tick.Stop()
	for {
		n.mu.Lock()
		c := n.find(strings.TrimSpace(id))
		if c == nil {
			n.mu.Unlock()
			out.WriteHeader(http.StatusNotFound)
			return
		}
		now := *c
		n.exchange.told++
		n.mu.Unlock()
		_ = json.NewEncoder(out).Encode(now)
		out.(http.Flusher).Flush()
		if now.State == control.CallEnded {
			return
		}
		select {
		case <-req.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// followed says how many lines all feeds have given, and how many are open.
func (n *talkNode) followed() (lines, open int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.exchange.told, n.exchange.feeds
}

// done counts what the node was asked to do, as "POST /calls/c1/answer".
func (n *talkNode) done(verb string) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range n.asked {
		if a == verb {
			count++
		}
	}
	return count
}
