package transport

import (
	"slices"
	"testing"
)

func TestASlowWatcherHearsTheTruthInFewWords(t *testing.T) {
	const in, out = true, false
	for _, row := range []struct {
		name  string
		heard []bool // what the watcher heard before
		then  []bool // what happens while it does not listen
		want  []EventKind
	}{
		{"came", nil, []bool{in}, []EventKind{Connected}},
		{"came and went", nil, []bool{in, out}, nil},
		{"came, went, came", nil, []bool{in, out, in}, []EventKind{Connected}},
		{"lost", []bool{in}, []bool{out}, []EventKind{Disconnected}},
		{"lost and found", []bool{in}, []bool{out, in}, []EventKind{Disconnected, Connected}},
		{"lost, found, lost", []bool{in}, []bool{out, in, out}, []EventKind{Disconnected}},
		{"flapping", []bool{in}, []bool{out, in, out, in, out, in}, []EventKind{Disconnected, Connected}},
		{"nothing new", []bool{in}, []bool{in}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWatcher()
			for _, c := range row.heard {
				w.note("ana", c)
				w.take()
			}
			for _, c := range row.then {
				w.note("ana", c)
			}
			var got []EventKind
			for _, e := range w.take() {
				got = append(got, e.Kind)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("heard %v, want %v", got, row.want)
			}
			if more := w.take(); more != nil {
				t.Errorf("and then %v", more)
			}
		})
	}
}

func TestAWatcherWhoNeverListensHoldsNothingOfPassersBy(t *testing.T) {
	w := newWatcher()
	for i := range 1000 {
		p := Peer(rune(i))
		w.note(p, true)
		w.note(p, false)
	}
	if len(w.due)+len(w.order)+len(w.told) != 0 {
		t.Errorf("%d changes are kept", len(w.due))
	}
}
