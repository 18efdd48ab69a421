package transport

import (
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/crypto/cryptobyte"
)

// A note is what lies at a place (place || record), as friends in common carry it:
//
//	len8 || place || record
//
// It tells whoever carries it no more than it tells a relay's board.

// NoteName is the place of a note, as bytes: random to all who do not know its Spot.
type NoteName string

// Notes seals word for all places of the spot where somebody may look at t.
func (s Spot) Notes(network string, t time.Time, w Whereabouts) (out [][]byte, err error) {
	for _, p := range s.within(network).places(t) {
		rec, err := p.record(w)
		if err != nil {
			return nil, err
		}
		out = append(out, append(append([]byte{byte(len(p.name))}, p.name...), rec...))
	}
	return out, nil
}

// NoteNames are where to look at t.
func (s Spot) NoteNames(network string, t time.Time) (out []NoteName) {
	for _, p := range s.within(network).lookouts(t) {
		out = append(out, NoteName(p.name))
	}
	return out
}

// ReadNote opens a note that lies at one of the spot's places at t.
func (s Spot) ReadNote(network string, t time.Time, note []byte) (Whereabouts, error) {
	name, rec, err := splitNote(note)
	if err != nil {
		return Whereabouts{}, err
	}
	for _, p := range s.within(network).lookouts(t) {
		if p.name == name {
			return p.open(rec)
		}
	}
	return Whereabouts{}, errNotHere
}

// CheckNote says where a note lies and how new it is (of two, the one with the
// larger number), and refuses one that the key of its place has not signed.
func CheckNote(note []byte) (NoteName, uint64, error) {
	name, b, err := splitNote(note)
	if err != nil {
		return "", 0, err
	}
	rec, err := parseRecord(name, b)
	if err != nil {
		return "", 0, err
	}
	sequence, err := rec.Sequence()
	if err != nil {
		return "", 0, fmt.Errorf("read a note: %w", err)
	}
	return NoteName(name), sequence, nil
}

func splitNote(note []byte) (peer.ID, []byte, error) {
	in := cryptobyte.String(note)
	var text cryptobyte.String
	if !in.ReadUint8LengthPrefixed(&text) || len(text) > maxWordPeer || len(in) > maxRecord {
		return "", nil, errors.New("read a note: not one")
	}
	name, err := peer.IDFromBytes(text)
	if err != nil {
		return "", nil, fmt.Errorf("read a note: %w", err)
	}
	return name, in, nil
}
