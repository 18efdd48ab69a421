package store_test

import (
	"fmt"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
)

func TestACallThatBothEndsRecordIsOneRow(t *testing.T) {
	id := [16]byte{7}
	hers := chat.CallBody{Call: id, Outgoing: true, Reason: "lost", Duration: 5, Report: []byte("hers")}
	his := chat.CallBody{Call: id, Reason: "lost", Duration: 4, Report: []byte("his")}
	for name, order := range map[string][]chat.CallBody{"the caller first": {hers, his}, "the caller last": {his, hers}} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			text(t, s, ana, "laptop", "before")
			for _, b := range order {
				author, device := ana, "laptop"
				if !b.Outgoing {
					author, device = bo, "desk"
				}
				say(t, s, author, device, chat.KindCall, b.Encode())
			}
			text(t, s, ana, "laptop", "after")
			check := func(when string) {
				t.Helper()
				rows := lastPage(t, s)
				if len(rows) != 3 || rows[1].Call == nil || rows[1].Call.Duration != 5 || rows[1].Author != ana.id {
					t.Errorf("%s: the log shows %+v", when, rows)
				}
				if got := fmt.Sprintf("%s", rows[1].Reports); got != "[hers his]" {
					t.Errorf("%s: the row keeps the reports %s", when, got)
				}
				if u, err := s.Unread(talk); err != nil || u.Count != 0 {
					t.Errorf("%s: %d rows are unread, %v", when, u.Count, err)
				}
			}
			check("at once")
			if _, err := s.Rebuild(t.Context()); err != nil {
				t.Fatal(err)
			}
			check("after the index was drawn again")
			if all, err := s.EventsAfter(talk, nil, 100, 1<<20); err != nil || len(all) != 4 {
				t.Errorf("%d events are passed on, %v", len(all), err)
			}
		})
	}
}

func TestOnlyMissedCallsWaitToBeSeen(t *testing.T) {
	for reason, want := range map[string]int{"missed": 1, "busy": 1, "a reason of tomorrow": 1, "ended": 0, "lost": 0, "declined": 0, "failed": 0} {
		s := open(t, t.TempDir())
		say(t, s, bo, "desk", chat.KindCall, chat.CallBody{Call: [16]byte{1}, Outgoing: true, Reason: reason}.Encode())
		if u, err := s.Unread(talk); err != nil || u.Count != want {
			t.Errorf("a call that ended because %q: %d unread, %v", reason, u.Count, err)
		}
		say(t, s, bo, "desk", chat.KindCall, chat.CallBody{Call: [16]byte{2}, Reason: reason}.Encode())
		if u, err := s.Unread(talk); err != nil || u.Count != want {
			t.Errorf("our own call that ended because %q: %d unread, %v", reason, u.Count, err)
		}
	}
}
