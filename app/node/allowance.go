package node

import (
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// What a peer may make us work on. An honest one stays far below.
const (
	// introBurst frames that end in a write to the disk or in a long answer are
	// taken from a link at once, and then one each introEvery.
	introBurst = 64
	introEvery = time.Second
	// signalBurst signals about calls are taken from a link at once, and then one
	// each signalEvery: each becomes work of the one goroutine that has all calls.
	signalBurst = 128
	signalEvery = 50 * time.Millisecond
	// listBurst new device lists, and devices on none, are taken from a person,
	// and then one each listEvery: each change of a list is kept for good and
	// becomes a row, each device is kept with its secret and read with all others.
	listBurst = 16
	listEvery = time.Hour
)

// allowance is a bucket of tokens that fills again with time. The zero value
// is full.
type allowance struct {
	spent int
	since time.Time // when the first of the spent ones comes back
}

// take spends one token, and is false when there is none.
func (a *allowance) take(burst int, every time.Duration) bool {
	now := time.Now()
	if a.spent > 0 {
		back := min(int(now.Sub(a.since)/every), a.spent)
		a.spent -= back
		a.since = a.since.Add(time.Duration(back) * every)
	}
	if a.spent >= burst {
		return false
	}
	if a.spent == 0 {
		a.since = now
	}
	a.spent++
	return true
}

// news counts the new device lists and devices of each person we know.
type news struct {
	mu  sync.Mutex
	all map[identity.ID]*allowance
}

func (w *news) take(id identity.ID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[identity.ID]*allowance{}
	}
	if w.all[id] == nil {
		w.all[id] = &allowance{}
	}
	return w.all[id].take(listBurst, listEvery)
}

// costly says whether a frame ends in a write to the disk, or in a long answer,
// although nobody has to send many of them.
func costly(f chat.Frame) bool {
	switch f.(type) {
	case chat.Hello, chat.DeviceListFrame, chat.Request, chat.FrontierFrame:
		return true
	}
	return false
}
