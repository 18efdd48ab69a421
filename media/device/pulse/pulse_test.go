package pulse_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/entrenous/entrenous/media/device/pulse"
)

const patience = 30 * time.Second

// server listens where Dial looks, and deals with each connection by talk.
func server(t testing.TB, talk func(net.Conn)) {
	t.Helper()
	dir, err := os.MkdirTemp("", "pa") // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "native")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PULSE_SERVER", "unix:"+path)
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			talks.Go(func() {
				defer c.Close()
				talk(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		talks.Wait()
		_ = os.RemoveAll(dir)
	})
}

// packet is body on a channel.
func packet(channel uint32, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = binary.BigEndian.AppendUint32(b, channel)
	return append(append(b, make([]byte, 12)...), body...)
}

func numbers(vs ...uint32) (b []byte) {
	for _, v := range vs {
		b = binary.BigEndian.AppendUint32(append(b, 'L'), v)
	}
	return b
}

const control = 0xffffffff

// hear reads one packet.
func hear(c io.Reader) (channel, gap uint32, body []byte, err error) {
	var head [20]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return 0, 0, nil, err
	}
	body = make([]byte, min(binary.BigEndian.Uint32(head[:]), 1<<20))
	_, err = io.ReadFull(c, body)
	return binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[12:]), body, err
}

// answers makes a server that gives each command the next answer, then runs rest.
func answers(rest func(net.Conn), replies ...[]byte) func(net.Conn) {
	return func(c net.Conn) {
		for _, r := range append([][]byte{numbers(15), numbers(7)}, replies...) {
			_, _, body, err := hear(c)
			if err != nil || len(body) < 10 {
				return
			}
			tag := binary.BigEndian.Uint32(body[6:])
			if _, err := c.Write(packet(control, append(numbers(2, tag), r...))); err != nil {
				return
			}
		}
		rest(c)
	}
}

// playing is the answer to a wish to play: stream 5, a queue of 960 samples, 5 ms of the device.
func playing() []byte {
	b := numbers(5, 9, 0, 99999, 3840, 0, 480)
	b = append(b, 'a', 5, 1, 0, 0, 0xbb, 0x80, 'm', 1, 0)
	b = append(b, numbers(3)...)
	b = append(b, "tdesk\x00"...)
	b = append(b, '0', 'U')
	return binary.BigEndian.AppendUint64(b, 5000)
}

// sink is what a server tells of a loudspeaker, with the socket in use where it knows sockets.
func sink(name, socket string, ports bool) []byte {
	b := numbers(3)
	b = append(b, "t"+name+"\x00tSome card\x00"...)
	b = append(b, 'a', 3, 2, 0, 0, 0xac, 0x44, 'm', 2, 1, 2)
	b = append(append(b, numbers(1)...), 'v', 2, 0, 1, 0, 0, 0, 1, 0, 0, '0')
	b = append(append(b, numbers(4)...), "tx.monitor\x00U\x00\x00\x00\x00\x00\x00\x00\x00tmodule-alsa-card.c\x00"...)
	b = append(append(b, numbers(0)...), "Ptdevice.form_factor\x00"...)
	b = append(append(b, numbers(9)...), "x\x00\x00\x00\x09internal\x00NU\x00\x00\x00\x00\x00\x00\x00\x00V\x00\x01\x00\x00"...)
	b = append(b, numbers(0, 65537, 0)...)
	if !ports {
		return b
	}
	b = append(b, numbers(2)...)
	for _, p := range []string{"analog-output-speaker", "analog-output-headphones"} {
		b = append(append(b, "t"+p+"\x00tIn the language of the server\x00"...), numbers(100)...)
	}
	return append(b, "t"+socket+"\x00"...)
}

func TestTheSocketInUseIsToldWhereTheServerKnowsIt(t *testing.T) {
	info := append([]byte("tpulseaudio\x00t16\x00tuser\x00thost\x00a\x03\x02\x00\x00\xac\x44"), "tbuilt-in\x00tmic\x00L\x00\x00\x00\x01"...)
	for _, speaks := range []uint32{15, 16, 35} {
		server(t, func(c net.Conn) {
			two := append(sink("built-in", "analog-output-headphones", speaks > 15), sink("other", "analog-output-speaker", speaks > 15)...)
			for _, r := range [][]byte{numbers(speaks), numbers(7), info, two} {
				_, _, body, err := hear(c)
				if err != nil || len(body) < 10 {
					return
				}
				if _, err := c.Write(packet(control, append(numbers(2, binary.BigEndian.Uint32(body[6:])), r...))); err != nil {
					return
				}
			}
		})
		c, err := pulse.Dial(patience)
		if err != nil {
			t.Fatal(err)
		}
		found, err := c.Sinks()
		_ = c.Close()
		if err != nil || len(found) != 2 || !found[0].Default || found[0].Form != "internal" {
			t.Fatalf("a server that speaks %d tells of %+v, %v", speaks, found, err)
		}
		if want := map[bool]string{true: "analog-output-headphones"}[speaks > 15]; found[0].Port != want {
			t.Errorf("a server that speaks %d: the socket is %q, not %q", speaks, found[0].Port, want)
		}
	}
}

func TestWhatIsPlayedReachesTheServerAfterItsGap(t *testing.T) {
	written := make(chan []byte, 1)
	server(t, answers(func(c net.Conn) {
		channel, gap, body, err := hear(c)
		if err != nil || channel != 5 || gap != 48*4 {
			t.Errorf("channel %d, gap %d, %v", channel, gap, err)
		}
		written <- body
		if _, err := c.Write(packet(control, numbers(61, control, 5, 960))); err != nil {
			t.Error(err)
		}
		if _, err := c.Write(packet(control, numbers(64, control, 5))); err != nil {
			t.Error(err)
		}
	}, playing()))
	c, err := pulse.Dial(patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Play("desk", 48000, 240)
	if err != nil || s.Latency != 5*time.Millisecond || s.Room != 960 {
		t.Fatalf("%+v, %v", s, err)
	}
	if err := c.Write(48, []float32{0.5, -0.5}); err != nil {
		t.Fatal(err)
	}
	if got := <-written; !bytes.Equal(got, []byte{0, 0, 0, 0x3f, 0, 0, 0, 0xbf}) {
		t.Errorf("written %x", got)
	}
	bitten := 0
	err = serve(c, func([]float32) { t.Error("heard something") }, func(n int) { bitten += n })
	if !errors.Is(err, pulse.ErrKilled) || bitten != 240 {
		t.Errorf("%d samples bitten, then %v", bitten, err)
	}
}

func TestASampleThatIsCutInTwoIsHeardWhole(t *testing.T) {
	recording := numbers(5, 9, 99999, 960)
	recording = append(recording, 'a', 5, 1, 0, 0, 0xbb, 0x80, 'm', 1, 0)
	recording = append(recording, numbers(3)...)
	recording = append(recording, 'N', '0', 'U', 0, 0, 0, 0, 0, 0, 0, 1)
	server(t, answers(func(c net.Conn) {
		_, _ = c.Write(packet(5, []byte{0, 0, 0, 0x3f, 0, 0}))
		_, _ = c.Write(packet(4, []byte{1, 2, 3, 4})) // another stream's
		_, _ = c.Write(packet(5, []byte{0, 0xbf}))
	}, recording))
	c, err := pulse.Dial(patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Record("", 48000, 240); err != nil {
		t.Fatal(err)
	}
	var heard []float32
	if err := serve(c, func(x []float32) { heard = append(heard, x...) }, nil); err == nil {
		t.Error("a stream ended without an error")
	}
	if len(heard) != 2 || heard[0] != 0.5 || heard[1] != -0.5 {
		t.Errorf("heard %v", heard)
	}
}

func TestEachRefusalHasItsError(t *testing.T) {
	for code, want := range map[uint32]error{1: pulse.ErrDenied, 5: pulse.ErrNoDevice, 9: pulse.ErrDenied, 26: pulse.ErrBusy} {
		server(t, answers(func(c net.Conn) {
			_, _, body, err := hear(c)
			if err == nil {
				_, _ = c.Write(packet(control, numbers(0, binary.BigEndian.Uint32(body[6:]), code)))
			}
		}))
		c, err := pulse.Dial(patience)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Record("cellar", 48000, 240); !errors.Is(err, want) {
			t.Errorf("code %d: %v, want %v", code, err, want)
		}
		_ = c.Close()
	}
}

func TestNoServerAndAnOldOneAreTold(t *testing.T) {
	t.Setenv("PULSE_SERVER", "unix:/nonexistent/native tcp:127.0.0.1:1")
	if _, err := pulse.Dial(patience); !errors.Is(err, pulse.ErrNoServer) {
		t.Errorf("no server: %v", err)
	}
	server(t, func(c net.Conn) {
		_, _, body, err := hear(c)
		if err == nil {
			_, _ = c.Write(packet(control, append(numbers(2, binary.BigEndian.Uint32(body[6:])), numbers(8)...)))
		}
	})
	if _, err := pulse.Dial(patience); !errors.Is(err, pulse.ErrNoServer) {
		t.Errorf("an old server: %v", err)
	}
}

func TestServersElsewhereAreKnownByTheSettings(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "client.conf")
	t.Setenv("PULSE_CLIENTCONFIG", settings)
	for content, want := range map[string]bool{"; default-server = \n": false, "autospawn = no\n default-server = tcp:there\n": true} {
		if err := os.WriteFile(settings, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PULSE_SERVER", "")
		if got := pulse.Elsewhere(); got != want {
			t.Errorf("with %q: %v", content, got)
		}
		t.Setenv("PULSE_SERVER", "unix:/run/here /run/there")
		if pulse.Elsewhere() {
			t.Error("sockets of this machine are taken for others")
		}
		t.Setenv("PULSE_SERVER", "unix:/run/here tcp:there")
		if !pulse.Elsewhere() {
			t.Error("another machine is not seen")
		}
	}
}

// serve hears the server until it has an error.
func serve(c *pulse.Conn, heard func([]float32), bite func(int)) error {
	for {
		if err := c.Hear(time.Now().Add(patience), heard, bite); err != nil {
			return err
		}
	}
}

// FuzzAnything: whatever a server says, it ends in an error and not in a crash.
func FuzzAnything(f *testing.F) {
	f.Add(packet(control, append(numbers(2, 3), playing()...)))
	f.Add(packet(control, numbers(61, control, 5, 960)))
	f.Add(packet(5, []byte{1, 2, 3}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Add(append(packet(control, append(numbers(2, 3), 't', 'x')), packet(control, append(numbers(2, 4), 'L', 0, 0))...))
	f.Fuzz(func(t *testing.T, said []byte) {
		server(t, answers(func(c net.Conn) {
			_, _ = c.Write(said)
			if u, ok := c.(*net.UnixConn); ok {
				_ = u.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, c)
		}))
		for _, use := range []func(c *pulse.Conn) error{
			func(c *pulse.Conn) error { _, err := c.Sinks(); return err },
			func(c *pulse.Conn) error { _, err := c.Record("", 48000, 240); return err },
			func(c *pulse.Conn) error { _, err := c.Play("", 48000, 240); return err },
			func(c *pulse.Conn) error { return nil },
		} {
			c, err := pulse.Dial(patience)
			if err != nil {
				t.Fatal(err)
			}
			if use(c) == nil {
				if serve(c, func([]float32) {}, func(int) {}) == nil {
					t.Error("a stream ended without an error")
				}
			}
			_ = c.Close()
		}
	})
}
