package identity

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

const (
	deviceVersion = 1
	deviceLen     = 1 + 4*32
)

// Device holds the private keys of this device, each drawn at random and used
// for one purpose.
type Device struct {
	Sig   ed25519.PrivateKey // signs what the device says
	Noise *ecdh.PrivateKey   // X25519, static key of live channels
	Msg   *ecdh.PrivateKey   // X25519, for carried mail
	Peer  ed25519.PrivateKey // libp2p's key: independent of the others, replaceable
}

// DevicePublic is what others need to know of a device.
type DevicePublic struct{ Sig, Noise, Msg [32]byte }

// NewDevice draws new keys for this device.
func NewDevice() (*Device, error) {
	secret := make([]byte, deviceLen)
	rand.Read(secret)
	secret[0] = deviceVersion
	return ParseDevice(secret)
}

// ID is the device's public signing key.
func (d *Device) ID() DeviceID { return DeviceID(d.Sig.Public().(ed25519.PublicKey)) }

// Public is what a certificate says of the device.
func (d *Device) Public() DevicePublic {
	return DevicePublic{
		Sig:   d.ID(),
		Noise: [32]byte(d.Noise.PublicKey().Bytes()),
		Msg:   [32]byte(d.Msg.PublicKey().Bytes()),
	}
}

// String names the device without its keys.
func (d *Device) String() string { return d.ID().Short() }

// LogValue keeps the keys out of the log.
func (d *Device) LogValue() slog.Value { return d.ID().LogValue() }

// MarshalBinary writes the private keys. They belong in the vault or the
// encrypted store and nowhere else.
func (d *Device) MarshalBinary() ([]byte, error) {
	if len(d.Sig) != ed25519.PrivateKeySize || len(d.Peer) != ed25519.PrivateKeySize || d.Noise == nil || d.Msg == nil {
		return nil, errors.New("write device keys: some are missing")
	}
	return slices.Concat([]byte{deviceVersion}, d.Sig.Seed(), d.Noise.Bytes(), d.Msg.Bytes(), d.Peer.Seed()), nil
}

// ParseDevice reads what MarshalBinary wrote.
func ParseDevice(b []byte) (*Device, error) {
	if len(b) != deviceLen || b[0] != deviceVersion {
		return nil, errors.New("read device keys: not a device of this version")
	}
	seeds := slices.Collect(slices.Chunk(b[1:], 32))
	noise, err := ecdh.X25519().NewPrivateKey(seeds[1])
	if err != nil {
		return nil, fmt.Errorf("read device keys: %w", err)
	}
	msg, err := ecdh.X25519().NewPrivateKey(seeds[2])
	if err != nil {
		return nil, fmt.Errorf("read device keys: %w", err)
	}
	return &Device{
		Sig: ed25519.NewKeyFromSeed(seeds[0]), Noise: noise, Msg: msg, Peer: ed25519.NewKeyFromSeed(seeds[3]),
	}, nil
}
