package noise

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	flynn "github.com/flynn/noise"
)

// vector is one of flynn/noise's own, by the names of its file.
type vector map[string][]byte

// vectors reads those of one handshake from the library's module.
func vectors(t *testing.T, handshake string) (out []vector) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/flynn/noise").Output()
	if err != nil {
		t.Skipf("the library's module is out of reach: %v", err)
	}
	all, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "vectors.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(string(all), "\n\n") {
		v := vector{}
		name := ""
		for line := range strings.Lines(block) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			if key == "handshake" {
				name = value
				continue
			}
			b, err := hex.DecodeString(value)
			if err != nil {
				t.Fatal(err)
			}
			v[key] = b
		}
		if name == handshake {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no vectors of %s", handshake)
	}
	return out
}

// speak runs a handshake of three messages and two more, whoever makes them.
func (v vector) speak(t *testing.T, write func(i int, payload []byte) []byte) {
	t.Helper()
	for i := range 5 {
		n := string(rune('0' + i))
		if got := write(i, v["msg_"+n+"_payload"]); !bytes.Equal(got, v["msg_"+n+"_ciphertext"]) {
			t.Errorf("message %d is %x, not %x", i, got, v["msg_"+n+"_ciphertext"])
		}
	}
}

// TestExchangeGivesTheVectorsOfXKpsk2 runs our own wrapper through them.
func TestExchangeGivesTheVectorsOfXKpsk2(t *testing.T) {
	for _, v := range vectors(t, "Noise_XKpsk2_25519_ChaChaPoly_SHA256") {
		static := func(name string) *ecdh.PrivateKey {
			k, err := ecdh.X25519().NewPrivateKey(v[name])
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		is, rs := static("init_static"), static("resp_static")
		i, err := newExchange(is, rs.PublicKey().Bytes(), v["prologue"], bytes.NewReader(v["gen_init_ephemeral"]))
		if err != nil {
			t.Fatal(err)
		}
		r, err := newExchange(rs, nil, v["prologue"], bytes.NewReader(v["gen_resp_ephemeral"]))
		if err != nil {
			t.Fatal(err)
		}
		from, to := i, r
		v.speak(t, func(n int, payload []byte) []byte {
			defer func() { from, to = to, from }()
			if n > 2 {
				return transport(t, i, r, n == 3, payload)
			}
			if n == 1 {
				for _, x := range []*exchange{from, to} {
					if err := x.setPSK([32]byte(v["preshared_key"])); err != nil {
						t.Fatal(err)
					}
				}
			}
			m, err := from.write(payload)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := to.read(m); err != nil || !bytes.Equal(got, payload) {
				t.Fatalf("message %d: %x, %v", n, got, err)
			}
			return m
		})
		if r.peer() != [32]byte(is.PublicKey().Bytes()) || i.binding() != r.binding() {
			t.Error("the two sides disagree")
		}
	}
}

// transport sends one more message; the vectors have the initiator's first.
func transport(t *testing.T, i, r *exchange, initiator bool, payload []byte) []byte {
	t.Helper()
	out, in := i.i2r, r.i2r
	if !initiator {
		out, in = r.r2i, i.r2i
	}
	m, err := out.Encrypt(nil, nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := in.Decrypt(nil, nil, m); err != nil || !bytes.Equal(got, payload) {
		t.Fatalf("%x, %v", got, err)
	}
	return m
}

// TestSuiteGivesTheVectorsOfOtherPatterns holds the library to its vectors
// where ours differ from it in nothing but the pattern.
func TestSuiteGivesTheVectorsOfOtherPatterns(t *testing.T) {
	for name, pattern := range map[string]flynn.HandshakePattern{
		"XK": flynn.HandshakeXK, "XX": flynn.HandshakeXX, "XXpsk2": flynn.HandshakeXX, "XXpsk3": flynn.HandshakeXX, "XKpsk3": flynn.HandshakeXK,
	} {
		placement := 0
		if _, digit, psk := strings.Cut(name, "psk"); psk {
			placement = int(digit[0] - '0')
		}
		for _, v := range vectors(t, "Noise_"+name+"_25519_ChaChaPoly_SHA256") {
			config := func(own, ephemeral string, initiator bool) flynn.Config {
				k, err := suite().GenerateKeypair(bytes.NewReader(v[own]))
				if err != nil {
					t.Fatal(err)
				}
				return flynn.Config{
					CipherSuite: suite(), Pattern: pattern, Initiator: initiator, Prologue: v["prologue"], StaticKeypair: k,
					Random: bytes.NewReader(v[ephemeral]), PresharedKey: v["preshared_key"], PresharedKeyPlacement: placement,
				}
			}
			ci, cr := config("init_static", "gen_init_ephemeral", true), config("resp_static", "gen_resp_ephemeral", false)
			if pattern.Name == "XK" {
				ci.PeerStatic = cr.StaticKeypair.Public
			}
			speakRaw(t, v, ci, cr)
		}
	}
}

func speakRaw(t *testing.T, v vector, ci, cr flynn.Config) {
	t.Helper()
	i, err := flynn.NewHandshakeState(ci)
	if err != nil {
		t.Fatal(err)
	}
	r, err := flynn.NewHandshakeState(cr)
	if err != nil {
		t.Fatal(err)
	}
	var i2r, r2i *flynn.CipherState
	from, to := i, r
	v.speak(t, func(n int, payload []byte) []byte {
		defer func() { from, to = to, from }()
		var m []byte
		var err error
		switch n {
		case 3:
			m, err = i2r.Encrypt(nil, nil, payload)
		case 4:
			m, err = r2i.Encrypt(nil, nil, payload)
		default:
			if m, i2r, r2i, err = from.WriteMessage(nil, payload); err == nil {
				_, _, _, err = to.ReadMessage(nil, m)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	})
}
