package node

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// The record protocol tells whoever holds a rendezvous secret which devices a
// person has, and how to reach this one. The question is
//
//	nonce16 || HMAC-SHA256(secret, "entrenous/1 ask" || person || nonce)
//
// so that it depends on no clock and tells nothing to who lacks the secret;
// the answer is a sealed identity.Record, or nothing.
const (
	recordProtocol = "/entrenous/record/1"
	askLabel       = "entrenous/1 ask"
	askSize        = 16 + 32
	maxRecord      = 128 << 10
)

var errNoRecord = errors.New("nobody there knows this invite; it may have been used or have expired")

func askMAC(secret [16]byte, person identity.ID, nonce []byte) []byte {
	m := hmac.New(sha256.New, secret[:])
	m.Write([]byte(askLabel))
	m.Write(person[:])
	m.Write(nonce)
	return m.Sum(nil)
}

// askRecord asks a peer how to reach the person of an invite.
func (n *Node) askRecord(ctx context.Context, peer transport.Peer, addrs []string, i identity.Invite) (*identity.Record, error) {
	if err := n.host.Dial(ctx, peer, addrs); err != nil {
		return nil, err
	}
	s, err := n.host.Open(ctx, peer, recordProtocol)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	defer s.Until(ctx)()
	nonce := make([]byte, 16)
	rand.Read(nonce)
	if err := s.WriteMessage(append(nonce, askMAC(i.Rendezvous, i.Person, nonce)...)); err != nil {
		return nil, err
	}
	b, err := s.ReadMessage(maxRecord)
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	if len(b) == 0 {
		return nil, errNoRecord
	}
	rec, err := identity.OpenRecord(b, i.Rendezvous, i.Person)
	if err != nil {
		return nil, err
	}
	if string(rec.Peer) != string(peer.Bytes()) {
		return nil, errors.New("the record is of another host")
	}
	return rec, nil
}

// giveRecord answers one question.
func (n *Node) giveRecord(ctx context.Context, s *transport.Stream) {
	defer s.Close()
	defer s.Until(ctx)()
	_ = s.SetDeadline(time.Now().Add(dialTimeout))
	ask, err := s.ReadMessage(askSize)
	if err != nil || len(ask) != askSize {
		s.Reset()
		return
	}
	b, err := n.recordFor(ask, s.Path())
	if err != nil {
		n.log.Warn("seal record", "err", err)
	}
	_ = s.WriteMessage(b)
}

// recordFor gives the sealed record for a question that came by a path, or
// nothing.
func (n *Node) recordFor(ask []byte, by transport.Path) ([]byte, error) {
	for _, secret := range n.rendezvous() {
		if !hmac.Equal(askMAC(secret, n.me.id, ask[:16]), ask[16:]) {
			continue
		}
		return identity.SealRecord(n.me.device, identity.Record{
			Person: n.me.id, List: n.ownList(), Issued: n.cfg.Now(), Device: n.me.device.ID(),
			Peer: n.host.Peer().Bytes(), Addrs: n.shownIn(by),
		}, secret)
	}
	return nil, nil
}

// rendezvous lists the secrets by which we may be found: the permanent
// address, what people nearby were told, waiting one-time invites, and what each
// friend was told.
func (n *Node) rendezvous() [][16]byte {
	out := append([][16]byte{n.me.address}, n.around.secrets(n.cfg.Now())...)
	r := n.known()
	for _, p := range r.pairs {
		if of, ok := p.Of.(invited); ok && of.holds(n.cfg.Now()) {
			out = append(out, onceRendezvous(of.once[:]))
		}
	}
	for id, c := range r.contacts {
		if c.State == store.Friend {
			out = append(out, n.toldTo(id))
		}
	}
	return out
}

// keepRecord stores the devices of a record and makes them due.
func (n *Node) keepRecord(ctx context.Context, rec *identity.Record) error {
	if err := n.takeList(ctx, rec.List); err != nil {
		return err
	}
	peer, err := transport.PeerFromBytes(rec.Peer)
	if err != nil {
		return err
	}
	err = n.store.Write(ctx, func(tx *store.Tx) error {
		d, err := tx.Device(rec.Device)
		if err != nil {
			return err
		}
		d.Peer, d.Addrs = string(peer), rec.Addrs
		return tx.PutDevice(d)
	})
	if err != nil {
		return fmt.Errorf("keep record: %w", err)
	}
	if err := n.reload(ctx); err != nil {
		return err
	}
	n.keeper.ring()
	return nil
}

// shownAddrs are the addresses we tell to those who may reach us.
func (n *Node) shownAddrs() []string {
	a := n.host.Addrs()
	return a[:min(len(a), 16)]
}
