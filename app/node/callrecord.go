package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// reportTime is how long the record of a call waits for the other end's report.
const reportTime = time.Second

// CallReport is how a call was, as one end saw it. It is kept with the call.
type CallReport struct {
	Path       string  `json:"path,omitempty"`    // "lan", "direct" or "relay"
	Quality    string  `json:"quality,omitempty"` // a word
	MOS        float64 `json:"mos,omitempty"`
	RTT        float64 `json:"rtt_ms,omitempty"`
	Loss       float64 `json:"loss,omitempty"`      // part of the packets that did not arrive here
	Concealed  float64 `json:"concealed,omitempty"` // part of the sound that was made up
	MouthToEar float64 `json:"mouth_to_ear_ms,omitempty"`
	Jitter     float64 `json:"jitter_ms,omitempty"`
	Echo       float64 `json:"echo_db,omitempty"`
}

// CallReports are those of both ends; one is missing when that end broke off.
type CallReports struct {
	Caller *CallReport `json:"caller,omitempty"`
	Callee *CallReport `json:"callee,omitempty"`
}

// ParseCallReports reads what the records of a call keep, the best first. Of
// each end counts the first that tells of it.
func ParseCallReports(records ...[]byte) (out CallReports) {
	for _, b := range records {
		var r CallReports
		if json.Unmarshal(b, &r) != nil {
			continue
		}
		out.Caller, out.Callee = cmp.Or(out.Caller, r.Caller), cmp.Or(out.Callee, r.Callee)
	}
	return out
}

// report sums up how the call was here.
func (p *phone) report() []byte {
	b, err := json.Marshal(p.summary())
	if err != nil || len(b) > call.MaxReport {
		return nil
	}
	return b
}

func (p *phone) summary() *CallReport {
	p.mu.Lock()
	e := p.engine
	p.mu.Unlock()
	if e == nil || p.leg == nil {
		return nil
	}
	s, l := e.Stats(), p.leg.Stats()
	r := &CallReport{
		Path: string(kindOfPath(p.leg.Path())), Quality: s.Quality.String(), MOS: round(s.MOS), RTT: ms(l.RTT),
		MouthToEar: ms(s.MouthToEar), Jitter: round(s.Jitter * 1000), Echo: round(s.EchoReturn),
	}
	if total := l.PacketsReceived + l.PacketsLost; total > 0 {
		r.Loss = round(float64(l.PacketsLost) / float64(total))
	}
	if s.TotalSamplesReceived > 0 {
		r.Concealed = round(float64(s.ConcealedSamples) / float64(s.TotalSamplesReceived))
	}
	return r
}

// round keeps four digits behind the point.
func round(x float64) float64 { return float64(int64(x*1e4+0.5)) / 1e4 }

func ms(d time.Duration) float64 { return round(d.Seconds() * 1000) }

// reportedLocked takes the other end's report. To the caller's goodbye the
// callee's answer is its report, for the caller keeps the record.
func (n *Node) reportedLocked(c call.Call, theirs []byte) {
	if late := n.calls.late[c.ID]; late != nil {
		delete(n.calls.late, c.ID)
		late <- theirs
		return
	}
	p := n.calls.phones[c.ID]
	if p == nil {
		return
	}
	p.mu.Lock()
	p.theirs = theirs
	p.mu.Unlock()
	if !c.Outgoing && !c.ActiveFrom.IsZero() {
		n.calls.queue = append(n.calls.queue, func(context.Context) {
			n.say(c.ID, c.Device, call.Signal{Kind: call.End, Reason: call.Completed, Report: p.report()})
		})
	}
}

// hungUp ends the phone of a call that is over, and keeps its record.
func (n *Node) hungUp(ctx context.Context, id call.ID) {
	ctx = context.WithoutCancel(ctx) // the record is kept even when the node ends
	c := n.findCall(id)
	n.calls.mu.Lock()
	p := n.calls.phones[id]
	delete(n.calls.phones, id)
	var late chan []byte
	if c.Outgoing && c.ByUs && c.Reason == call.Completed && !c.ActiveFrom.IsZero() {
		late = make(chan []byte, 1)
		n.calls.late[id] = late
	}
	n.calls.mu.Unlock()
	var ours []byte
	if p != nil {
		if !c.ActiveFrom.IsZero() {
			ours = p.report()
		}
		n.calls.ending.Go(p.close)
	}
	n.calls.ending.Go(func() {
		var theirs []byte
		if p != nil {
			p.mu.Lock()
			theirs = p.theirs
			p.mu.Unlock()
		}
		if late != nil {
			theirs = n.awaitReport(id, late)
		}
		if p != nil && p.described != nil {
			n.keepCalled(ctx, identity.ID(c.Person))
		}
		n.keepCall(ctx, c, ours, theirs)
	})
}

// calledKey is where it is kept that a person was told in a call how this
// device is reached.
func calledKey(id identity.ID) string { return "called/" + id.String() }

func hasCalled(v *store.View, id identity.ID) (bool, error) {
	b, err := v.Value(calledKey(id))
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return len(b) > 0, err
}

// keepCalled keeps that a person was told, whoever made the call: the window, a
// command or a script. Whoever is no longer known was forgotten with it.
func (n *Node) keepCalled(ctx context.Context, id identity.ID) {
	if c, err := n.Contact(id); err != nil || c.Called || n.known().hides(id) {
		return
	}
	err := n.changeIn(ctx, id, func(tx *store.Tx, _ *store.Contact) error { return tx.Set(calledKey(id), []byte{1}) })
	if err != nil {
		n.log.Warn("keep that somebody was called", "peer", id, "err", err)
	}
}

func (n *Node) awaitReport(id call.ID, late <-chan []byte) []byte {
	timer := time.NewTimer(reportTime)
	defer timer.Stop()
	select {
	case b := <-late:
		return b
	case <-timer.C:
		n.calls.mu.Lock()
		defer n.calls.mu.Unlock()
		delete(n.calls.late, id)
		return nil
	}
}

// dropPhone ends the phone of a call that became another one.
func (n *Node) dropPhone(id call.ID) {
	n.calls.mu.Lock()
	p := n.calls.phones[id]
	delete(n.calls.phones, id)
	n.calls.mu.Unlock()
	if p != nil {
		n.calls.ending.Go(p.close)
	}
}

// keepCall writes the record of a call into the conversation. The caller's
// device does; the other end only when the caller may not be able to.
func (n *Node) keepCall(ctx context.Context, c call.Call, ours, theirs []byte) {
	if !c.Outgoing && c.Reason != call.Lost && (c.Reason != call.Missed || !c.ByUs) || c.Reason == call.Elsewhere {
		return
	}
	reports := CallReports{Caller: parseReport(ours), Callee: parseReport(theirs)}
	if !c.Outgoing {
		reports.Caller, reports.Callee = reports.Callee, reports.Caller
	}
	body := chat.CallBody{
		Call: c.ID, Outgoing: c.Outgoing, Reason: string(recordedReason(c)),
		Duration: uint32(c.Spoken(c.Over).Round(time.Second) / time.Second),
	}
	if b, err := json.Marshal(reports); err == nil && len(b) <= chat.MaxReport && len(b) > len("{}") {
		body.Report = b
	}
	if err := n.write(ctx, identity.ID(c.Person), chat.KindCall, body.Encode()); err != nil && !errors.Is(err, store.ErrNotFound) {
		n.log.Error("keep the record of a call", "call", shortCall(c.ID), "err", err)
	}
}

// recordedReason is the word that the log keeps: there, a person only wants to
// know whether somebody called, and whether they spoke.
func recordedReason(c call.Call) call.Reason {
	switch {
	case !c.ActiveFrom.IsZero():
		if c.Reason == call.Lost {
			return call.Lost
		}
		return call.Completed
	case c.Reason == call.Declined, c.Reason == call.Busy:
		return c.Reason
	case c.Answered.IsZero():
		return call.Missed
	}
	return call.Failed
}

func parseReport(b []byte) *CallReport {
	r := &CallReport{}
	if len(b) == 0 || json.Unmarshal(b, r) != nil {
		return nil
	}
	return r
}
