package node

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/identity"
)

// TestATryBreaksOffForAFriendSeenElsewhere dials an old address that may take
// seconds to fail, while announcements come.
func TestATryBreaksOffForAFriendSeenElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const old, now, forged = "/ip4/10.0.0.7/udp/4001/quic-v1", "/ip4/10.0.0.9/udp/4001/quic-v1", "/ip4/10.0.0.66/udp/1/quic-v1"
		e := errand{device: identity.DeviceID{1}}
		k := &keeper{wake: make(chan struct{}, 1), todo: map[errand]*attempt{e: {busy: true}}}
		broken := 0
		dial := func(known ...string) []string {
			k.dialling(e, func() { broken++ })
			return k.places(e, known)
		}
		dial(old)
		k.sight(e, []string{old})
		if broken != 0 {
			t.Error("broken off for the place that it looks at")
		}
		k.sight(e, []string{now})
		if broken != 1 || !k.todo[e].anew {
			t.Errorf("broken off %d times, anew %v", broken, k.todo[e].anew)
		}
		if got := dial(old); !slices.Equal(got, []string{now, old}) {
			t.Errorf("then looks at %v", got)
		}
		k.sight(e, []string{forged})
		if broken != 1 {
			t.Error("who replays announcements breaks off every try")
		}
		time.Sleep(sightPause + time.Second)
		k.sight(e, []string{forged})
		if broken != 2 {
			t.Error("later news breaks nothing off")
		}
	})
}
