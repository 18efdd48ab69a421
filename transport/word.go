package transport

import (
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/boxo/ipns"
	"github.com/ipfs/boxo/path"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"
)

// A record is an IPNS record (the /ipns namespace that every server of the
// public table keeps for two days), signed by the key of a place. Its value is
// a path of the only form that needs nobody else's data: a CID that holds its
// content itself, here the sealed whereabouts.
//
// Its own end of validity is far away, so that a clock that is wrong by a year
// does not make servers refuse it; what limits its life is that the place is
// another one tomorrow.
const recordLife = 2 * 366 * 24 * time.Hour

var errNotHere = errors.New("not a record of this place")

// record makes what is left at the place: w by its holder, as of now.
func (p place) record(w Whereabouts) ([]byte, error) {
	sealed, err := p.sealWord(w)
	if err != nil {
		return nil, err
	}
	hash, err := multihash.Sum(sealed, multihash.IDENTITY, -1)
	if err != nil {
		return nil, fmt.Errorf("make record: %w", err)
	}
	key, err := crypto.UnmarshalEd25519PrivateKey(p.key)
	if err != nil {
		return nil, fmt.Errorf("make record: %w", err)
	}
	rec, err := ipns.NewRecord(key, path.FromCid(cid.NewCidV1(cid.Raw, hash)), uint64(max(w.At.UnixMilli(), 0)), w.At.Add(recordLife), time.Minute, ipns.WithV1Compatibility(false))
	if err != nil {
		return nil, fmt.Errorf("make record: %w", err)
	}
	b, err := ipns.MarshalRecord(rec)
	if err != nil {
		return nil, fmt.Errorf("make record: %w", err)
	}
	return b, nil
}

// open reads a record that somebody found at the place. Whoever found it may
// not have looked at its signature.
func (p place) open(b []byte) (Whereabouts, error) {
	rec, err := parseRecord(p.name, b)
	if err != nil {
		return Whereabouts{}, err
	}
	value, err := rec.Value()
	if err != nil {
		return Whereabouts{}, errNotHere
	}
	at, err := path.NewImmutablePath(value)
	if err != nil {
		return Whereabouts{}, errNotHere
	}
	hash, err := multihash.Decode(at.RootCid().Hash())
	if err != nil || hash.Code != multihash.IDENTITY {
		return Whereabouts{}, errNotHere
	}
	return p.openWord(hash.Digest)
}

// parseRecord reads a record and checks that the key of the place signed it.
func parseRecord(name peer.ID, b []byte) (*ipns.Record, error) {
	rec, err := ipns.UnmarshalRecord(b)
	if err != nil {
		return nil, errNotHere
	}
	if err := ipns.ValidateWithName(rec, ipns.NameFromPeer(name)); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotHere, err)
	}
	return rec, nil
}

// tableKey is the key of the place in the table.
func (p place) tableKey() string { return string(ipns.NameFromPeer(p.name).RoutingKey()) }
