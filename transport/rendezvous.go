package transport

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/cryptobyte"
)

const (
	spotDay = 24 * time.Hour
	// spotSkew is how far two clocks may be apart around the change of a day, and
	// how long before it word is left for the next one.
	spotSkew = 3 * time.Hour

	wordVersion  = 2 // 1 held addresses as text
	wordInfo     = "entrenous/1 rendezvous record"
	wordStep     = 256 // plaintexts are padded to multiples of it, so that their length shows little
	maxWord      = 6 << 10
	maxWordAddrs = 16
	maxWordAddr  = 256
	maxWordPeer  = 64
)

// Spot is the secret of a place where one device leaves word for one friend. The
// place moves every day to a key that only holders of the secret can compute.
type Spot [32]byte

// NewSpot derives the spot at which device leaves word, for whoever knows the
// rendezvous secret of its person.
func NewSpot(secret [16]byte, person, device [32]byte) Spot {
	m := hmac.New(sha256.New, secret[:])
	m.Write([]byte("entrenous/1 spot\x00"))
	m.Write(person[:])
	m.Write(device[:])
	return Spot(m.Sum(nil))
}

// LogValue keeps spots out of logs.
func (Spot) LogValue() slog.Value { return slog.StringValue("spot") }

// within gives the spot a place of its own in a private network.
func (s Spot) within(network string) Spot {
	if network == "" {
		return s
	}
	m := hmac.New(sha256.New, s[:])
	m.Write([]byte("entrenous/1 private network\x00" + network))
	return Spot(m.Sum(nil))
}

// shift is when the day of this spot begins, after midnight: were it midnight
// for all, everybody would publish at once.
func (s Spot) shift() time.Duration {
	m := hmac.New(sha256.New, s[:])
	m.Write([]byte("entrenous/1 rendezvous shift\x00"))
	return time.Duration(binary.BigEndian.Uint64(m.Sum(nil)) % uint64(spotDay))
}

// day is the day of this spot at t, and how much of it has passed.
func (s Spot) day(t time.Time) (int64, time.Duration) {
	at := t.Add(s.shift()).Unix()
	long := int64(spotDay / time.Second)
	into := (at%long + long) % long
	return (at - into) / long, time.Duration(into) * time.Second
}

// places are where to leave word at t: today's, and tomorrow's when that is near.
func (s Spot) places(t time.Time) []place {
	d, into := s.day(t)
	out := []place{s.place(d)}
	if into > spotDay-spotSkew {
		out = append(out, s.place(d+1))
	}
	return out
}

// lookout is a place where to look.
type lookout struct {
	place
	aside bool // there may be word only of who has another clock than ours
}

// lookouts are where to look at t: today's place, and its neighbour near the
// change of the day.
func (s Spot) lookouts(t time.Time) []lookout {
	d, into := s.day(t)
	out := []lookout{{place: s.place(d)}}
	switch {
	case into < spotSkew:
		out = append(out, lookout{s.place(d - 1), true})
	case into > spotDay-spotSkew:
		out = append(out, lookout{s.place(d + 1), true})
	}
	return out
}

// place is a spot on one day: a key that signs what is left there, whose public
// part is the address in the table, and one that encrypts it.
type place struct {
	key  ed25519.PrivateKey
	name peer.ID
	seal [32]byte
}

func (s Spot) place(day int64) place {
	b, err := hkdf.Key(sha256.New, s[:], binary.BigEndian.AppendUint64(nil, uint64(day)), "entrenous/1 rendezvous day", 64)
	if err != nil {
		panic(err) // HKDF refuses lengths above 8,160 bytes only
	}
	p := place{key: ed25519.NewKeyFromSeed(b[:32]), seal: [32]byte(b[32:])}
	public, err := crypto.UnmarshalEd25519PublicKey(p.key[32:])
	if err == nil {
		p.name, err = peer.IDFromPublicKey(public)
	}
	if err != nil {
		panic(err) // every Ed25519 key has a name
	}
	return p
}

// Whereabouts is where a peer says it can be dialled.
type Whereabouts struct {
	Peer  Peer
	Addrs []string  // at most 16 multiaddrs with /p2p/, of at most 256 bytes
	At    time.Time // by its clock
}

// own is how each of the addresses ends; word leaves it out.
func (w Whereabouts) own() string { return "/p2p/" + string(w.Peer) }

// LogValue keeps addresses out of logs.
func (w Whereabouts) LogValue() slog.Value { return w.Peer.LogValue() }

// sealWord encrypts w for holders of the spot.
func (p place) sealWord(w Whereabouts) ([]byte, error) {
	id := w.Peer.Bytes()
	if len(id) == 0 || len(id) > maxWordPeer || len(w.Addrs) > maxWordAddrs {
		return nil, errors.New("seal whereabouts: no peer, or too many addresses")
	}
	var b cryptobyte.Builder
	b.AddUint8(wordVersion)
	b.AddUint64(uint64(w.At.UnixMilli()))
	b.AddUint8LengthPrefixed(func(c *cryptobyte.Builder) { c.AddBytes(id) })
	b.AddUint8(uint8(len(w.Addrs)))
	for _, a := range w.Addrs {
		short, err := ma.NewMultiaddr(strings.TrimSuffix(a, w.own()))
		if err != nil {
			return nil, fmt.Errorf("seal whereabouts: %w", err)
		}
		if len(short.Bytes()) > maxWordAddr {
			return nil, errors.New("seal whereabouts: an address is too long")
		}
		b.AddUint16LengthPrefixed(func(c *cryptobyte.Builder) { c.AddBytes(short.Bytes()) })
	}
	body, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("seal whereabouts: %w", err)
	}
	plain := binary.BigEndian.AppendUint16(nil, uint16(len(body)))
	plain = append(plain, body...)
	plain = append(plain, make([]byte, (wordStep-len(plain)%wordStep)%wordStep)...)
	aead, err := chacha20poly1305.NewX(p.seal[:])
	if err != nil {
		return nil, fmt.Errorf("seal whereabouts: %w", err)
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(plain)+chacha20poly1305.Overhead)
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, []byte(wordInfo)), nil
}

// openWord decrypts what sealWord made. Addresses are what the friend said:
// they are checked where they are used.
func (p place) openWord(b []byte) (Whereabouts, error) {
	var w Whereabouts
	if len(b) > maxWord || len(b) < chacha20poly1305.NonceSizeX {
		return w, errors.New("open whereabouts: not the size of any")
	}
	aead, err := chacha20poly1305.NewX(p.seal[:])
	if err != nil {
		return w, fmt.Errorf("open whereabouts: %w", err)
	}
	nonce, sealed := b[:chacha20poly1305.NonceSizeX], b[chacha20poly1305.NonceSizeX:]
	plain, err := aead.Open(nil, nonce, sealed, []byte(wordInfo))
	if err != nil {
		return w, errors.New("open whereabouts: the secret does not fit, or bytes were changed")
	}
	return parseWord(plain)
}

func parseWord(plain []byte) (w Whereabouts, err error) {
	in := cryptobyte.String(plain)
	var body, id cryptobyte.String
	var version, count uint8
	var at uint64
	if !in.ReadUint16LengthPrefixed(&body) || len(in) >= wordStep || slices.ContainsFunc(in, func(pad byte) bool { return pad != 0 }) ||
		!body.ReadUint8(&version) || version != wordVersion || !body.ReadUint64(&at) ||
		!body.ReadUint8LengthPrefixed(&id) || len(id) > maxWordPeer || !body.ReadUint8(&count) || count > maxWordAddrs {
		return w, errors.New("open whereabouts: not of this version")
	}
	if w.Peer, err = PeerFromBytes(id); err != nil {
		return w, err
	}
	w.At = time.UnixMilli(int64(at))
	for range count {
		var a cryptobyte.String
		if !body.ReadUint16LengthPrefixed(&a) || len(a) > maxWordAddr {
			return w, errors.New("open whereabouts: an address is missing")
		}
		short, err := ma.NewMultiaddrBytes(a)
		if err != nil {
			return w, fmt.Errorf("open whereabouts: %w", err)
		}
		w.Addrs = append(w.Addrs, short.String()+w.own())
	}
	if !body.Empty() {
		return w, errors.New("open whereabouts: bytes are left over")
	}
	return w, nil
}
