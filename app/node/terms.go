package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
)

// Terms are on what terms this device calls with a person. They are told to
// nobody, and forgotten with the person.
type Terms struct {
	// Echo allows their machine to test its sound with this one, unasked.
	Echo bool `json:"echo,omitempty"`
	// Volume is how loud they are heard here, by dB.
	Volume float64 `json:"volume,omitempty"`
}

// Bounds of Terms.Volume, which are those of the sound.
const (
	leastVolume = -40.0
	mostVolume  = 20.0
)

func termsKey(id identity.ID) string { return "terms/" + id.String() }

// values is where terms are read from: a transaction, a view, or the store.
type values interface {
	Value(key string) ([]byte, error)
}

func readTerms(from values, id identity.ID) (t Terms, err error) {
	b, err := from.Value(termsKey(id))
	if errors.Is(err, store.ErrNotFound) || err == nil && len(b) == 0 {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil {
		return Terms{}, fmt.Errorf("read terms of calls with %s: %w", id.Short(), err)
	}
	return t, nil
}

// terms are those with a person; what cannot be read allows nothing.
func (n *Node) terms(id identity.ID) Terms {
	t, err := readTerms(n.store, id)
	if err != nil {
		n.log.Warn("terms of calls", "err", err)
	}
	return t
}

// changeTerms edits the terms with a person and tells viewers.
func (n *Node) changeTerms(ctx context.Context, id identity.ID, f func(*Terms)) error {
	return n.changeIn(ctx, id, func(tx *store.Tx, _ *store.Contact) error { return putTerms(tx, id, f) })
}

func putTerms(tx *store.Tx, id identity.ID, f func(*Terms)) error {
	t, err := readTerms(tx, id)
	if err != nil {
		return err
	}
	f(&t)
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return tx.Set(termsKey(id), b)
}

// AllowEcho lets a friend's machine test its sound with this one, without
// anybody answering, until it is taken back. A test that runs then ends.
func (n *Node) AllowEcho(ctx context.Context, id identity.ID, on bool) error {
	if on && !n.known().friend(id) {
		return ErrNotFriend
	}
	err := n.changeTerms(ctx, id, func(t *Terms) { t.Echo = on })
	if err == nil && !on {
		n.endTrials(id)
	}
	return err
}

// SetVolume says how loud a person is heard here, in this call and the next,
// from -40 to +20 dB.
func (n *Node) SetVolume(ctx context.Context, id identity.ID, db float64) error {
	db = min(max(db, leastVolume), mostVolume)
	if err := n.changeTerms(ctx, id, func(t *Terms) { t.Volume = db }); err != nil {
		return err
	}
	n.calls.mu.Lock()
	var phones []*phone
	for _, c := range n.calls.book.Calls() {
		if p := n.calls.phones[c.ID]; p != nil && c.Live() && c.Person == call.Person(id) {
			phones = append(phones, p)
		}
	}
	n.calls.mu.Unlock()
	for _, p := range phones {
		p.choose(func(ch *choices) { ch.volume = db })
		n.tellCall(p.called())
	}
	return nil
}
