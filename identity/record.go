package identity

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/cryptobyte"
)

const (
	recordVersion  = 1
	recordType     = "record"
	recordInfo     = "entrenous/1 record"
	recordStep     = 512
	maxRecord      = 16 << 10 // bytes; the largest there can be has 13,824
	maxRecordPeer  = 64
	maxRecordAddrs = 16
	maxAddrBytes   = 256
	recordOverhead = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead + 2 + 64 // nonce, tag, length, signature
)

// Record tells whoever holds a person's rendezvous secret how one of the
// person's devices can be reached now.
type Record struct {
	Person ID
	List   *DeviceList
	Issued time.Time // whole seconds, UTC
	Device DeviceID  // whose Peer and Addrs these are; it is on List
	Peer   []byte    // libp2p peer id, at most 64 bytes
	Addrs  []string  // multiaddrs, at most 16 of at most 256 bytes
}

// LogValue keeps addresses out of the log.
func (r Record) LogValue() slog.Value { return r.Person.LogValue() }

// SealRecord signs the record by d, which must be r.Device and on r.List, and
// encrypts it for holders of the secret. The length is a multiple of 512 bytes,
// so that the number of devices and addresses shows little.
func SealRecord(d *Device, r Record, secret [16]byte) ([]byte, error) {
	r.Issued = wholeSecond(r.Issued)
	if d.ID() != r.Device {
		return nil, errors.New("seal record: it is another device's")
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("seal record: %w", err)
	}
	body := r.body()
	signature := Sign(d.Sig, recordType, body)
	size := (recordOverhead + len(body) + recordStep - 1) / recordStep * recordStep
	plain := slices.Concat(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body, signature)
	plain = append(plain, make([]byte, size-recordOverhead-len(body))...)

	aead, err := recordCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("seal record: %w", err)
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX, size)
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, []byte(recordInfo)), nil
}

// OpenRecord decrypts and verifies the record of the wanted person: the secret
// fits, the person signed the list, the device is on it and signed the rest.
// How old a record may be (Issued) and whether the device's certificate is of
// today (ValidAt) is the caller's to decide.
func OpenRecord(b []byte, secret [16]byte, want ID) (*Record, error) {
	r, err := openRecord(b, secret, want)
	if err != nil {
		return nil, fmt.Errorf("open record: %w", err)
	}
	return r, nil
}

// RendezvousKey is the key under which a person's record is asked for on a day,
// counted from 1970-01-01 UTC. Without the secret nobody can tell whose it is,
// nor which keys of two days belong together.
func RendezvousKey(secret [16]byte, person ID, day int64) [32]byte {
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(signed("rendezvous", person[:]))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(day)))
	return [32]byte(mac.Sum(nil))
}

// RendezvousDay is the day of t as RendezvousKey counts.
func RendezvousDay(t time.Time) int64 {
	const day = int64(24 * time.Hour / time.Second)
	second := t.Unix()
	return (second - (second%day+day)%day) / day
}

func openRecord(b []byte, secret [16]byte, want ID) (*Record, error) {
	if len(b) == 0 || len(b) > maxRecord || len(b)%recordStep != 0 {
		return nil, errors.New("not the size of a record")
	}
	aead, err := recordCipher(secret)
	if err != nil {
		return nil, err
	}
	nonce, sealed := b[:chacha20poly1305.NonceSizeX], b[chacha20poly1305.NonceSizeX:]
	plain, err := aead.Open(nil, nonce, sealed, []byte(recordInfo))
	if err != nil {
		return nil, errors.New("the secret does not fit, or bytes were changed")
	}
	var (
		in        = cryptobyte.String(plain)
		body      cryptobyte.String
		signature [64]byte
	)
	if !in.ReadUint16LengthPrefixed(&body) || !in.CopyBytes(signature[:]) ||
		len(in) >= recordStep || slices.ContainsFunc(in, func(pad byte) bool { return pad != 0 }) {
		return nil, errors.New("not a record of this version")
	}
	r, err := parseRecord(body, want)
	if err != nil {
		return nil, err
	}
	if !Verify(r.Device[:], recordType, body, signature[:]) {
		return nil, errors.New("the device's signature does not hold")
	}
	return r, nil
}

func parseRecord(in cryptobyte.String, want ID) (*Record, error) {
	var (
		r              Record
		version, count uint8
		list, peer     cryptobyte.String
	)
	whole := in.ReadUint8(&version) && version == recordVersion && in.CopyBytes(r.Person[:]) &&
		readSecond(&in, &r.Issued) && in.CopyBytes(r.Device[:]) && in.ReadUint8LengthPrefixed(&peer) &&
		in.ReadUint16LengthPrefixed(&list) && in.ReadUint8(&count) && count <= maxRecordAddrs
	if !whole {
		return nil, errors.New("not a record of this version")
	}
	if r.Person != want {
		return nil, errors.New("it is another person's")
	}
	r.Peer = slices.Clone(peer)
	for range count {
		var addr cryptobyte.String
		if !in.ReadUint16LengthPrefixed(&addr) {
			return nil, errors.New("an address is missing")
		}
		r.Addrs = append(r.Addrs, string(addr))
	}
	if !in.Empty() {
		return nil, errors.New("bytes are left over")
	}
	var err error
	if r.List, err = parseDeviceList(list); err != nil {
		return nil, err
	}
	return &r, r.check()
}

// check holds for every record that has an encoding.
func (r Record) check() error {
	if r.List == nil || r.List.Person != r.Person {
		return errors.New("the device list is missing or another person's")
	}
	if err := r.List.check(); err != nil {
		return err
	}
	if _, listed := r.List.Find(r.Device); !listed {
		return fmt.Errorf("device %s is not on the list", r.Device.Short())
	}
	if !isWholeSecond(r.Issued) {
		return errors.New("the time is out of range")
	}
	if len(r.Peer) > maxRecordPeer || len(r.Addrs) > maxRecordAddrs {
		return errors.New("the peer id or the list of addresses is too long")
	}
	for _, addr := range r.Addrs {
		if len(addr) > maxAddrBytes || !allVisible(addr) {
			return errors.New("an address is too long or holds hidden characters")
		}
	}
	return nil
}

// body is what the device signs.
func (r Record) body() []byte {
	b := slices.Concat([]byte{recordVersion}, r.Person[:])
	b = append(appendSecond(b, r.Issued), r.Device[:]...)
	b = append(append(b, byte(len(r.Peer))), r.Peer...)
	list := r.List.encode()
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(list))), list...)
	b = append(b, byte(len(r.Addrs)))
	for _, addr := range r.Addrs {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(addr))), addr...)
	}
	return b
}

func recordCipher(secret [16]byte) (cipher.AEAD, error) {
	return chacha20poly1305.NewX(derive(secret[:], nil, recordInfo, chacha20poly1305.KeySize))
}
