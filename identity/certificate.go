package identity

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

const (
	certificateVersion = 1
	certificateType    = "device certificate"
	maxCertificate     = 512 // bytes; the largest there can be has 274
	maxUnixSecond      = 253402300799
	clockTolerance     = 24 * time.Hour
)

// What ValidAt says of a certificate whose time is not now.
var (
	ErrExpired     = errors.New("the device's certificate has expired")
	ErrNotYetValid = errors.New("the device's certificate is not valid yet")
)

// Certificate is a person's word that a device is theirs. One that came out of
// Certify or ParseCertificate carries a signature that holds.
type Certificate struct {
	Person              ID
	Device              DevicePublic
	Name                string    // as CleanName leaves it
	NotBefore, NotAfter time.Time // whole seconds, UTC
	Signature           [64]byte  // by Person over the rest
}

// DeviceID is the id of the certified device.
func (c Certificate) DeviceID() DeviceID { return c.Device.Sig }

// ValidAt returns nil, ErrNotYetValid or ErrExpired. Clocks of devices differ,
// so a day is granted on both sides.
func (c Certificate) ValidAt(t time.Time) error {
	if t.Before(c.NotBefore.Add(-clockTolerance)) {
		return ErrNotYetValid
	}
	if t.After(c.NotAfter.Add(clockTolerance)) {
		return ErrExpired
	}
	return nil
}

// MarshalBinary writes the one encoding of the certificate.
func (c Certificate) MarshalBinary() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("write device certificate: %w", err)
	}
	return c.encode(), nil
}

// ParseCertificate reads what MarshalBinary wrote and verifies the signature.
// Any other encoding of the same is an error; whether the certificate is of
// today is ValidAt's to say.
func ParseCertificate(b []byte) (Certificate, error) {
	c, err := parseCertificate(b)
	if err == nil {
		err = c.verify()
	}
	if err != nil {
		return Certificate{}, fmt.Errorf("read device certificate: %w", err)
	}
	return c, nil
}

func parseCertificate(b []byte) (Certificate, error) {
	var (
		c       Certificate
		version uint8
		name    cryptobyte.String
		in      = cryptobyte.String(b)
	)
	whole := len(b) <= maxCertificate && in.ReadUint8(&version) && version == certificateVersion &&
		in.CopyBytes(c.Person[:]) && in.CopyBytes(c.Device.Sig[:]) && in.CopyBytes(c.Device.Noise[:]) &&
		in.CopyBytes(c.Device.Msg[:]) && in.ReadUint8LengthPrefixed(&name) &&
		readSecond(&in, &c.NotBefore) && readSecond(&in, &c.NotAfter) && in.CopyBytes(c.Signature[:]) && in.Empty()
	if !whole {
		return Certificate{}, errors.New("not a certificate of this version")
	}
	c.Name = string(name)
	return c, c.check()
}

// check holds for every certificate that has an encoding.
func (c Certificate) check() error {
	if c.Name != CleanName(c.Name) {
		return errors.New("the name is not clean")
	}
	if !isWholeSecond(c.NotBefore) || !isWholeSecond(c.NotAfter) {
		return errors.New("the times are out of range")
	}
	if !c.NotBefore.Before(c.NotAfter) {
		return errors.New("the validity ends before it begins")
	}
	return nil
}

func (c Certificate) verify() error {
	if !Verify(c.Person[:], certificateType, c.body(), c.Signature[:]) {
		return fmt.Errorf("the signature on device %s does not hold", c.DeviceID().Short())
	}
	return nil
}

// body is what is signed.
func (c Certificate) body() []byte {
	b := slices.Concat([]byte{certificateVersion}, c.Person[:], c.Device.Sig[:], c.Device.Noise[:], c.Device.Msg[:],
		[]byte{byte(len(c.Name))}, []byte(c.Name))
	return appendSecond(appendSecond(b, c.NotBefore), c.NotAfter)
}

func (c Certificate) encode() []byte { return append(c.body(), c.Signature[:]...) }

func wholeSecond(t time.Time) time.Time { return time.Unix(t.Unix(), 0).UTC() }

func isWholeSecond(t time.Time) bool {
	return t.Unix() >= 0 && t.Unix() <= maxUnixSecond && t.Equal(wholeSecond(t))
}

func appendSecond(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
}

func readSecond(in *cryptobyte.String, t *time.Time) bool {
	var second uint64
	if !in.ReadUint64(&second) || second > maxUnixSecond {
		return false
	}
	*t = time.Unix(int64(second), 0).UTC()
	return true
}
