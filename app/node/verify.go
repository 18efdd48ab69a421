package node

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// parseEvents parses and checks signatures, before the database is touched.
// Events whose key we do not know are left out: they come again.
func (n *Node) parseEvents(l *link, encoded [][]byte) (map[chat.ConvID][]*chat.Event, []chat.ConvID, error) {
	out := map[chat.ConvID][]*chat.Event{}
	var order []chat.ConvID
	var checks []func() bool
	for _, b := range encoded {
		e, err := chat.ParseEvent(b)
		if err != nil {
			return nil, nil, err
		}
		key, err := l.keyOf(e.Conv, e.Device)
		if errors.Is(err, store.ErrNotFound) {
			n.log.Debug("event of a device without a key", "peer", e.Device)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		checks = append(checks, func() bool { return e.Verify(key) })
		if out[e.Conv] == nil {
			order = append(order, e.Conv)
		}
		out[e.Conv] = append(out[e.Conv], e)
	}
	if !all(checks) {
		return nil, nil, fmt.Errorf("forged event from %s: %w", l.device.Short(), errProtocol)
	}
	return out, order, nil
}

// keyOf gives the signing key of a device in a conversation, or an error that
// wraps store.ErrNotFound. It is the reader's: a key that was pinned is not
// read again.
func (l *link) keyOf(conv chat.ConvID, device identity.DeviceID) ([32]byte, error) {
	at := chainID{conv, device}
	if key, ok := l.keys[at]; ok {
		return key, nil
	}
	k, err := l.n.store.ConvKey(conv, device)
	if err != nil {
		return [32]byte{}, err
	}
	if l.keys == nil {
		l.keys = map[chainID][32]byte{}
	}
	l.keys[at] = k.Pub
	return k.Pub, nil
}

// all says whether every check holds. Many are shared out among the processors:
// a signature takes longer to check than its event to store.
func all(checks []func() bool) bool {
	const worth = 8 // checks that a goroutine is begun for
	failed := atomic.Bool{}
	share := func(some []func() bool) {
		for _, holds := range some {
			if failed.Load() || !holds() {
				failed.Store(true)
				return
			}
		}
	}
	var others sync.WaitGroup
	each := max(worth, len(checks)/runtime.GOMAXPROCS(0)+1)
	for len(checks) > each {
		some := checks[:each]
		checks = checks[each:]
		others.Go(func() { share(some) })
	}
	share(checks)
	others.Wait()
	return !failed.Load()
}
