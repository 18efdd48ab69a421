package ui

import (
	"math"
	"time"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// callWords tells of a call in the past.
func (w *Window) callWords(m *control.Message) string {
	if m.Call == nil {
		return w.tr("call.some")
	}
	side := "in"
	if m.Call.Outgoing {
		side = "out"
	}
	switch m.Call.Reason {
	case control.EndCompleted, control.EndLost:
		return w.tr("call."+m.Call.Reason+"."+side, w.words.length(time.Duration(m.Call.Seconds*float64(time.Second))))
	case control.EndMissed, control.EndDeclined, control.EndBusy, control.EndFailed:
		return w.tr("call." + m.Call.Reason + "." + side)
	}
	return w.tr("call.some")
}

// missed says whether a call is one that the person may want to return.
func missed(m *control.Message) bool {
	return m.Call != nil && !m.Call.Outgoing && (m.Call.Reason == control.EndMissed || m.Call.Reason == control.EndBusy)
}

// callPill makes the pill of a call: a press tells more of it, its last words
// call back.
func (t *timeline) callPill(n *note, m *control.Message) {
	w, row := t.w, *m
	n.tap = func() { w.showCallRow(row) }
	if !missed(m) {
		return
	}
	n.ink = colorWarn
	n.verb, n.act = w.tr("call.back"), func() { w.phone.start(row.Who) }
}

// showCallRow tells how a call in the past was, at both ends.
func (w *Window) showCallRow(m control.Message) {
	c, _ := w.contact(m.Who)
	when := m.Time.In(w.now().Location())
	lines := newColumn(16, newColumn(4,
		bodyText(c.Name),
		smallText(w.words.day(when, w.now())+", "+w.words.clock(when)),
	))
	if m.Call != nil {
		own, other := m.Call.Callee, m.Call.Caller
		if m.Call.Outgoing {
			own, other = other, own
		}
		for _, r := range []struct {
			title string
			*control.CallReport
		}{{w.tr("report.here"), own}, {w.tr("report.there", c.Name), other}} {
			if r.CallReport != nil {
				lines.Add(w.reportLines(r.title, r.CallReport))
			}
		}
	}
	call := primaryButton(w.tr("report.call", c.Name), func() { w.closeModal(); w.phone.start(m.Who) })
	lines.Add(newRow(8, call))
	w.modal(newSheet(400, newCard(newColumn(16, newHeading(w, w.callWords(&m)), lines))))
}

// reportLines are the figures of one end.
func (w *Window) reportLines(title string, r *control.CallReport) fyne.CanvasObject {
	lines := newColumn(4, labelText(title))
	add := func(name, value string) { lines.Add(newEnds(smallText(name).oneLine(), smallText(value))) }
	if word := w.soundsWord(r.Quality); word != "" {
		add(w.tr("report.sound"), word)
	}
	if r.Path == "lan" || r.Path == "direct" || r.Path == "relay" {
		add(w.tr("fact.path"), w.tr("fact.way."+r.Path))
	}
	ms := func(x float64) string { return w.tr("path.rtt", int(math.Round(x))) }
	if r.RTT > 0 {
		add(w.tr("fact.rtt"), ms(r.RTT))
	}
	add(w.tr("fact.loss"), w.percent(r.Loss))
	if r.MouthToEar > 0 {
		add(w.tr("fact.ear"), ms(r.MouthToEar))
	}
	return lines
}
