package node

import (
	"sync"
	"time"

	"github.com/entrenous/entrenous/identity"
)

// links are the live links, at most one a device.
type links struct {
	mu  sync.Mutex
	all map[identity.DeviceID]*link
}

// add registers l and gives the link that it replaces. When both ends dialled
// at once they must choose alike: the channel that the lower device opened
// stays. A peer that was started anew, that dials again, or that dials when the
// other's channel has stood for a while (it may have moved), replaces what was.
func (ls *links) add(l *link, self identity.DeviceID) (old *link, ok bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.all == nil {
		ls.all = map[identity.DeviceID]*link{}
	}
	old = ls.all[l.device]
	crossed := old != nil && old.boot == l.boot && old.ch.Initiator() != l.ch.Initiator()
	if crossed && l.since.Sub(old.since) < crossing {
		weAreLower := string(self[:]) < string(l.device[:])
		if old.ch.Initiator() == weAreLower {
			return nil, false
		}
	}
	ls.all[l.device] = l
	return old, true
}

// remove forgets l if it is still the one, and says so.
func (ls *links) remove(l *link) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.all[l.device] != l {
		return false
	}
	delete(ls.all, l.device)
	return true
}

// to gives the link to a device, nil when there is none.
func (ls *links) to(d identity.DeviceID) *link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return ls.all[d]
}

// of lists the links to a person's devices.
func (ls *links) of(persons ...identity.ID) []*link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	var out []*link
	for _, l := range ls.all {
		for _, p := range persons {
			if l.person == p {
				out = append(out, l)
			}
		}
	}
	return out
}

// part takes leave of everybody, once, and waits until they have heard it, but
// no longer than partingTime.
func (ls *links) part() {
	ls.mu.Lock()
	all := make([]*link, 0, len(ls.all))
	for _, l := range ls.all {
		all = append(all, l)
		close(l.parting)
	}
	ls.mu.Unlock()
	timer := time.NewTimer(partingTime)
	defer timer.Stop()
	for _, l := range all {
		select {
		case <-l.gone:
		case <-timer.C:
			return
		}
	}
}
