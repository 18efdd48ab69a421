package transport

import "time"

// TableKey is where a spot's word lies in the table at t.
func TableKey(s Spot, t time.Time) string { return s.places(t)[0].tableKey() }

// RecordAt is a record that was left at a spot at some time.
func RecordAt(s Spot, t time.Time, w Whereabouts) ([]byte, error) { return s.places(t)[0].record(w) }
