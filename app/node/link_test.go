package node_test

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/node"
)

// Links that began at any time ping at the same moments, six seconds apart: a
// timer that ran a little early or late does not make two pings of one.
func TestAllLinksPingAtTheSameMoments(t *testing.T) {
	const every = 6 * time.Second
	start := time.Unix(1_700_000_000, 0)
	for began := time.Duration(0); began < 2*every; began += 7 * time.Millisecond {
		at := start.Add(began)
		for _, off := range []time.Duration{0, -20 * time.Millisecond, 3 * time.Millisecond, 400 * time.Millisecond} {
			next := at.Add(node.UntilPing(at))
			if next.UnixNano()%int64(every) != 0 || next.Sub(at) < 10*time.Millisecond || next.Sub(at) > every+50*time.Millisecond {
				t.Fatalf("at %v the next ping is %v later", at.UTC(), next.Sub(at))
			}
			at = next.Add(off)
		}
	}
}
