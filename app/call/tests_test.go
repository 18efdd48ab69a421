package call_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
)

func TestEchoTestsAreAnsweredOneAtATimeAndNotTooOften(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	ana, bo := call.Person{1}, call.Person{2}
	var tests call.Tests
	if !tests.Begin(now, call.ID{1}, ana) {
		t.Fatal("the first is refused")
	}
	if tests.Begin(now.Add(time.Second), call.ID{2}, bo) {
		t.Error("two run at once")
	}
	tests.End(call.ID{2}) // not the one that runs
	if tests.Begin(now.Add(time.Second), call.ID{3}, bo) {
		t.Error("the end of another one ended it")
	}
	tests.End(call.ID{1})
	if tests.Begin(now.Add(call.TestPause-time.Second), call.ID{4}, ana) {
		t.Error("ana may test again at once")
	}
	if !tests.Begin(now.Add(2*time.Second), call.ID{5}, bo) {
		t.Error("bo has to wait for ana's pause")
	}
	if tests.Begin(now.Add(call.TestTime), call.ID{6}, ana) {
		t.Error("two run at once")
	}
	if !tests.Begin(now.Add(call.TestPause), call.ID{6}, ana) {
		t.Error("one that never ended blocks the next")
	}
	if !tests.Begin(now.Add(time.Minute), call.ID{7}, ana) {
		t.Error("ana may not test after a minute")
	}
}
