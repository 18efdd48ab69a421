package transport

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/proto"
)

const (
	// maxTableMessage is the longest answer that is read: a record and twenty
	// nodes with all their addresses are far less.
	maxTableMessage = 512 << 10
	wireTimeout     = 10 * time.Second
)

// wire carries questions to nodes of the table, each on a stream of its own. The
// table's own sender trusts nodes to answer in full: one that leaves out the
// record it was given would end this program.
type wire struct {
	p2p       host.Host
	protocols []protocol.ID
	answered  func(ask *pb.Message, by peer.ID) // is told of each answer

	mu     sync.Mutex
	checks map[peer.ID]*check
}

// check is the question whether a node answers, under way: the table asks it
// each time a node introduces itself, and some do so ten times in a second.
type check struct {
	done   chan struct{}
	answer *pb.Message
	err    error
}

var _ pb.MessageSenderWithDisconnect = (*wire)(nil)

// SendRequest asks a node and waits for its answer. Whether it answers, which the
// table finds out by asking it for itself, is asked once at a time.
func (w *wire) SendRequest(ctx context.Context, id peer.ID, ask *pb.Message) (*pb.Message, error) {
	if ask.GetType() != pb.Message_FIND_NODE || string(ask.GetKey()) != string(id) {
		return w.request(ctx, id, ask)
	}
	w.mu.Lock()
	c := w.checks[id]
	if c != nil {
		w.mu.Unlock()
		select {
		case <-c.done:
			return c.answer, c.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c = &check{done: make(chan struct{})}
	w.checks[id] = c
	w.mu.Unlock()
	c.answer, c.err = w.request(ctx, id, ask)
	w.mu.Lock()
	delete(w.checks, id)
	w.mu.Unlock()
	close(c.done)
	return c.answer, c.err
}

func (w *wire) request(ctx context.Context, id peer.ID, ask *pb.Message) (*pb.Message, error) {
	began := time.Now()
	answer, err := w.exchange(ctx, id, ask, true)
	if err == nil {
		w.p2p.Peerstore().RecordLatency(id, time.Since(began))
		w.answered(ask, id)
	}
	return answer, err
}

// SendMessage tells a node something that has no answer.
func (w *wire) SendMessage(ctx context.Context, id peer.ID, say *pb.Message) error {
	_, err := w.exchange(ctx, id, say, false)
	return err
}

// OnDisconnect does nothing: no stream outlives its question.
func (w *wire) OnDisconnect(context.Context, peer.ID) {}

func (w *wire) exchange(ctx context.Context, id peer.ID, ask *pb.Message, wait bool) (*pb.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, wireTimeout)
	defer cancel()
	s, err := w.p2p.NewStream(ctx, id, w.protocols...)
	if err != nil {
		return nil, fmt.Errorf("ask a node: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	b, err := proto.Marshal(ask)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask a node: %w", err), s.Reset())
	}
	if _, err := s.Write(append(binary.AppendUvarint(nil, uint64(len(b))), b...)); err != nil {
		return nil, errors.Join(fmt.Errorf("ask a node: %w", err), s.Reset())
	}
	if !wait {
		return nil, s.Close()
	}
	answer, err := readAnswer(s)
	if err == nil && ask.GetType() == pb.Message_PUT_VALUE && answer.GetRecord() == nil {
		err = errors.New("a node did not keep the record")
	}
	if err != nil {
		return nil, errors.Join(err, s.Reset())
	}
	return answer, s.Close()
}

// readAnswer reads one message preceded by its length.
func readAnswer(from io.Reader) (*pb.Message, error) {
	r := bufio.NewReader(from)
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, fmt.Errorf("read a node's answer: %w", err)
	}
	if n > maxTableMessage {
		return nil, fmt.Errorf("read a node's answer of %d bytes: %w", n, ErrTooLarge)
	}
	b, err := readGrowing(r, int(n))
	if err != nil {
		return nil, err
	}
	m := new(pb.Message)
	if err := proto.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("read a node's answer: %w", err)
	}
	return m, nil
}
