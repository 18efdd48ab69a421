package node_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
)

// frame is a frame with events of alice's that came, and when.
type frame struct {
	events []*chat.Event
	raw    []byte
	at     time.Time
}

// listens reads what alice sends within half a second.
func (m *mallory) listens() (out []frame) {
	m.t.Helper()
	_ = m.ch.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	for {
		b, err := m.ch.Receive()
		if err != nil {
			_ = m.ch.SetReadDeadline(time.Time{})
			return out
		}
		f, err := chat.ParseFrame(b)
		if err != nil {
			m.t.Fatal(err)
		}
		events, ok := f.(chat.EventsFrame)
		if !ok {
			continue
		}
		got := frame{raw: b, at: time.Now()}
		for _, e := range events.Events {
			parsed, err := chat.ParseEvent(e)
			if err != nil {
				m.t.Fatal(err)
			}
			if parsed.Device == m.alice.DeviceID() {
				got.events = append(got.events, parsed)
			}
		}
		if len(got.events) > 0 {
			out = append(out, got)
		}
	}
}

// has says that mallory holds alice's chain up to an event.
func (m *mallory) has(seq uint64) {
	rc := chat.Receipt{Conv: m.conv, By: m.DeviceID(), Author: m.alice.DeviceID(), Delivered: seq, Time: 1}
	rc.Sign(m.key)
	m.say(chat.ReceiptsFrame{Receipts: []chat.Receipt{rc}}.Encode())
}

// hears makes alice write texts, a millisecond apart.
func (m *mallory) hears(texts ...string) (ids []chat.Hash) {
	for _, text := range texts {
		ids = append(ids, m.alice.Send(m.Person, text))
		m.town.Pass(time.Millisecond)
	}
	return ids
}

// meets makes alice believe that mallory holds everything, and gives the last
// event of hers.
func (m *mallory) meets() uint64 {
	m.t.Helper()
	m.say(chat.FrontierFrame{Frontier: chat.Frontier{Conv: m.conv}}.Encode())
	m.alice.Send(m.Person, "hello")
	var last uint64
	for _, f := range m.listens() {
		for _, e := range f.events {
			last = max(last, e.Seq)
		}
	}
	m.has(last)
	m.town.Pass(100 * time.Millisecond)
	return last
}

func TestWhatAFriendHasNoTimeForGathersAndComesTogether(t *testing.T) {
	withMallory(t, func(m *mallory) {
		last := m.meets()
		var texts []string
		for i := range 10 {
			texts = append(texts, fmt.Sprint("text ", i))
		}
		m.hears(texts...)
		frames := m.listens()
		if len(frames) > 3 {
			t.Errorf("ten texts came in %d frames, and none was acknowledged", len(frames))
		}
		for _, f := range frames {
			for _, e := range f.events {
				if last++; e.Seq != last {
					t.Errorf("event %d came instead of %d", e.Seq, last)
				}
			}
		}
		m.has(last - 1)
		m.town.Pass(100 * time.Millisecond)
		if m.hears("the next"); len(m.listens()) != 1 {
			t.Error("what is written later did not come")
		}
	})
}

func TestWhoAcknowledgesGetsTheNextAtOnce(t *testing.T) {
	withMallory(t, func(m *mallory) {
		last := m.meets()
		m.hears("one", "two", "three")
		m.has(last + 2)
		begin := time.Now()
		frames := m.listens()
		i := slices.IndexFunc(frames, func(f frame) bool { return f.events[0].Seq == last+3 })
		if i < 0 {
			t.Fatalf("of three texts %d frames came", len(frames))
		}
		if late := frames[i].at.Sub(begin); late > 20*time.Millisecond {
			t.Errorf("the third came %v after the first two were acknowledged", late)
		}
	})
}

func TestWhatIsTakenBackBeforeItWasSentIsNotSent(t *testing.T) {
	withMallory(t, func(m *mallory) {
		m.meets()
		ids := m.hears("one", "two", "regretted")
		if err := m.alice.Node().Delete(m.town.Context(), ids[2]); err != nil {
			t.Fatal(err)
		}
		frames := m.listens()
		for _, f := range frames {
			if bytes.Contains(f.raw, []byte("regretted")) {
				t.Error("a text was sent that had been taken back")
			}
		}
		if e := frames[len(frames)-1].events; e[len(e)-1].Kind != chat.KindDelete {
			t.Error("nobody was told that a text was taken back")
		}
	})
}
