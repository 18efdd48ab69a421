package identity

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"
)

// lowOrderKeys are the Ed25519 public keys of small order, sign bit cleared.
// One signature by such a key fits many messages, so none of them is anybody.
var lowOrderKeys = [][32]byte{
	littleEndian32(0, 0, 0, 0),
	littleEndian32(1, 0, 0, 0),
	littleEndian32(0xb027b2c28f95e826, 0xf098eff289f4c345, 0x3933c6d305acdfd5, 0x05fc536d880238b1),
	littleEndian32(0x4fd84d3d706a17c7, 0x0f67100d760b3cba, 0xc6cc392cfa53202a, 0x7a03ac9277fdc74e),
	littleEndian32(math.MaxUint64-0x13, math.MaxUint64, math.MaxUint64, math.MaxInt64),
	littleEndian32(math.MaxUint64-0x12, math.MaxUint64, math.MaxUint64, math.MaxInt64),
	littleEndian32(math.MaxUint64-0x11, math.MaxUint64, math.MaxUint64, math.MaxInt64),
}

// Identity holds the private part of a person's identity key. It is opened only
// to change the person's devices and dropped right after.
type Identity struct {
	key     ed25519.PrivateKey
	address [16]byte
}

// FromSeed derives the person from the seed.
func FromSeed(s Seed) *Identity {
	return &Identity{
		key:     ed25519.NewKeyFromSeed(derive(s[:], nil, "entrenous/1 identity", ed25519.SeedSize)),
		address: [16]byte(derive(s[:], nil, "entrenous/1 address", 16)),
	}
}

// ID is the person's public key.
func (i *Identity) ID() ID { return ID(i.key.Public().(ed25519.PublicKey)) }

// AddressSecret is the rendezvous secret of the person's permanent address. It
// comes from the seed, so that the words restore the address too.
func (i *Identity) AddressSecret() [16]byte { return i.address }

// LogValue keeps the key out of the log.
func (i *Identity) LogValue() slog.Value { return slog.StringValue(i.ID().Short()) }

// Certify signs that the device is this person's from notBefore to notAfter.
// The name passes through CleanName and the times are cut to whole seconds.
func (i *Identity) Certify(d DevicePublic, name string, notBefore, notAfter time.Time) (Certificate, error) {
	c := Certificate{
		Person: i.ID(), Device: d, Name: CleanName(name),
		NotBefore: wholeSecond(notBefore), NotAfter: wholeSecond(notAfter),
	}
	if err := c.check(); err != nil {
		return Certificate{}, fmt.Errorf("certify device %s: %w", c.DeviceID().Short(), err)
	}
	c.Signature = [64]byte(Sign(i.key, certificateType, c.body()))
	return c, nil
}

// SignList signs the list of this person's devices that follows prev, or the
// first one if prev is nil. A device that is not on it is revoked. The
// certificates may come in any order and must be this person's.
func (i *Identity) SignList(prev *DeviceList, certs []Certificate, now time.Time) (*DeviceList, error) {
	l := &DeviceList{Person: i.ID(), Epoch: 1, Issued: wholeSecond(now), Certs: slices.Clone(certs)}
	if prev != nil {
		if prev.Person != l.Person {
			return nil, errors.New("sign device list: the list before is another person's")
		}
		if prev.Epoch == math.MaxUint64 {
			return nil, errors.New("sign device list: no epochs are left")
		}
		l.Epoch, l.Prev = prev.Epoch+1, prev.Hash()
	}
	return i.sign(l)
}

// SignListAt signs a list at a chosen epoch, without a list before it: for an
// identity brought back from its words, which does not know what epoch it had
// reached. Contacts take it if the epoch is higher by two or more than the one
// they hold: the very next one must be linked.
func (i *Identity) SignListAt(epoch uint64, certs []Certificate, now time.Time) (*DeviceList, error) {
	return i.sign(&DeviceList{Person: i.ID(), Epoch: epoch, Issued: wholeSecond(now), Certs: slices.Clone(certs)})
}

// Sign signs msg as a thing of the given type: what is signed as one type never
// passes for another.
func Sign(key ed25519.PrivateKey, typ string, msg []byte) []byte {
	return ed25519.Sign(key, signed(typ, msg))
}

// Verify reports whether sig is what Sign makes of typ and msg with the private
// part of pub. Keys of a wrong length or of small order verify nothing.
func Verify(pub []byte, typ string, msg, sig []byte) bool {
	if len(pub) != ed25519.PublicKeySize {
		return false
	}
	unsigned := [32]byte(pub)
	unsigned[31] &= 0x7f
	if slices.Contains(lowOrderKeys, unsigned) {
		return false
	}
	return ed25519.Verify(pub, signed(typ, msg), sig)
}

// sign puts the certificates of a list in order, checks it and signs it.
func (i *Identity) sign(l *DeviceList) (*DeviceList, error) {
	slices.SortFunc(l.Certs, func(a, b Certificate) int { return a.DeviceID().Compare(b.DeviceID()) })
	if len(l.Certs) == 0 {
		l.Certs = nil // as it is read back
	}
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("sign device list: %w", err)
	}
	for _, c := range l.Certs {
		if err := c.verify(); err != nil {
			return nil, fmt.Errorf("sign device list: %w", err)
		}
	}
	l.Signature = [64]byte(Sign(i.key, listType, l.body()))
	return l, nil
}

func signed(typ string, msg []byte) []byte {
	return slices.Concat([]byte("entrenous/1 "), []byte(typ), []byte{0}, msg)
}

// derive is HKDF-SHA256. Its only errors are lengths beyond 8,160 bytes, which
// no caller asks for.
func derive(secret, salt []byte, info string, length int) []byte {
	key, err := hkdf.Key(sha256.New, secret, salt, info, length)
	if err != nil {
		panic("identity: " + err.Error()) // unreachable; going on with an empty key would be worse
	}
	return key
}

func littleEndian32(limbs ...uint64) (key [32]byte) {
	for i, limb := range limbs {
		binary.LittleEndian.PutUint64(key[8*i:], limb)
	}
	return key
}
