package transport

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// slowNode is a host from which nobody is reached before long.
type slowNode struct {
	host.Host
	asked atomic.Int32
	over  chan struct{}
}

var errSlow = errors.New("nobody there")

func (n *slowNode) NewStream(context.Context, peer.ID, ...protocol.ID) (network.Stream, error) {
	n.asked.Add(1)
	<-n.over
	return nil, errSlow
}

func TestWhetherANodeAnswersIsAskedOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &slowNode{over: make(chan struct{})}
		w := &wire{p2p: n, checks: map[peer.ID]*check{}}
		var all sync.WaitGroup
		ask := func(about string) {
			all.Go(func() {
				if _, err := w.SendRequest(t.Context(), "ana", pb.NewMessage(pb.Message_FIND_NODE, []byte(about), 0)); !errors.Is(err, errSlow) {
					t.Errorf("about %s: %v", about, err)
				}
			})
		}
		for range 10 {
			ask("ana")
		}
		for range 2 {
			ask("bo")
		}
		synctest.Wait()
		if got := n.asked.Load(); got != 3 {
			t.Errorf("asked %d times", got)
		}
		close(n.over)
		all.Wait()
		ask("ana")
		all.Wait()
		if got := n.asked.Load(); got != 4 {
			t.Errorf("asked %d times in the end", got)
		}
	})
}
