package server

import "time"

// shown is a time as viewers get it. Clocks of others say anything, and JSON has
// no year with five digits, nor one before Christ (RFC 3339 §5.6), whatever the
// zone: such a time is the last or first that can be shown. The zero time stays
// what it is.
func shown(t time.Time) time.Time {
	first, last := time.Unix(0, 0), time.Date(9999, time.December, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case t.IsZero():
		return t
	case t.Before(first):
		return first
	case t.After(last):
		return last
	}
	return t
}
