package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/time/rate"
)

// boardProtocol leaves and reads records at a relay: the same that the table
// holds, so that a relay learns no more than its nodes. One question a stream:
//
//	'P' || len8 || place || record      leave a record
//	'G' || len8 || place                read it
//
// and the answer is a status byte, the relay's clock (8 bytes, Unix seconds),
// and the record if one was asked for and is there.
const (
	boardProtocol protocol.ID = "/entrenous/board/1"

	boardPut = 'P'
	boardGet = 'G'

	boardDone    = 0
	boardNothing = 1
	boardRefused = 2

	maxRecord      = 10 << 10 // bytes, as IPNS has it
	maxBoardAsk    = maxRecord + 2 + maxWordPeer
	boardTimeout   = 10 * time.Second
	boardLife      = 48 * time.Hour // as in the table
	maxBoard       = 1 << 14        // records in all
	maxBoardBytes  = 64 * mib
	maxBoardEach   = 1 << 10 // records of one address, which may be a whole school
	boardPerSecond = 4       // questions of one address
	boardBurst     = 512
	maxBoardCaller = 1 << 12 // addresses whose questions are counted
)

// board holds what others leave at a relay. The zero value is empty.
type board struct {
	mu      sync.Mutex
	notes   map[peer.ID]note
	bytes   int
	of      map[netip.Prefix]int // how many records each address has here
	callers map[netip.Prefix]*rate.Limiter
}

type note struct {
	record   []byte
	sequence uint64
	from     netip.Prefix
	until    time.Time
}

// serveBoard answers questions until the host closes.
func (h *Host) serveBoard() {
	b := &board{}
	h.Handle(string(boardProtocol), func(s *Stream) {
		_ = s.SetDeadline(time.Now().Add(boardTimeout))
		ask, err := s.ReadMessage(maxBoardAsk)
		if err != nil {
			_ = s.Reset()
			return
		}
		status, record := b.answer(callerOf(s.s.Conn()), ask, time.Now())
		out := binary.BigEndian.AppendUint64([]byte{status}, uint64(time.Now().Unix()))
		_ = s.WriteMessage(append(out, record...))
	})
}

// callerOf is the network a question comes from: one IPv4 address, or the IPv6
// network that one household has.
func callerOf(c network.Conn) netip.Prefix {
	ip, ok := addrIP(c.RemoteMultiaddr())
	if !ok {
		return netip.Prefix{}
	}
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

func (b *board) answer(from netip.Prefix, ask []byte, now time.Time) (status byte, record []byte) {
	in := cryptobyte.String(ask)
	var verb uint8
	var text cryptobyte.String
	if !in.ReadUint8(&verb) || !in.ReadUint8LengthPrefixed(&text) || len(text) > maxWordPeer || !b.admit(from, now) {
		return boardRefused, nil
	}
	name, err := peer.IDFromBytes(text)
	if err != nil {
		return boardRefused, nil
	}
	switch {
	case verb == boardGet && in.Empty():
		return b.read(name, now)
	case verb == boardPut:
		return b.leave(name, in, from, now), nil
	}
	return boardRefused, nil
}

// admit counts the questions of an address.
func (b *board) admit(from netip.Prefix, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.callers[from]
	if l == nil {
		if b.callers == nil || len(b.callers) >= maxBoardCaller {
			b.callers = map[netip.Prefix]*rate.Limiter{}
		}
		l = rate.NewLimiter(boardPerSecond, boardBurst)
		b.callers[from] = l
	}
	return l.AllowN(now, 1)
}

func (b *board) read(name peer.ID, now time.Time) (byte, []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, ok := b.notes[name]
	if !ok || now.After(n.until) {
		return boardNothing, nil
	}
	return boardDone, n.record
}

// leave keeps a record that the key of the place has signed, and that is newer
// than the one there.
func (b *board) leave(name peer.ID, record []byte, from netip.Prefix, now time.Time) byte {
	rec, err := parseRecord(name, record)
	if err != nil {
		return boardRefused
	}
	sequence, err := rec.Sequence()
	if err != nil {
		return boardRefused
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old, there := b.notes[name]
	if there && now.Before(old.until) && old.sequence > sequence {
		return boardRefused
	}
	if b.notes == nil {
		b.notes, b.of = map[peer.ID]note{}, map[netip.Prefix]int{}
	}
	if len(b.notes) >= maxBoard || b.bytes+len(record) > maxBoardBytes || b.of[from] >= maxBoardEach {
		b.sweepLocked(now)
	}
	if _, there := b.notes[name]; there {
		b.dropLocked(name)
	}
	if len(b.notes) >= maxBoard || b.bytes+len(record) > maxBoardBytes || b.of[from] >= maxBoardEach {
		return boardRefused
	}
	b.notes[name] = note{record: append([]byte(nil), record...), sequence: sequence, from: from, until: now.Add(boardLife)}
	b.bytes += len(record)
	b.of[from]++
	return boardDone
}

// sweepLocked forgets what is too old.
func (b *board) sweepLocked(now time.Time) {
	for name, n := range b.notes {
		if now.After(n.until) {
			b.dropLocked(name)
		}
	}
}

func (b *board) dropLocked(name peer.ID) {
	n := b.notes[name]
	delete(b.notes, name)
	b.bytes -= len(n.record)
	if b.of[n.from]--; b.of[n.from] <= 0 {
		delete(b.of, n.from)
	}
}

// boardAt is the board of a relay, asked by a scout.
type boardAt struct {
	scout *scout
	relay peer.AddrInfo
	clock func(time.Time) // told what time it is there
}

var _ shelf = (*boardAt)(nil)

func (b *boardAt) put(ctx context.Context, p place, rec []byte) error {
	_, err := b.ask(ctx, boardPut, p, rec)
	return err
}

func (b *boardAt) get(ctx context.Context, p place, _ bool, found func([]byte)) error {
	rec, err := b.ask(ctx, boardGet, p, nil)
	if err == nil && len(rec) > 0 {
		found(rec)
	}
	return err
}

func (b *boardAt) ask(ctx context.Context, verb byte, p place, rec []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, boardTimeout)
	defer cancel()
	if err := b.scout.p2p.Connect(ctx, b.relay); err != nil {
		return nil, fmt.Errorf("reach relay %v: %w", Peer(b.relay.ID.String()).Short(), err)
	}
	raw, err := b.scout.p2p.NewStream(ctx, b.relay.ID, boardProtocol)
	if err != nil {
		return nil, fmt.Errorf("ask relay %v: %w", Peer(b.relay.ID.String()).Short(), err)
	}
	s := &Stream{s: raw}
	defer func() { _ = s.Reset() }()
	defer s.Until(ctx)()
	out := append([]byte{verb, byte(len(p.name))}, p.name...)
	if err := s.WriteMessage(append(out, rec...)); err != nil {
		return nil, err
	}
	answer, err := s.ReadMessage(maxRecord + 9)
	if err != nil {
		return nil, err
	}
	if len(answer) < 9 {
		return nil, errors.New("a relay's answer is too short")
	}
	b.clock(time.Unix(int64(binary.BigEndian.Uint64(answer[1:9])), 0))
	if answer[0] == boardRefused {
		return nil, errors.New("a relay refuses to keep word")
	}
	return answer[9:], nil
}
