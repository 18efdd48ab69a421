package node_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control/server"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/transport/noise"
)

// mallory is a friend of alice's whose device obeys the test, while bob, a
// friend too, behaves.
type mallory struct {
	*nodetest.Person
	t          *testing.T
	town       *nodetest.Town
	alice, bob *nodetest.Person
	raw        *nodetest.Raw
	key        ed25519.PrivateKey
	conv       chat.ConvID
	ch         *noise.Channel
	used       *noise.Pair // by ch
	before     []string    // what alice has read from mallory
	heap       uint64
	what       string // happens now
}

// withMallory tells a story with alice, bob and a hostile friend.
func withMallory(t *testing.T, story func(m *mallory)) {
	t.Helper()
	nodetest.Run(t, func(town *nodetest.Town) {
		m := &mallory{t: t, town: town, alice: town.Join("alice"), bob: town.Join("bob"), Person: town.Join("mallory")}
		town.Befriend(m.alice, m.bob)
		town.Befriend(m.alice, m.Person)
		m.Send(m.alice, "I am harmless")
		m.alice.WantRow(m.Person, "I am harmless")
		m.Sleep()
		town.Eventually("mallory's node is gone", func() bool { return !m.alice.Sees(m.Person) })
		m.conv, m.key = chat.Direct(m.ID(), m.alice.ID()), m.Signing(m.alice)
		m.before = m.alice.Texts(m.Person)
		m.raw = m.Raw()
		m.dial()
		m.heap = heap()
		story(m)
	})
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// grown is what is in use; it looks for garbage only above a limit.
func grown(limit uint64) uint64 {
	var s runtime.MemStats
	if runtime.ReadMemStats(&s); s.HeapAlloc < limit {
		return s.HeapAlloc
	}
	return heap()
}

// dial opens a channel with the newest secret or, as alice may have been cut
// off before that one was proved to her, with the one before.
func (m *mallory) dial() {
	m.t.Helper()
	pair := m.Pair(m.alice)
	ch, err := m.raw.Live(m.town.Context(), m.alice, pair)
	if errors.Is(err, noise.ErrAuth) && m.used != nil {
		pair = m.used
		ch, err = m.raw.Live(m.town.Context(), m.alice, pair)
	}
	if err != nil {
		m.t.Fatalf("mallory's handshake: %v", err)
	}
	m.ch, m.used = ch, pair
	m.Edit(func(tx *store.Tx) error {
		d, err := tx.Device(m.alice.DeviceID())
		if err != nil {
			return err
		}
		next := ch.NextPair()
		d.PairNew = next[:]
		return tx.PutDevice(d)
	})
}

// say sends frames until alice hangs up.
func (m *mallory) say(frames ...[]byte) {
	for _, f := range frames {
		if m.ch.Send(f) != nil {
			return
		}
	}
}

// dropped says whether alice hangs up within some seconds, before the silence
// of a node that does not answer would make her.
func (m *mallory) dropped() bool {
	_ = m.ch.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		if _, err := m.ch.Receive(); err != nil {
			return !strings.Contains(err.Error(), "deadline")
		}
	}
}

// wantPeace checks that what happened harmed nobody.
func (m *mallory) wantPeace() {
	m.t.Helper()
	if got := grown(m.heap + 24<<20); got > m.heap+24<<20 {
		m.t.Errorf("%s: alice's memory grew by %d MiB", m.what, (got-m.heap)>>20)
	}
	if !m.alice.Sees(m.bob) {
		m.t.Errorf("%s: bob is shown away", m.what)
	}
	id := m.bob.Send(m.alice, "all is well after "+m.what)
	m.alice.WantRow(m.bob, "all is well after "+m.what)
	m.bob.WantState(id, chat.Delivered)
	for _, r := range m.alice.Rows(m.bob) {
		if r.Author != m.bob.ID() && r.Author != m.alice.ID() {
			m.t.Errorf("a row of %s is in the chat with bob", r.Author.Short())
		}
	}
}

// event is the next one of mallory's chain, changed by spoil and then signed.
func (m *mallory) event(spoil func(*chat.Event)) []byte {
	m.t.Helper()
	var e *chat.Event
	m.Edit(func(tx *store.Tx) (err error) {
		e, err = tx.Next(m.conv, m.DeviceID())
		return err
	})
	e.Time, e.Kind, e.Body = time.Now().UnixMilli(), chat.KindText, []byte("spoiled")
	spoil(e)
	e.Sign(m.key)
	return e.Encode()
}

func events(encoded ...[]byte) []byte { return chat.EventsFrame{Events: encoded}.Encode() }

func times(n int, f func(i int) []byte) (out [][]byte) {
	for i := range n {
		out = append(out, f(i))
	}
	return out
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func TestWhatAHostileFriendSaysHarmsNobody(t *testing.T) {
	withMallory(t, func(m *mallory) {
		for _, row := range hostileFrames {
			m.what = row.name
			m.say(row.say(m)...)
			m.town.Pass(100 * time.Millisecond)
			if got := m.dropped(); got != row.drops {
				t.Errorf("%s: dropped is %v", row.name, got)
			}
			m.wantPeace()
			for _, r := range m.alice.Rows(m.Person) {
				if r.Kind != chat.KindDevice && !slices.Contains(m.before, r.Text) {
					t.Errorf("%s: alice reads %q", row.name, r.Text)
				}
			}
			m.raw.Hangup(m.alice)
			m.town.Pass(time.Minute)
			m.dial()
		}
		m.alice.Sleep()
		m.alice.Disk(func(s *store.Store) error {
			receipts, err := s.Receipts(m.conv)
			if len(receipts) > 4 {
				t.Errorf("%d receipts are kept", len(receipts))
			}
			if devices, _ := s.Devices(m.ID()); len(devices) > 20 {
				t.Errorf("%d devices are kept", len(devices))
			}
			return err
		})
	})
}

func TestMutatedAndRandomFramesHarmNobody(t *testing.T) {
	withMallory(t, func(m *mallory) {
		r := mathrand.New(mathrand.NewPCG(1, 2))
		good := [][]byte{
			chat.Hello{Name: "m", Peer: string(m.Peer()), Addrs: []string{"/ip4/1.2.3.4/udp/1/quic-v1"}}.Encode(),
			events(m.event(func(*chat.Event) {})),
			chat.FrontierFrame{Frontier: chat.Frontier{Conv: m.conv, Tips: []chat.Tip{{Device: m.DeviceID(), Seq: 1}}}}.Encode(),
			chat.ReceiptsFrame{Receipts: make([]chat.Receipt, 2)}.Encode(),
			chat.KeyFrame{Conv: m.conv}.Encode(), chat.CallFrame{Body: make([]byte, 30)}.Encode(),
		}
		for range 60 {
			if m.ch.Send(chat.Ping{N: 1}.Encode()) != nil {
				m.raw.Hangup(m.alice)
				m.town.Pass(time.Second)
				m.dial()
			}
			b := slices.Clone(good[r.IntN(len(good))])
			switch r.IntN(3) {
			case 0:
				b = random(1 + r.IntN(300))
				b[0] = byte(r.IntN(18))
			case 1:
				b = b[:r.IntN(len(b))]
			default:
				b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
			}
			m.say(b, b)
			m.town.Pass(10 * time.Millisecond)
		}
		m.wantPeace()
	})
}

func TestStrangeButLawfulEventsAreKeptAndShown(t *testing.T) {
	withMallory(t, func(m *mallory) {
		var last *chat.Event
		next := func(kind chat.Kind, at int64, body []byte) []byte {
			b := m.event(func(e *chat.Event) {
				if last != nil {
					e.Seq, e.Prev, e.Depth = last.Seq+1, last.Hash(), last.Depth+1
				}
				e.Kind, e.Time, e.Body = kind, at, body
			})
			e, err := chat.ParseEvent(b)
			if err != nil {
				t.Fatal(err)
			}
			last = e
			return b
		}
		now := time.Now().UnixMilli()
		long := strings.Repeat("🐸", 64<<10/4)
		m.say(events(
			next(chat.KindText, chat.MaxSeq-1, []byte("from the far future")),
			next(chat.KindText, 0, []byte("from 1970")),
			next(chat.KindText, now, []byte(long)),
			next(chat.KindText, now, []byte("not \xff text")),
			next(99, now, random(500)),
			next(chat.KindEdit, now, chat.EditBody{Of: chat.Hash(random(32)), Text: "of nothing"}.Encode()),
			next(chat.KindDelete, now, []byte("short")),
			next(chat.KindText, now, []byte("the last")),
		))
		m.alice.WantRow(m.Person, "the last")
		texts := m.alice.Texts(m.Person)
		for _, want := range []string{"from the far future", "from 1970", long} {
			if !slices.Contains(texts, want) {
				t.Errorf("%.40q is not shown", want)
			}
		}
		if texts[len(texts)-1] != "the last" {
			t.Errorf("the last row is %.40q", texts[len(texts)-1])
		}
		id := m.alice.Send(m.Person, "an answer")
		if rows := m.alice.Rows(m.Person); rows[len(rows)-1].ID != id {
			t.Error("an answer stands before what it answers")
		}
		m.say(events(next(chat.KindText, chat.MaxSeq-1, []byte("the very last"))))
		m.alice.WantRow(m.Person, "the very last")
		m.wantServed(texts[1:])
		m.wantPeace()
	})
}

// wantServed checks that the local API answers whatever mallory said: with texts,
// where there are rows.
func (m *mallory) wantServed(texts []string) {
	m.t.Helper()
	s := server.New(server.Profile{Node: m.alice.Node}, nil)
	rows := m.alice.Rows(m.Person)
	last := rows[len(rows)-1].ID.String()
	for path, want := range map[string][]string{
		"/v1/contacts":                    {"mallory", "bob", last},
		"/v1/contacts/mallory":            {last},
		"/v1/contacts/mallory/messages":   texts,
		"/v1/contacts/mallory/export":     texts,
		"/v1/messages/" + last:            {last},
		"/v1/search?q=very&who=mallory":   {last},
		"/v1/search?q=future&who=mallory": {"from the far"},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(m.town.Context(), "GET", path, nil))
		body, d := w.Body.String(), json.NewDecoder(w.Body)
		values := 0
		for err := error(nil); ; values++ {
			if err = d.Decode(new(any)); errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				m.t.Errorf("GET %s: %v", path, err)
				break
			}
		}
		if w.Code != http.StatusOK || values == 0 {
			m.t.Errorf("GET %s: status %d, %d values", path, w.Code, values)
		}
		for _, text := range want {
			if !strings.Contains(body, text) {
				m.t.Errorf("GET %s lacks %.40q", path, text)
			}
		}
	}
}

func TestAForkIsKeptAsEvidenceAndShownOnce(t *testing.T) {
	withMallory(t, func(m *mallory) {
		m.say(events(m.event(func(e *chat.Event) { e.Body = []byte("yes") })))
		m.alice.WantRow(m.Person, "yes")
		for i := range 50 {
			m.say(events(m.event(func(e *chat.Event) { e.Body = fmt.Appendf(nil, "no %d", i) })))
		}
		m.town.Pass(time.Second)
		if texts := m.alice.Texts(m.Person); len(texts) != 2 || texts[1] != "yes" {
			t.Errorf("alice reads %q", texts)
		}
		m.wantPeace()
	})
}

func TestAFriendWhoNeverReadsIsDroppedAndCostsLittle(t *testing.T) {
	withMallory(t, func(m *mallory) {
		m.say(chat.Ping{N: 1}.Encode())
		m.town.Eventually("mallory seems to be here", func() bool { return m.alice.Sees(m.Person) })
		m.say(chat.FrontierFrame{Frontier: chat.Frontier{Conv: m.conv}}.Encode())
		text := strings.Repeat("long ", 8<<10)
		for range 100 {
			m.say(chat.Ping{N: 1}.Encode())
			m.alice.Send(m.Person, text)
			m.town.Pass(time.Second)
			m.alice.Node().Typing(m.ID(), true)
		}
		m.town.Within(time.Minute, "mallory is shown away", func() bool {
			m.say(chat.Ping{N: 1}.Encode())
			return !m.alice.Sees(m.Person)
		})
		m.wantPeace()
	})
}

func TestAFriendWhoConnectsAgainAndAgainDisturbsNobody(t *testing.T) {
	withMallory(t, func(m *mallory) {
		watch := m.alice.Node().Watch()
		defer watch.Close()
		for range 15 {
			m.dial()
			m.say(chat.Hello{Name: "mallory", Peer: string(m.Peer())}.Encode())
			m.town.Pass(5 * time.Millisecond)
		}
		m.wantPeace()
	})
}

func TestAFriendWithEverNewDevicesIsHeldOff(t *testing.T) {
	withMallory(t, func(m *mallory) {
		fresh := func(n int) (let int) {
			for range n {
				m.raw.As(m.Guise())
				ch, err := m.raw.Live(m.town.Context(), m.alice, nil)
				if err == nil {
					let++
					ch.Close()
				}
				m.town.Pass(time.Second)
			}
			return let
		}
		wantKept := func(most int) {
			t.Helper()
			m.alice.Sleep()
			m.alice.Disk(func(s *store.Store) error {
				devices, err := s.Devices(m.ID())
				if len(devices) > most || !slices.ContainsFunc(devices, func(d store.Device) bool { return d.ID == m.DeviceID() }) {
					t.Errorf("%d devices of mallory's are kept", len(devices))
				}
				return err
			})
			m.alice.Wake()
			m.town.Eventually("alice and bob meet again", func() bool { return m.alice.Sees(m.bob) && m.bob.Sees(m.alice) })
		}
		if let := fresh(100); let == 0 || let > 20 {
			t.Errorf("%d of 100 new devices were let in", let)
		}
		wantKept(20)
		for range 4 { // patiently: whoever starts again has counted nobody yet
			m.alice.Sleep()
			m.alice.Wake()
			fresh(16)
		}
		wantKept(1 + 32)
		m.wantPeace()
	})
}

func TestAFriendsHelloMakesNobodyKnockAtOtherDoors(t *testing.T) {
	withMallory(t, func(m *mallory) {
		m.say(chat.Hello{Name: "m", Peer: string(m.Peer()), Addrs: []string{
			"/dns4/tracker.example/udp/4001/quic-v1", "/dnsaddr/tracker.example", "/ip4/127.0.0.1/tcp/22", "/ip6/::1/tcp/22",
			"/ip4/224.0.0.251/udp/5353/quic-v1", "/ip4/255.255.255.255/udp/9/quic-v1", "/ip4/0.0.0.0/tcp/22", "/unix/var/run/x",
			"nonsense", "", "/ip4/", "/ip4/999.1.1.1/tcp/1", "/ip4/203.0.113.9/udp/4001/quic-v1",
		}}.Encode())
		m.town.Pass(time.Second)
		m.wantPeace()
		m.alice.Sleep()
		m.alice.Disk(func(s *store.Store) error {
			d, err := s.Device(m.DeviceID())
			if want := []string{"/ip4/203.0.113.9/udp/4001/quic-v1"}; !slices.Equal(d.Addrs, want) {
				t.Errorf("alice would dial %q", d.Addrs)
			}
			return err
		})
	})
}

func TestAFriendWhoDoesNotUseThePairSecretIsRefused(t *testing.T) {
	withMallory(t, func(m *mallory) {
		m.ch.Close()
		ch, err := m.raw.Live(m.town.Context(), m.alice, nil)
		if err == nil {
			if _, err = ch.Receive(); err == nil {
				t.Error("a downgrade was let in")
			}
		}
		wrong := &noise.Pair{Secret: [32]byte(random(32))}
		if ch, err := m.raw.Live(m.town.Context(), m.alice, wrong); err == nil {
			if _, err = ch.Receive(); err == nil {
				t.Error("a wrong secret was let in")
			}
		}
		m.town.Pass(time.Second)
		m.wantPeace()
	})
}
