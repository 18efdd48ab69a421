// Package identity knows who is who: persons, their devices, the words that
// restore a person, the links that invite one, the numbers by which two people
// make sure of each other, and the vault that keeps the secrets on disk. It
// hides every key format, signature and checksum behind a few values; nothing
// in it touches the network.
package identity

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
)

// ID is a person: the Ed25519 public identity key. Its zero value is nobody.
type ID [32]byte

// DeviceID is one device of a person: the device's Ed25519 public signing key.
// Its zero value is no device.
type DeviceID [32]byte

const (
	idDataLen  = 52 // 32 bytes in groups of five bits
	idTextLen  = idDataLen + checksumLen
	shortIDLen = 8
)

// ParseID reads what ID.String wrote. A text with a mistake, or that of a
// device, is an error.
func ParseID(s string) (ID, error) {
	key, err := parseKeyText(prefixPerson, s)
	if err != nil {
		return ID{}, fmt.Errorf("read person id: %w", err)
	}
	return key, nil
}

// ParseDeviceID reads what DeviceID.String wrote. A text with a mistake, or that
// of a person, is an error.
func ParseDeviceID(s string) (DeviceID, error) {
	key, err := parseKeyText(prefixDevice, s)
	if err != nil {
		return DeviceID{}, fmt.Errorf("read device id: %w", err)
	}
	return key, nil
}

// String spells the whole id: 52 characters and a checksum of 6.
func (id ID) String() string { return keyText(prefixPerson, id) }

// Short is the first 8 characters of String: enough for logs and for people to
// tell a few ids apart, never enough to decide anything.
func (id ID) Short() string { return id.String()[:shortIDLen] }

// IsZero reports whether id is nobody.
func (id ID) IsZero() bool { return id == ID{} }

// Compare orders ids by their bytes.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// LogValue keeps whole ids out of the log.
func (id ID) LogValue() slog.Value { return slog.StringValue(id.Short()) }

// MarshalText spells the id, for JSON and the like.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote, as ParseID does.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// String spells the whole id: 52 characters and a checksum of 6.
func (d DeviceID) String() string { return keyText(prefixDevice, d) }

// Short is the first 8 characters of String, for logs and people.
func (d DeviceID) Short() string { return d.String()[:shortIDLen] }

// IsZero reports whether d is no device.
func (d DeviceID) IsZero() bool { return d == DeviceID{} }

// Compare orders device ids by their bytes.
func (d DeviceID) Compare(other DeviceID) int { return bytes.Compare(d[:], other[:]) }

// LogValue keeps whole ids out of the log.
func (d DeviceID) LogValue() slog.Value { return slog.StringValue(d.Short()) }

// MarshalText spells the id, for JSON and the like.
func (d DeviceID) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote, as ParseDeviceID does.
func (d *DeviceID) UnmarshalText(text []byte) error {
	parsed, err := ParseDeviceID(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

func keyText(prefix string, key [32]byte) string {
	return spell(withChecksum(prefix, toSymbols(key[:])))
}

func parseKeyText(prefix, text string) ([32]byte, error) {
	if len(text) != idTextLen {
		return [32]byte{}, fmt.Errorf("%d characters where %d belong", len(text), idTextLen)
	}
	symbols, foreign := unspell(text)
	if foreign >= 0 {
		return [32]byte{}, fmt.Errorf("character %d does not belong there", foreign+1)
	}
	if residue(prefix, symbols) != 0 {
		return [32]byte{}, errors.New("the checksum does not fit")
	}
	key, canonical := fromSymbols(symbols[:idDataLen])
	if !canonical {
		return [32]byte{}, errors.New("bits are left over")
	}
	return [32]byte(key), nil
}
