package transport_test

import (
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	pbv2 "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/pb"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/util"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// diverting is a relay that leads whoever is asked for to one and the same host.
func diverting(t *testing.T, m *simnet.Host, to *transport.Host) *transport.Host {
	t.Helper()
	relay := on(t, m, transport.Config{})
	if err := relay.Dial(t.Context(), to.Peer(), to.Addrs()); err != nil {
		t.Fatal(err)
	}
	relay.Handle(proto.ProtoIDv2Hop, func(s *transport.Stream) {
		defer s.Reset()
		caller, err := peer.Decode(string(s.Peer()))
		var ask pbv2.HopMessage
		if err != nil || util.NewDelimitedReader(s, 4096).ReadMsg(&ask) != nil {
			return
		}
		there, err := relay.Open(t.Context(), to.Peer(), proto.ProtoIDv2Stop)
		if err != nil {
			return
		}
		defer there.Reset()
		var said pbv2.StopMessage
		call := &pbv2.StopMessage{Type: pbv2.StopMessage_CONNECT.Enum(), Peer: util.PeerInfoToPeerV2(peer.AddrInfo{ID: caller})}
		if util.NewDelimitedWriter(there).WriteMsg(call) != nil || util.NewDelimitedReader(there, 4096).ReadMsg(&said) != nil {
			return
		}
		yes := &pbv2.HopMessage{Type: pbv2.HopMessage_STATUS.Enum(), Status: pbv2.Status_OK.Enum()}
		if util.NewDelimitedWriter(s).WriteMsg(yes) != nil {
			return
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			_, _ = io.Copy(there, s)
			there.Reset()
		}()
		_, _ = io.Copy(s, there)
		s.Reset()
		<-over
	})
	return relay
}

func TestARelayThatAnswersForOthersFoolsNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		honest := on(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
		alice := on(t, w.LAN(simnet.Symmetric).Host(), transport.Config{})
		bob := on(t, w.LAN(simnet.Symmetric).Host(), transport.Config{Relays: honest.Addrs()})
		mallory := on(t, w.LAN(simnet.Public).Host(), transport.Config{})
		evil := diverting(t, w.LAN(simnet.Public).Host(), mallory)
		time.Sleep(5 * time.Second) // until bob is reached through the honest one
		through := evil.Addrs()[0] + "/p2p-circuit"
		if err := alice.Dial(t.Context(), mallory.Peer(), []string{through}); err != nil {
			t.Fatalf("it leads nowhere: %v", err)
		}
		if err := alice.Dial(t.Context(), bob.Peer(), []string{through}); err == nil || alice.Connected(bob.Peer()) {
			t.Error("somebody else passed for bob")
		}
		began := time.Now()
		if err := alice.Dial(t.Context(), bob.Peer(), append([]string{through}, circuitsOf(bob)...)); err != nil {
			t.Fatal(err)
		}
		t.Logf("bob is reached after %v", time.Since(began))
		if p := alice.Path(bob.Peer()); p.Kind != transport.Relay || p.Via != honest.Peer() || time.Since(began) > 3*time.Second {
			t.Errorf("bob is reached after %v by %+v", time.Since(began), p)
		}
	})
}
