package transport_test

import (
	"bufio"
	"crypto/ed25519"
	"encoding/binary"
	"io"
	"testing"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	kb "github.com/libp2p/go-libp2p-kbucket"
	record "github.com/libp2p/go-libp2p-record"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/simnet"
)

// sybils are nodes that stand around a key of the table, and drop what is left
// there, not always saying so, and answer with what they please. They make
// themselves known to the nodes of bootstrap, if there are any.
func sybils(t *testing.T, w *simnet.World, n int, bootstrap []string, key string, lies [][]byte) (first []string) {
	t.Helper()
	lan := w.LAN(simnet.Public)
	var hosts []*transport.Host
	for range n {
		hosts = append(hosts, on(t, lan.Host(), transport.Config{Key: keyNear(t, key), Lend: &transport.Lend{}}))
	}
	var circle []peer.AddrInfo
	for _, h := range hosts {
		info, err := peer.AddrInfoFromString(h.Addrs()[0])
		if err != nil {
			t.Fatal(err)
		}
		circle = append(circle, *info)
	}
	for i, h := range hosts {
		lie := lies[i%len(lies)]
		h.Handle("/ipfs/kad/1.0.0", func(s *transport.Stream) { lieTo(s, key, lie, circle) })
		for _, at := range bootstrap {
			begin, err := peer.AddrInfoFromString(at)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Dial(t.Context(), transport.Peer(begin.ID.String()), bootstrap); err != nil {
				t.Fatal(err)
			}
		}
	}
	time.Sleep(2 * time.Second)
	return hosts[0].Addrs()
}

// keyNear makes a key whose name is near to a key of the table.
func keyNear(t *testing.T, key string) ed25519.PrivateKey {
	t.Helper()
	for {
		pub, priv, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := transport.PeerOf(pub)
		if err != nil {
			t.Fatal(err)
		}
		if kb.CommonPrefixLen(kb.ConvertKey(key), kb.ConvertKey(string(p.Bytes()))) >= 5 {
			return priv
		}
	}
}

func lieTo(s *transport.Stream, key string, lie []byte, circle []peer.AddrInfo) {
	r := bufio.NewReader(s)
	for {
		n, err := binary.ReadUvarint(r)
		if err != nil || n > 1<<20 {
			return
		}
		b := make([]byte, n)
		var m pb.Message
		if _, err := io.ReadFull(r, b); err != nil || proto.Unmarshal(b, &m) != nil {
			return
		}
		out := &pb.Message{Type: m.Type, Key: m.Key, CloserPeers: pb.RawPeerInfosToPBPeers(circle)}
		switch {
		case m.Type == pb.Message_PUT_VALUE:
			if out = (&pb.Message{Type: m.Type, Key: m.Key}); len(lie) > 0 {
				out = &m // as if it were kept
			}
		case m.Type == pb.Message_GET_VALUE && string(m.Key) == key:
			out.Record = record.MakePutRecord(key, lie)
		}
		if b, err = proto.Marshal(out); err != nil {
			return
		}
		if _, err := s.Write(append(binary.AppendUvarint(nil, uint64(len(b))), b...)); err != nil {
			return
		}
	}
}

// lies are what liars answer who know where a spot's word lies, and have records
// of another spot and of another day, in which somebody says to be elsewhere.
func lies(t *testing.T, at, other transport.Spot, who transport.Peer) [][]byte {
	t.Helper()
	wrong := transport.Whereabouts{Peer: who, Addrs: []string{"/ip4/8.6.6.6/udp/666/quic-v1"}, At: time.Now().Add(time.Hour)}
	elsewhere, err := transport.RecordAt(other, time.Now(), wrong)
	if err != nil {
		t.Fatal(err)
	}
	lastYear, err := transport.RecordAt(at, time.Now().AddDate(-1, 0, 0), wrong)
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{elsewhere, lastYear, []byte("garbage"), nil}
}

// As many as the table asks at a place, twenty, would hide in some cases what
// lies there: then relays know it, see below.
func TestLiarsAroundAPlaceFoolNobodyAndDoNotHideIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		a, b := spots()
		bootstrap := strangers(t, w, 4)
		ana, bo := twoWith(t, w, bootstrap)
		sybils(t, w, 15, bootstrap, transport.TableKey(a, time.Now()), lies(t, a, b, bo.host.Peer()))
		ana.find(meeting{mine: a, theirs: b})
		bo.find(meeting{mine: b, theirs: a})
		t.Logf("found after %v", bo.wants(ana, 5*time.Minute))
		time.Sleep(time.Minute)
		bo.isNotFooledAbout(ana)
	})
}

func TestWhereAllOfTheTableLieTheRelayStillKnows(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		a, b := spots()
		relay := on(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
		liars := sybils(t, w, 8, nil, transport.TableKey(a, time.Now()), lies(t, a, b, relay.Peer()))
		ana, bo := twoWith(t, w, liars)
		ana.find(meeting{mine: a, theirs: b, boards: relay.Addrs()})
		bo.find(meeting{mine: b, theirs: a, boards: relay.Addrs()})
		t.Logf("found after %v", bo.wants(ana, 5*time.Second))
		time.Sleep(time.Minute)
		bo.isNotFooledAbout(ana)
	})
}

// twoWith are friends at home who begin with the same nodes of a table.
func twoWith(t *testing.T, w *simnet.World, bootstrap []string) (ana, bo *friend) {
	t.Helper()
	dht := &transport.DHT{Bootstrap: bootstrap, AnyAddr: true}
	home := func() *friend {
		return &friend{t: t, host: on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{DHT: dht})}
	}
	return home(), home()
}

// isNotFooledAbout sees that nobody was found but o.
func (f *friend) isNotFooledAbout(o *friend) {
	f.t.Helper()
	for _, w := range f.all() {
		if w.Peer != o.host.Peer() {
			f.t.Errorf("fooled: %+v", w)
		}
	}
}

func TestAClockThatIsWrongByAYearHidesNobody(t *testing.T) {
	for name, off := range map[string]time.Duration{"behind": -365 * 24 * time.Hour, "ahead": 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *simnet.World) {
				dht := &transport.DHT{Bootstrap: strangers(t, w, 6), AnyAddr: true}
				a, b := spots()
				ana := &friend{t: t, host: on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{DHT: dht})}
				bo := &friend{t: t, host: on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{DHT: dht})}
				ana.find(meeting{mine: a, theirs: b, now: func() time.Time { return time.Now().Add(off) }})
				bo.find(meeting{mine: b, theirs: a})
				t.Logf("found after %v", max(ana.wants(bo, 20*time.Second), bo.wants(ana, 20*time.Second)))
				if got := ana.host.Finding().ClockOff; (got + off).Abs() > 24*time.Hour {
					t.Errorf("the clock is thought to be off by %v", got)
				}
			})
		})
	}
}

func TestABoardIsEnoughAndKeepsWordOnlyOfWhoHasTheSecret(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		relay := on(t, w.LAN(simnet.Public).Host(), transport.Config{Lend: &transport.Lend{}})
		a, b := spots()
		ana := &friend{t: t, host: on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{})}
		bo := &friend{t: t, host: on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{})}
		ana.find(meeting{mine: a, theirs: b, boards: relay.Addrs()})
		bo.find(meeting{mine: b, theirs: a, boards: relay.Addrs()})
		t.Logf("found after %v", max(ana.wants(bo, 3*time.Second), bo.wants(ana, 3*time.Second)))
	})
}

func TestWhoHasNothingToDoIsSilent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		dht := &transport.DHT{Bootstrap: strangers(t, w, 4), AnyAddr: true}
		a, b := spots()
		ana := &friend{t: t, host: on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{DHT: dht})}
		ana.find(meeting{mine: a, theirs: b})
		time.Sleep(10 * time.Minute)
		if f := ana.host.Finding(); f.Awake || f.Told.IsZero() || f.TellError != "" {
			t.Errorf("ten minutes later: %+v", f)
		}
	})
}

func TestAPrivateNetworkKeepsToItself(t *testing.T) {
	inWorld(t, func(t *testing.T, w *simnet.World) {
		a, b := spots()
		server := on(t, w.LAN(simnet.Public).Host(), transport.Config{DHT: &transport.DHT{Network: "ours", AnyAddr: true, Serve: true}})
		join := func(network string) *friend {
			return &friend{t: t, host: on(t, w.LAN(simnet.PortRestricted).Host(), transport.Config{
				DHT: &transport.DHT{Bootstrap: server.Addrs(), Network: network, AnyAddr: true},
			})}
		}
		ana, bo, eve := join("ours"), join("ours"), join("")
		ana.find(meeting{mine: a, theirs: b})
		bo.find(meeting{mine: b, theirs: a})
		eve.find(meeting{mine: b, theirs: a})
		t.Logf("found after %v", max(ana.wants(bo, 3*time.Second), bo.wants(ana, 3*time.Second)))
		time.Sleep(time.Minute)
		if len(eve.all()) > 0 || eve.host.Finding().Peers > 0 {
			t.Error("somebody without the key is in the network")
		}
	})
}
