package call

import "time"

// How much of this device's time echo tests of friends may take.
const (
	TestTime  = 15 * time.Second // the longest
	TestPause = 20 * time.Second // between the beginnings of two with one person
)

// Tests decides which echo tests of friends this device answers: one at a
// time, and none too soon after another. Whether a person may at all is not
// its business. The zero value is ready; it is not safe for concurrent use.
type Tests struct {
	now   ID
	until time.Time // when the one of now must have ended
	last  map[Person]time.Time
}

// Begin says whether a test may begin now. One that may is told of by End, or
// ends by itself after TestTime.
func (t *Tests) Begin(now time.Time, id ID, who Person) bool {
	if now.Before(t.until) || !t.last[who].IsZero() && now.Sub(t.last[who]) < TestPause {
		return false
	}
	if t.last == nil {
		t.last = map[Person]time.Time{}
	}
	t.now, t.until, t.last[who] = id, now.Add(TestTime), now
	return true
}

// End is told that a test is over.
func (t *Tests) End(id ID) {
	if t.now == id {
		t.now, t.until = ID{}, time.Time{}
	}
}
