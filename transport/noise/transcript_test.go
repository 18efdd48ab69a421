package noise_test

import (
	"bytes"
	"crypto/ecdh"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/noise"
)

// tape plays what was recorded and drops what is said to it.
type tape struct{ io.Reader }

func (tape) Write(b []byte) (int, error)      { return len(b), nil }
func (tape) Close() error                     { return nil }
func (tape) SetDeadline(time.Time) error      { return nil }
func (tape) SetReadDeadline(time.Time) error  { return nil }
func (tape) SetWriteDeadline(time.Time) error { return nil }
func play(b []byte) noise.Conn                { return tape{bytes.NewReader(b)} }
func seeded(seed byte) io.Reader              { return rand.NewChaCha8([32]byte{seed}) }
func fixedTime() time.Time                    { return time.Unix(1_800_000_000, 0) }
func fixedKey(tb testing.TB, b byte) *ecdh.PrivateKey {
	tb.Helper()
	k, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// puppet is an end whose keys, certificate, clock and randomness are fixed.
func puppet(tb testing.TB, peer string, seed byte) end {
	tb.Helper()
	device, err := identity.NewDevice()
	if err != nil {
		tb.Fatal(err)
	}
	public := device.Public()
	static := fixedKey(tb, seed)
	public.Noise = [32]byte(static.PublicKey().Bytes())
	public.Sig = [32]byte(bytes.Repeat([]byte{seed}, 32))
	public.Msg = [32]byte(fixedKey(tb, seed+1).PublicKey().Bytes())
	cert, err := identity.FromSeed(identity.Seed{seed}).Certify(public, peer, fixedTime().Add(-time.Hour), fixedTime().Add(time.Hour))
	if err != nil {
		tb.Fatal(err)
	}
	b, err := cert.MarshalBinary()
	if err != nil {
		tb.Fatal(err)
	}
	return end{cert: cert, cfg: noise.Config{Static: static, Local: []byte(peer), Certificate: b, Epoch: uint64(seed), Caps: []byte("caps of " + peer), Now: fixedTime}}
}

// recording is a meeting of two puppets.
type recording struct {
	a, b       end
	pair       noise.Pair
	said, told []byte // by initiator and responder
	next       [32]byte
	binding    [32]byte
}

// recorder notes what is written through it.
type recorder struct {
	noise.Conn
	said *[]byte
}

func (r recorder) Write(b []byte) (int, error) {
	*r.said = append(*r.said, b...)
	return r.Conn.Write(b)
}

func record(tb testing.TB) *recording {
	tb.Helper()
	r := &recording{a: puppet(tb, "ana", 1), b: puppet(tb, "bo", 2), pair: noise.Pair{Secret: [32]byte{7}}}
	p, q := net.Pipe()
	a, b := r.a, r.b
	a.cfg.Random(seeded(3))
	b.cfg.Random(seeded(4))
	m := meetOver(tb, recorder{p, &r.said}, recorder{q, &r.told}, a, b, &r.pair, welcome(r.pair))
	if m.dialErr != nil || m.accErr != nil {
		tb.Fatal(m.dialErr, m.accErr)
	}
	r.next, r.binding = m.dialled.NextPair(), m.dialled.Binding()
	return r
}

// accept plays what an initiator said to the responder of the recording.
func (r *recording) accept(tb testing.TB, said []byte) (*noise.Channel, error) {
	tb.Helper()
	cfg := r.b.facing(r.a)
	cfg.Random(seeded(4))
	return noise.Accept(tb.Context(), play(said), cfg, welcome(r.pair))
}

// dial plays what a responder said to the initiator of the recording.
func (r *recording) dial(tb testing.TB, told []byte) (*noise.Channel, error) {
	tb.Helper()
	cfg := r.a.facing(r.b)
	cfg.Random(seeded(3))
	return noise.Dial(tb.Context(), play(told), cfg, r.b.static(), &r.pair)
}

func TestTranscriptIsFrozen(t *testing.T) {
	r := record(t)
	got := fmt.Sprintf("initiator %x\nresponder %x\nbinding %x\nnextpair %x\n", r.said, r.told, r.binding, r.next)
	want, err := os.ReadFile("testdata/transcript.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the wire format changed:\n%s", got)
	}
}

func TestEveryByteOfTheHandshakeCounts(t *testing.T) {
	r := record(t)
	if _, err := r.accept(t, r.said); err != nil {
		t.Fatalf("the recording does not play to the responder: %v", err)
	}
	if _, err := r.dial(t, r.told); err != nil {
		t.Fatalf("the recording does not play to the initiator: %v", err)
	}
	for side, c := range map[string]struct {
		said []byte
		play func(testing.TB, []byte) (*noise.Channel, error)
	}{"initiator": {r.said, r.accept}, "responder": {r.told, r.dial}} {
		t.Run(side, func(t *testing.T) {
			t.Parallel()
			b := bytes.Clone(c.said)
			for i := 0; i < len(b); i += stride {
				b[i] ^= 1 << (i % 8)
				if _, err := c.play(t, b); err == nil {
					t.Errorf("byte %d of %d does not count", i, len(b))
				}
				b[i] ^= 1 << (i % 8)
			}
			for i := 0; i < len(b); i += 29 * stride {
				if _, err := c.play(t, b[:i]); err == nil {
					t.Errorf("%d of %d bytes are enough", i, len(b))
				}
			}
		})
	}
}

func TestReplayGetsNowhere(t *testing.T) {
	r := record(t)
	if _, err := noise.Accept(t.Context(), play(r.said), r.b.facing(r.a), welcome(r.pair)); err == nil {
		t.Error("a recorded initiator was accepted")
	}
	if _, err := noise.Dial(t.Context(), play(r.told), r.a.facing(r.b), r.b.static(), &r.pair); err == nil {
		t.Error("a recorded responder was believed")
	}
}

func TestLengthsAreRefusedBeforeTheyAreRead(t *testing.T) {
	r := record(t)
	told := bytes.Clone(r.told[:2+1088+2])
	told[len(told)-2], told[len(told)-1] = 0xff, 0xff
	if _, err := r.dial(t, told); !errors.Is(err, noise.ErrTooLarge) {
		t.Errorf("message 2: %v", err)
	}
	said := bytes.Clone(r.said[:2+1248+2])
	said[len(said)-2], said[len(said)-1] = 0xff, 0xff
	if _, err := r.accept(t, said); !errors.Is(err, noise.ErrTooLarge) {
		t.Errorf("message 3: %v", err)
	}
	for _, frame := range [][]byte{{0, 0}, {0, 16}, {0, 81}, {0xff, 0xff}} {
		c, err := r.accept(t, append(bytes.Clone(r.said), frame...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Receive(); !errors.Is(err, noise.ErrAuth) {
			t.Errorf("frame length %x: %v", frame, err)
		}
	}
}
