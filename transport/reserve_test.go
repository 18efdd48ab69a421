package transport_test

import (
	"sync/atomic"
	"testing"
	"time"

	pbv2 "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/pb"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/util"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// timed is a relay that takes everybody for an hour by its own clock, which is off.
// It counts how often it is asked.
func timed(t *testing.T, w *simnet.World, off time.Duration) (relay *transport.Host, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	relay = on(t, w.LAN(simnet.Public).Host(), transport.Config{})
	relay.Handle(proto.ProtoIDv2Hop, func(s *transport.Stream) {
		var ask pbv2.HopMessage
		if util.NewDelimitedReader(s, 4096).ReadMsg(&ask) != nil || ask.GetType() != pbv2.HopMessage_RESERVE {
			return
		}
		asked.Add(1)
		until := uint64(time.Now().Add(off + time.Hour).Unix())
		_ = util.NewDelimitedWriter(s).WriteMsg(&pbv2.HopMessage{
			Type: pbv2.HopMessage_STATUS.Enum(), Status: pbv2.Status_OK.Enum(), Reservation: &pbv2.Reservation{Expire: &until},
		})
	})
	return relay, asked
}

func TestARelayWhoseClockIsOffPassesOnAllTheSame(t *testing.T) {
	for name, off := range map[string]time.Duration{
		"right": 0, "an hour behind": -time.Hour, "a year behind": -365 * 24 * time.Hour, "a year ahead": 365 * 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *simnet.World) {
				relay, asked := timed(t, w, off)
				home := on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{Relays: relay.Addrs()})
				relay.Protect(home.Peer(), true) // as one does who keeps a reservation
				time.Sleep(5 * time.Second)
				if len(circuitsOf(home)) == 0 {
					t.Error("nobody is reached through it")
				}
				time.Sleep(10 * time.Hour)
				// It holds for an hour, whatever day that ends on.
				if n := asked.Load(); n < 12 || n > 30 {
					t.Errorf("in ten hours it was asked %d times", n)
				}
			})
		})
	}
}

func TestARelayThatIsGivenBackLeadsToUsNoMoreAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		relay := on(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
		home := on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{})
		for range 2 {
			if err := home.Borrow(t.Context(), relay.Addrs()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			if len(circuitsOf(home)) == 0 {
				t.Fatal("nobody is reached through it")
			}
			home.GiveBack(relay.Peer())
			if got := circuitsOf(home); len(got) > 0 {
				t.Errorf("given back, and %v is told", got)
			}
		}
	})
}
