package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

const (
	listVersion = 1
	listType    = "device list"
	maxDevices  = 32
	maxList     = 12 << 10 // bytes; the largest there can be has 8,979
)

// What Follows says of a list that must not replace the one before.
var (
	ErrOldList    = errors.New("a newer device list of this person is known")
	ErrForkedList = errors.New("two device lists of this person contradict each other")
)

// DeviceList names all devices of a person; a device that is not on it is not,
// or no longer, the person's. Lists are numbered and each holds the hash of the
// one before, so that contacts notice an old or a forked one.
type DeviceList struct {
	Person    ID
	Epoch     uint64        // from 1
	Prev      [32]byte      // Hash of the list with Epoch-1; zero for the first, and where the words alone brought the identity back
	Issued    time.Time     // whole seconds, UTC
	Certs     []Certificate // at most 32, ascending by DeviceID
	Signature [64]byte      // by Person over the rest
}

// MarshalBinary writes the one encoding of the list.
func (l *DeviceList) MarshalBinary() ([]byte, error) {
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("write device list: %w", err)
	}
	return l.encode(), nil
}

// ParseDeviceList reads what MarshalBinary wrote and verifies the signatures of
// the list and of each certificate. Any other encoding is an error.
func ParseDeviceList(b []byte) (*DeviceList, error) {
	l, err := parseDeviceList(b)
	if err != nil {
		return nil, fmt.Errorf("read device list: %w", err)
	}
	return l, nil
}

// Hash names this list to the next one. That of a nil list is zero.
func (l *DeviceList) Hash() [32]byte {
	if l == nil {
		return [32]byte{}
	}
	return sha256.Sum256(signed("device list hash", l.encode()))
}

// Find returns the certificate of a device on the list.
func (l *DeviceList) Find(d DeviceID) (Certificate, bool) {
	i, found := slices.BinarySearchFunc(l.Certs, d, func(c Certificate, d DeviceID) int { return c.DeviceID().Compare(d) })
	if !found {
		return Certificate{}, false
	}
	return l.Certs[i], true
}

// Follows returns nil if l may take the place of prev: it is the same, or newer
// and, where it is the very next, linked to it. Otherwise it returns ErrOldList
// or ErrForkedList. Any list follows nil.
func (l *DeviceList) Follows(prev *DeviceList) error {
	switch {
	case prev == nil:
		return nil
	case l.Person != prev.Person:
		return errors.New("compare device lists: they are of two persons")
	case l.Epoch < prev.Epoch:
		return ErrOldList
	case l.Epoch == prev.Epoch && l.Hash() != prev.Hash():
		return ErrForkedList
	case l.Epoch == prev.Epoch+1 && l.Prev != prev.Hash():
		return ErrForkedList
	}
	return nil
}

func parseDeviceList(b []byte) (*DeviceList, error) {
	var (
		l              DeviceList
		version, count uint8
		in             = cryptobyte.String(b)
	)
	whole := len(b) <= maxList && in.ReadUint8(&version) && version == listVersion &&
		in.CopyBytes(l.Person[:]) && in.ReadUint64(&l.Epoch) && in.CopyBytes(l.Prev[:]) &&
		readSecond(&in, &l.Issued) && in.ReadUint8(&count) && count <= maxDevices
	if !whole || len(b) < len(l.Signature) {
		return nil, errors.New("not a device list of this version")
	}
	// The list's own signature first: a stranger's bytes cost one verification.
	body := b[:len(b)-len(l.Signature)]
	copy(l.Signature[:], b[len(body):])
	if !Verify(l.Person[:], listType, body, l.Signature[:]) {
		return nil, errors.New("the signature does not hold")
	}
	for range count {
		var encoded cryptobyte.String
		if !in.ReadUint16LengthPrefixed(&encoded) {
			return nil, errors.New("a certificate is missing")
		}
		c, err := ParseCertificate(encoded)
		if err != nil {
			return nil, err
		}
		l.Certs = append(l.Certs, c)
	}
	if !bytes.Equal(in, l.Signature[:]) {
		return nil, errors.New("bytes are left over")
	}
	return &l, l.check()
}

// check holds for every list that has an encoding.
func (l *DeviceList) check() error {
	if l.Epoch == 0 {
		return errors.New("epochs begin with 1")
	}
	if l.Epoch == 1 && l.Prev != [32]byte{} {
		return errors.New("the link to the list before does not fit the epoch")
	}
	if !isWholeSecond(l.Issued) {
		return errors.New("the time is out of range")
	}
	if len(l.Certs) > maxDevices {
		return fmt.Errorf("%d devices, where %d are the most", len(l.Certs), maxDevices)
	}
	for i, c := range l.Certs {
		if c.Person != l.Person {
			return fmt.Errorf("device %s is another person's", c.DeviceID().Short())
		}
		if i > 0 && l.Certs[i-1].DeviceID().Compare(c.DeviceID()) >= 0 {
			return errors.New("the devices are not in order, or one is there twice")
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

// body is what is signed.
func (l *DeviceList) body() []byte {
	b := slices.Concat([]byte{listVersion}, l.Person[:])
	b = binary.BigEndian.AppendUint64(b, l.Epoch)
	b = appendSecond(append(b, l.Prev[:]...), l.Issued)
	b = append(b, byte(len(l.Certs)))
	for _, c := range l.Certs {
		encoded := c.encode()
		b = binary.BigEndian.AppendUint16(b, uint16(len(encoded)))
		b = append(b, encoded...)
	}
	return b
}

func (l *DeviceList) encode() []byte { return append(l.body(), l.Signature[:]...) }
