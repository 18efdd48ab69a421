package noise_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/entrenous/entrenous/transport/noise"
)

func TestBothEndsAgree(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	d, c := channels(t, a, b, nil, welcome())
	if d.NextPair() != c.NextPair() || d.NextPair() == [32]byte{} {
		t.Error("the ends have different next pair secrets")
	}
	if d.Binding() != c.Binding() || d.Binding() == [32]byte{} {
		t.Error("the ends have different bindings")
	}
	if !d.Initiator() || c.Initiator() {
		t.Error("who dialled is mixed up")
	}
	if cert, ok := c.Peer(); !ok || cert.Person != a.cert.Person {
		t.Error("the responder does not know who called")
	}
	if _, ok := d.Peer(); ok {
		t.Error("the initiator claims a certificate")
	}
	if string(d.Caps()) != "caps of bo" || string(c.Caps()) != "caps of ana" || d.PeerEpoch() != 2 || c.PeerEpoch() != 3 {
		t.Error("capabilities or epochs are lost")
	}
	if d.UsedPair() != nil || c.UsedPair() != nil {
		t.Error("a pair was used where there was none")
	}
}

func TestMessagesOfAllSizesArriveBothWays(t *testing.T) {
	d, c := channels(t, person(t, "ana"), person(t, "bo"), nil, welcome())
	for _, way := range []struct{ from, to *noise.Channel }{{d, c}, {c, d}} {
		var wg sync.WaitGroup
		sizes := []int{0, 1, 40, 59, 60, 61, 200, 507, 508, 509, 65020, 65021, 65022, 130042, 200000, noise.MaxMessage}
		var batch [][]byte
		for i, n := range sizes {
			batch = append(batch, bytes.Repeat([]byte{byte(i + 1)}, n))
		}
		wg.Go(func() {
			if err := way.from.Send(batch...); err != nil {
				t.Error(err)
			}
			for _, m := range batch {
				if err := way.from.Send(m); err != nil {
					t.Error(err)
				}
			}
		})
		for round := range 2 {
			for i, want := range batch {
				if got := receive(t, way.to); !bytes.Equal(got, want) {
					t.Errorf("round %d: message of %d bytes came as %d", round, sizes[i], len(got))
				}
			}
		}
		wg.Wait()
	}
}
