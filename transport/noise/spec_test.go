package noise_test

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport/noise"
)

// byHand is an initiator written from the Noise specification and the figure
// in the package comment alone, with nothing of ours or of flynn/noise in it.
type byHand struct {
	t         *testing.T
	c         net.Conn
	ck, h, k  []byte
	n         uint64
	out, in   cipher.AEAD
	sent, got uint64
}

func (x *byHand) mixHash(b []byte) {
	s := sha256.Sum256(append(bytes.Clone(x.h), b...))
	x.h = s[:]
}

// hkdf is Noise §4.3: HMACs chained over a counter.
func (x *byHand) hkdf(ikm []byte, n int) [][]byte {
	mac := func(k, m []byte) []byte {
		h := hmac.New(sha256.New, k)
		h.Write(m)
		return h.Sum(nil)
	}
	temp := mac(x.ck, ikm)
	var out [][]byte
	var last []byte
	for i := range n {
		last = mac(temp, append(bytes.Clone(last), byte(i+1)))
		out = append(out, last)
	}
	return out
}

func (x *byHand) mixKey(b []byte) {
	o := x.hkdf(b, 2)
	x.ck, x.k, x.n = o[0], o[1], 0
}

func (x *byHand) mixDH(k *ecdh.PrivateKey, p *ecdh.PublicKey) {
	s, err := k.ECDH(p)
	if err != nil {
		x.t.Fatal(err)
	}
	x.mixKey(s)
}

func (x *byHand) aead(k []byte) cipher.AEAD {
	a, err := chacha20poly1305.New(k)
	if err != nil {
		x.t.Fatal(err)
	}
	return a
}

func nonce(n uint64) []byte { return binary.LittleEndian.AppendUint64(make([]byte, 4), n) }

func (x *byHand) seal(plain []byte) []byte {
	b := x.aead(x.k).Seal(nil, nonce(x.n), plain, x.h)
	x.n++
	x.mixHash(b)
	return b
}

func (x *byHand) open(sealed []byte) []byte {
	b, err := x.aead(x.k).Open(nil, nonce(x.n), sealed, x.h)
	if err != nil {
		x.t.Fatal(err)
	}
	x.n++
	x.mixHash(sealed)
	return b
}

func (x *byHand) write(parts ...[]byte) {
	if _, err := x.c.Write(bytes.Join(parts, nil)); err != nil {
		x.t.Fatal(err)
	}
}

func (x *byHand) read(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(x.c, b); err != nil {
		x.t.Fatal(err)
	}
	return b
}

func (x *byHand) readPrefixed() []byte { return x.read(int(binary.BigEndian.Uint16(x.read(2)))) }

func prefixed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// frame seals one item, padded to size.
func (x *byHand) frame(item []byte, size int) []byte {
	plain := make([]byte, size)
	binary.BigEndian.PutUint16(plain[1:], uint16(len(item)+1))
	copy(plain[3:], item)
	x.sent++
	return prefixed(x.out.Seal(nil, nonce(x.sent-1), plain, nil))
}

// item opens one frame and gives its first item.
func (x *byHand) item() []byte {
	plain, err := x.in.Open(nil, nonce(x.got), x.readPrefixed(), nil)
	if err != nil {
		x.t.Fatal(err)
	}
	x.got++
	return plain[3 : 2+binary.BigEndian.Uint16(plain[1:])]
}

func kdf(t *testing.T, ikm, salt []byte, info string) []byte {
	t.Helper()
	k, err := hkdf.Key(sha256.New, ikm, salt, info, 32)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// call runs the handshake up to message 3, not yet sent.
func (x *byHand) call(a, b end, pair []byte) (msg3 []byte) {
	curve := ecdh.X25519()
	rs, err := curve.NewPublicKey(b.cert.Device.Noise[:])
	if err != nil {
		x.t.Fatal(err)
	}
	e, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		x.t.Fatal(err)
	}
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		x.t.Fatal(err)
	}
	name := sha256.Sum256([]byte("Noise_XKpsk2_25519_ChaChaPoly_SHA256"))
	x.ck, x.h = name[:], name[:]
	x.mixHash(bytes.Join([][]byte{[]byte("entrenous/1 live\x01\x01"), prefixed(a.cfg.Local), prefixed(b.cfg.Local)}, nil))
	x.mixHash(rs.Bytes())

	x.mixHash(e.PublicKey().Bytes()) // -> e, es
	x.mixKey(e.PublicKey().Bytes())
	x.mixDH(e, rs)
	ek := kem.EncapsulationKey().Bytes()
	hint := hmac.New(sha256.New, pair)
	hint.Write(append([]byte("hint"), ek...))
	x.write([]byte{1, 1}, e.PublicKey().Bytes(), x.seal(append(bytes.Clone(ek), hint.Sum(nil)[:16]...)))

	if !bytes.Equal(x.read(2), []byte{1, 1}) { // <- e, ee, psk
		x.t.Fatal("not their hello")
	}
	ct := x.read(1088)
	m := x.readPrefixed()
	re, err := curve.NewPublicKey(m[:32])
	if err != nil {
		x.t.Fatal(err)
	}
	x.mixHash(m[:32])
	x.mixKey(m[:32])
	x.mixDH(e, re)
	ss, err := kem.Decapsulate(ct)
	if err != nil {
		x.t.Fatal(err)
	}
	info := sha256.Sum256(append(bytes.Clone(ek), ct...))
	o := x.hkdf(kdf(x.t, append(bytes.Clone(ss), pair...), nil, "entrenous/1 live psk"+string(info[:])), 3)
	x.ck, x.k, x.n = o[0], o[2], 0
	x.mixHash(o[1])
	if p := x.open(m[32:]); !bytes.Equal(p[:4], []byte{0, 2, 1, 1}) || len(p)%256 != 0 {
		x.t.Fatalf("payload of message 2: %x", p)
	}

	s := x.seal(a.cfg.Static.PublicKey().Bytes()) // -> s, se
	x.mixDH(a.cfg.Static, re)
	p := bytes.Join([][]byte{prefixed(a.cfg.Certificate), make([]byte, 8), prefixed([]byte("by hand"))}, nil)
	p = append(p, make([]byte, (256-len(p)%256)%256)...)
	return append(s, x.seal(p)...)
}

// TestHandWrittenInitiatorIsUnderstood holds the implementation to its description.
func TestHandWrittenInitiatorIsUnderstood(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	pair := bytes.Repeat([]byte{7}, 32)
	p, q := net.Pipe()
	var got *noise.Channel
	done := make(chan error, 1)
	go func() {
		var err error
		got, err = noise.Accept(t.Context(), q, b.facing(a), welcome(noise.Pair{Secret: [32]byte(pair)}))
		done <- err
	}()
	x := &byHand{t: t, c: p}
	msg3 := x.call(a, b, pair)
	keys := x.hkdf(nil, 2)
	x.out, x.in = x.aead(keys[0]), x.aead(keys[1])
	mine := bytes.Repeat([]byte{42}, 32)
	x.write(prefixed(msg3), x.frame(mine, 64))
	answer := x.item()
	next := kdf(t, bytes.Join([][]byte{mine, answer[:32], pair}, nil), x.h, "entrenous/1 live pair")
	proof := func(role byte) []byte {
		m := hmac.New(sha256.New, kdf(t, next, nil, "entrenous/1 live confirm"))
		m.Write(append([]byte{role, 1, 1, 1, 1, 1}, x.h...))
		return m.Sum(nil)
	}
	if !bytes.Equal(answer[32:], proof('r')) {
		t.Error("the responder's proof is another")
	}
	x.write(x.frame(proof('i'), 64))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got.Binding() != [32]byte(x.h) || got.NextPair() != [32]byte(next) || string(got.Caps()) != "by hand" {
		t.Error("the two ends disagree")
	}
	hello := x.frame([]byte("hello"), 64)
	go func() {
		_, err := p.Write(hello)
		done <- err
	}()
	if m := receive(t, got); string(m) != "hello" {
		t.Errorf("received %q", m)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	go func() { done <- got.Send([]byte("bonjour")) }()
	if m := x.item(); string(m) != "bonjour" {
		t.Errorf("sent %q", m)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestWrongProofIsRefused has an initiator misbehave after a whole handshake.
func TestWrongProofIsRefused(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	pair := make([]byte, 32)
	for name, lie := range map[string]func(x *byHand, msg3 []byte){
		"wrong proof": func(x *byHand, msg3 []byte) {
			x.write(prefixed(msg3), x.frame(make([]byte, 32), 64))
			x.item()
			x.write(x.frame(make([]byte, 32), 64))
		},
		"their proof sent back": func(x *byHand, msg3 []byte) {
			x.write(prefixed(msg3), x.frame(make([]byte, 32), 64))
			x.write(x.frame(x.item()[32:], 64))
		},
		"short secret": func(x *byHand, msg3 []byte) { x.write(prefixed(msg3), x.frame(make([]byte, 31), 64)) },
		"no secret": func(x *byHand, msg3 []byte) {
			x.write(prefixed(msg3))
			_ = x.c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, q := net.Pipe()
			done := make(chan error, 1)
			go func() {
				_, err := noise.Accept(t.Context(), q, b.facing(a), welcome())
				done <- err
			}()
			x := &byHand{t: t, c: p}
			msg3 := x.call(a, b, pair)
			keys := x.hkdf(nil, 2)
			x.out, x.in = x.aead(keys[0]), x.aead(keys[1])
			lie(x, msg3)
			if err := <-done; err == nil || errors.Is(err, noise.ErrClosed) {
				t.Errorf("accept: %v", err)
			}
		})
	}
}

func TestPairOfZerosIsNoPairForAnybody(t *testing.T) {
	a, b := person(t, "ana"), person(t, "bo")
	p, q := net.Pipe()
	done := make(chan error, 1)
	with := welcome(noise.Pair{Of: "forgotten"})
	refused := errors.New("refused")
	with.Admit = func(_ identity.Certificate, used *noise.Pair) error {
		if used != nil {
			t.Errorf("%v passes for a pair", used.Of)
		}
		return refused
	}
	go func() {
		_, err := noise.Accept(t.Context(), q, b.facing(a), with)
		done <- err
	}()
	x := &byHand{t: t, c: p}
	x.write(prefixed(x.call(a, b, make([]byte, 32))))
	if err := <-done; !errors.Is(err, refused) {
		t.Errorf("accept: %v", err)
	}
}
