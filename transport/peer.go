package transport

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Peer is a libp2p peer id in its text form (base58). It names a device's
// network key and nothing more; Listen and streams only ever hand out valid ones.
type Peer string

// PeerOf returns the peer that holds the private part of key.
func PeerOf(key ed25519.PublicKey) (Peer, error) {
	pub, err := crypto.UnmarshalEd25519PublicKey(key)
	if err != nil {
		return "", fmt.Errorf("peer of key: %w", err)
	}
	id, err := peer.IDFromPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("peer of key: %w", err)
	}
	return Peer(id.String()), nil
}

// ParsePeer returns the peer that text names, or an error if it names none.
func ParsePeer(text string) (Peer, error) {
	if len(text) > maxPeerText {
		return "", fmt.Errorf("parse peer id: %d characters is too long", len(text))
	}
	id, err := peer.Decode(text)
	if err != nil {
		return "", fmt.Errorf("parse peer id: %w", err)
	}
	return Peer(id.String()), nil
}

// PeerFromBytes returns the peer of a peer id in its binary form.
func PeerFromBytes(b []byte) (Peer, error) {
	id, err := peer.IDFromBytes(b)
	if err != nil {
		return "", fmt.Errorf("parse peer id: %w", err)
	}
	return Peer(id.String()), nil
}

const maxPeerText = 128

// Bytes returns the binary form of the peer id, nil if p is not one.
func (p Peer) Bytes() []byte {
	id, err := p.id()
	if err != nil {
		return nil
	}
	return []byte(id)
}

// Short returns the last six characters, which is enough for people and logs.
func (p Peer) Short() string {
	if len(p) <= 6 {
		return string(p)
	}
	return "…" + string(p[len(p)-6:])
}

// LogValue keeps whole peer ids out of logs.
func (p Peer) LogValue() slog.Value { return slog.StringValue(p.Short()) }

func (p Peer) id() (peer.ID, error) {
	if len(p) > maxPeerText {
		return "", fmt.Errorf("peer id of %d characters is too long", len(p))
	}
	id, err := peer.Decode(string(p))
	if err != nil {
		return "", fmt.Errorf("peer id %v: not one", p.Short())
	}
	return id, nil
}
