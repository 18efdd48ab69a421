package chat

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"

	"github.com/entrenous/entrenous/identity"
)

// Hash is an event's id: the SHA-256 of "entrenous/1 event\x00", the event's
// header and the digest of its body.
type Hash [32]byte

// ConvID names a conversation.
type ConvID [32]byte

// Direct returns the conversation of two people: the same for both of them,
// and found by nobody who does not know both identities.
func Direct(a, b identity.ID) ConvID {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	h := sha256.New()
	h.Write([]byte("entrenous/1 direct\x00"))
	h.Write(a[:])
	h.Write(b[:])
	return ConvID(h.Sum(nil))
}

// ParseHash reads what Hash.String wrote.
func ParseHash(s string) (Hash, error) {
	b, err := parseHex(s)
	if err != nil {
		return Hash{}, fmt.Errorf("parse event hash: %w", err)
	}
	return b, nil
}

// ParseConvID reads what ConvID.String wrote.
func ParseConvID(s string) (ConvID, error) {
	b, err := parseHex(s)
	if err != nil {
		return ConvID{}, fmt.Errorf("parse conversation id: %w", err)
	}
	return b, nil
}

// String returns 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Short returns the first 8 digits, for logs.
func (h Hash) Short() string { return hex.EncodeToString(h[:4]) }

// IsZero says whether h names no event.
func (h Hash) IsZero() bool { return h == Hash{} }

// Compare orders hashes as their bytes: -1, 0 or +1.
func (h Hash) Compare(o Hash) int { return bytes.Compare(h[:], o[:]) }

// LogValue keeps whole ids out of logs.
func (h Hash) LogValue() slog.Value { return slog.StringValue(h.Short()) }

// MarshalText writes h as String does.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(b []byte) (err error) {
	*h, err = ParseHash(string(b))
	return err
}

// String returns 64 hexadecimal digits.
func (c ConvID) String() string { return hex.EncodeToString(c[:]) }

// Short returns the first 8 digits, for logs.
func (c ConvID) Short() string { return hex.EncodeToString(c[:4]) }

// IsZero says whether c names no conversation.
func (c ConvID) IsZero() bool { return c == ConvID{} }

// LogValue keeps whole ids out of logs.
func (c ConvID) LogValue() slog.Value { return slog.StringValue(c.Short()) }

// MarshalText writes c as String does.
func (c ConvID) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *ConvID) UnmarshalText(b []byte) (err error) {
	*c, err = ParseConvID(string(b))
	return err
}

// parseHex reads 64 lower-case hexadecimal digits: one id has one spelling.
func parseHex(s string) (b [32]byte, err error) {
	if len(s) != 64 {
		return b, fmt.Errorf("%d characters instead of 64", len(s))
	}
	for _, c := range s {
		if c >= 'A' && c <= 'F' {
			return b, fmt.Errorf("upper-case digit %q", c)
		}
	}
	_, err = hex.Decode(b[:], []byte(s))
	return b, err
}
