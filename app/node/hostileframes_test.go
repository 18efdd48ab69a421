package node_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/noise"
)

// hostileFrames are what a hostile friend says, and whether alice hangs up.
var hostileFrames = []struct {
	name  string
	drops bool
	say   func(m *mallory) [][]byte
}{
	{"nothing", true, func(*mallory) [][]byte { return [][]byte{{}} }},
	{"a frame of a newer version", false, func(*mallory) [][]byte { return [][]byte{append([]byte{200}, random(5000)...)} }},
	{"half a hello", true, func(*mallory) [][]byte { return [][]byte{chat.Hello{Name: "half"}.Encode()[:6]} }},
	{"a hello with more behind it", true, func(*mallory) [][]byte { return [][]byte{append(chat.Accept{}.Encode(), 0)} }},
	{"a hello of another host", true, func(m *mallory) [][]byte {
		return [][]byte{chat.Hello{Name: "bob", Peer: string(m.bob.Peer())}.Encode()}
	}},
	{"a name that is not text", true, func(m *mallory) [][]byte {
		return [][]byte{chat.Hello{Name: "\xff\xfe", Peer: string(m.Peer())}.Encode()}
	}},
	{"seventeen addresses", true, func(m *mallory) [][]byte {
		return [][]byte{chat.Hello{Name: "m", Peer: string(m.Peer()), Addrs: make([]string, 17)}.Encode()}
	}},
	{"hundreds of hellos", true, func(m *mallory) [][]byte {
		return times(200, func(i int) []byte {
			return chat.Hello{Name: fmt.Sprint("mallory ", i), Peer: string(m.Peer())}.Encode()
		})
	}},
	{"a mebibyte", true, func(*mallory) [][]byte { return [][]byte{append([]byte{9}, make([]byte, noise.MaxMessage-1)...)} }},
	{"bob's device list", true, func(m *mallory) [][]byte {
		l, err := m.bob.List(9).MarshalBinary()
		if err != nil {
			m.t.Fatal(err)
		}
		return [][]byte{chat.DeviceListFrame{List: l}.Encode()}
	}},
	{"a list without the device", true, func(m *mallory) [][]byte {
		l, err := identity.FromSeed(identity.NewSeed()).SignListAt(2, nil, time.Now())
		if err != nil {
			m.t.Fatal(err)
		}
		b, _ := l.MarshalBinary()
		return [][]byte{chat.DeviceListFrame{List: b}.Encode()}
	}},
	{"two lists of one epoch", true, func(m *mallory) [][]byte {
		a, _ := m.List(7).MarshalBinary()
		b, _ := m.List(7, m.Certificate(nil)).MarshalBinary()
		return [][]byte{chat.DeviceListFrame{List: a}.Encode(), chat.DeviceListFrame{List: b}.Encode()}
	}},
	{"ever new device lists", true, func(m *mallory) [][]byte {
		return times(30, func(i int) []byte {
			b, _ := m.List(uint64(10+2*i), m.Certificate(nil)).MarshalBinary()
			return chat.DeviceListFrame{List: b}.Encode()
		})
	}},
	{"a second signing key", true, func(m *mallory) [][]byte {
		return [][]byte{chat.KeyFrame{Conv: m.conv, Device: m.DeviceID(), Key: [32]byte(random(32))}.Encode()}
	}},
	{"keys of others", false, func(m *mallory) [][]byte {
		return times(200, func(i int) []byte {
			who := []identity.DeviceID{m.bob.DeviceID(), m.alice.DeviceID(), identity.DeviceID(random(32))}[i%3]
			return chat.KeyFrame{Conv: m.conv, Device: who, Key: [32]byte(random(32))}.Encode()
		})
	}},
	{"a forged event", true, func(m *mallory) [][]byte {
		b := m.event(func(*chat.Event) {})
		b[len(b)-1] ^= 1
		return [][]byte{events(b)}
	}},
	{"half an event", true, func(m *mallory) [][]byte {
		b := m.event(func(*chat.Event) {})
		return [][]byte{events(b[:len(b)/2])}
	}},
	{"an event of the chat between alice and bob", false, func(m *mallory) [][]byte {
		return [][]byte{events(m.event(func(e *chat.Event) { e.Conv = chat.Direct(m.alice.ID(), m.bob.ID()) }))}
	}},
	{"an event of bob's device", false, func(m *mallory) [][]byte {
		return [][]byte{events(m.event(func(e *chat.Event) { e.Device = m.bob.DeviceID() }))}
	}},
	{"an event of alice's own device", true, func(m *mallory) [][]byte {
		return [][]byte{events(m.event(func(e *chat.Event) { e.Device = m.alice.DeviceID() }))}
	}},
	{"events with a gap, again and again", false, func(m *mallory) [][]byte {
		b := events(m.event(func(e *chat.Event) { e.Seq += 5; e.Depth += 5; e.Prev = chat.Hash(random(32)) }))
		return times(200, func(int) []byte { return b })
	}},
	{"a lie about depth", true, func(m *mallory) [][]byte {
		return [][]byte{events(m.event(func(e *chat.Event) { e.Depth = 1 << 52 }))}
	}},
	{"a text longer than texts may be", true, func(m *mallory) [][]byte {
		return [][]byte{events(m.event(func(e *chat.Event) { e.Body = bytes.Repeat([]byte("a"), chat.MaxBody+1) }))}
	}},
	{"forged receipts", true, func(m *mallory) [][]byte {
		rc := chat.Receipt{Conv: m.conv, By: m.DeviceID(), Author: m.alice.DeviceID(), Delivered: 1, Seen: 1}
		rc.Sign(ed25519.NewKeyFromSeed(random(32)))
		return [][]byte{chat.ReceiptsFrame{Receipts: []chat.Receipt{rc}}.Encode()}
	}},
	{"a thousand receipts for devices that do not exist", false, func(m *mallory) [][]byte {
		return times(4, func(int) []byte {
			var f chat.ReceiptsFrame
			for range chat.MaxReceipts {
				rc := chat.Receipt{Conv: m.conv, By: m.DeviceID(), Author: identity.DeviceID(random(32)), Delivered: 1}
				rc.Sign(m.key)
				f.Receipts = append(f.Receipts, rc)
			}
			return f.Encode()
		})
	}},
	{"a flood of frontiers", true, func(m *mallory) [][]byte {
		return times(200, func(int) []byte { return chat.FrontierFrame{Frontier: chat.Frontier{Conv: m.conv}}.Encode() })
	}},
	{"a flood of typing", false, func(m *mallory) [][]byte {
		return times(200, func(i int) []byte { return chat.TypingFrame{Conv: m.conv, On: i%3 > 0}.Encode() })
	}},
	{"typing in the chat with bob", false, func(m *mallory) [][]byte {
		return [][]byte{chat.TypingFrame{Conv: chat.Direct(m.alice.ID(), m.bob.ID()), On: true}.Encode()}
	}},
	{"calls that make no sense", false, func(*mallory) [][]byte {
		return times(200, func(int) []byte { return chat.CallFrame{Call: [16]byte(random(16)), Body: random(100)}.Encode() })
	}},
	{"requests from a friend", true, func(*mallory) [][]byte {
		return times(200, func(int) []byte { return chat.Request{Name: "again"}.Encode() })
	}},
	{"acceptance that nobody asked for", false, func(*mallory) [][]byte {
		return times(200, func(int) []byte { return chat.Accept{}.Encode() })
	}},
}
