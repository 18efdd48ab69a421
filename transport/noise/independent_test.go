package noise

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	flynn "github.com/flynn/noise"
	nyquist "github.com/katzenpost/nyquist/vectors"
)

// cacophony reads the vectors that the Haskell implementation of Noise made,
// as another Go implementation ships them.
func cacophony(t *testing.T) (out map[string]nyquist.Vector) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/katzenpost/nyquist").Output()
	if err != nil {
		t.Skipf("the module of the vectors is out of reach: %v", err)
	}
	all, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "cacophony.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []nyquist.Vector }
	if err := json.Unmarshal(all, &file); err != nil {
		t.Fatal(err)
	}
	out = map[string]nyquist.Vector{}
	for _, v := range file.Vectors {
		out[v.ProtocolName] = v
	}
	return out
}

// TestSuiteGivesTheVectorsOfAnIndependentImplementation holds our suite to
// vectors that flynn/noise had no part in. That set knows no psk2; its psk3
// differs in nothing but where the key is mixed in.
func TestSuiteGivesTheVectorsOfAnIndependentImplementation(t *testing.T) {
	all := cacophony(t)
	for name, pattern := range map[string]flynn.HandshakePattern{
		"XK": flynn.HandshakeXK, "XKpsk3": flynn.HandshakeXK, "XX": flynn.HandshakeXX, "XXpsk3": flynn.HandshakeXX,
	} {
		t.Run(name, func(t *testing.T) {
			v, there := all["Noise_"+name+"_25519_ChaChaPoly_SHA256"]
			if !there {
				t.Fatal("no vector of it")
			}
			handshake := func(c flynn.Config, static, ephemeral, peer []byte, psks []nyquist.HexBuffer) *flynn.HandshakeState {
				k, err := suite().GenerateKeypair(bytes.NewReader(static))
				if err != nil {
					t.Fatal(err)
				}
				c.CipherSuite, c.Pattern, c.StaticKeypair, c.PeerStatic, c.Random = suite(), pattern, k, peer, bytes.NewReader(ephemeral)
				if len(psks) > 0 {
					c.PresharedKey, c.PresharedKeyPlacement = psks[0], 3
				}
				h, err := flynn.NewHandshakeState(c)
				if err != nil {
					t.Fatal(err)
				}
				return h
			}
			i := handshake(flynn.Config{Initiator: true, Prologue: v.InitPrologue}, v.InitStatic, v.InitEphemeral, v.InitRemoteStatic, v.InitPsks)
			r := handshake(flynn.Config{Prologue: v.RespPrologue}, v.RespStatic, v.RespEphemeral, nil, v.RespPsks)
			speakInTurns(t, i, r, v.Messages)
			if !bytes.Equal(i.ChannelBinding(), v.HandshakeHash) || !bytes.Equal(r.ChannelBinding(), v.HandshakeHash) {
				t.Errorf("handshake hash %x, not %x", i.ChannelBinding(), v.HandshakeHash)
			}
		})
	}
}

// speakInTurns sends three messages of handshake and the rest after it; in
// these vectors the two sides take turns to the end.
func speakInTurns(t *testing.T, i, r *flynn.HandshakeState, messages []nyquist.Message) {
	t.Helper()
	var i2r, r2i *flynn.CipherState
	from, to := i, r
	for n, m := range messages {
		var got []byte
		var err error
		switch {
		case n < 3:
			if got, i2r, r2i, err = from.WriteMessage(nil, m.Payload); err == nil {
				_, _, _, err = to.ReadMessage(nil, got)
			}
		case n%2 == 0:
			got, err = i2r.Encrypt(nil, nil, m.Payload)
		default:
			got, err = r2i.Encrypt(nil, nil, m.Payload)
		}
		if err != nil || !bytes.Equal(got, m.Ciphertext) {
			t.Fatalf("message %d is %x, not %x: %v", n, got, m.Ciphertext, err)
		}
		from, to = to, from
	}
}
