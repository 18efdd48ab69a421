package rtc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Limits of a Description.
const (
	MaxDescription = 2 << 10 // bytes
	maxCandidates  = 32
	maxUfrag       = 32
	maxPassword    = 64
)

// descriptionVersion begins every encoding.
const descriptionVersion = 1

// Kind is where a candidate comes from.
type Kind byte

// The kinds of candidates. Numbers are part of the format.
const (
	Host      Kind = 1 // an address of the device itself
	Reflexive Kind = 2 // the device's address as others see it
	Relayed   Kind = 3 // somebody else's, or a tunnel
)

// Candidate is an address at which a leg may be reached (RFC 8445 §5.1).
type Candidate struct {
	Kind     Kind
	Priority uint32
	Addr     netip.AddrPort
}

// Description is what one end must know of the other: how to reach it, and
// which certificate it has.
type Description struct {
	Ufrag, Password string   // of ICE (RFC 8445 §5.3)
	Fingerprint     [32]byte // SHA-256 of the certificate
	SSRC            uint32   // of the packets it sends
	Candidates      []Candidate
}

// ErrMalformed means that bytes are no Description.
var ErrMalformed = errors.New("malformed description")

// Encode gives the description's bytes.
func (d Description) Encode() []byte {
	b := make([]byte, 0, 128+24*len(d.Candidates))
	b = append(b, descriptionVersion)
	for _, s := range []string{d.Ufrag, d.Password} {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	b = append(b, d.Fingerprint[:]...)
	b = binary.BigEndian.AppendUint32(b, d.SSRC)
	b = append(b, byte(len(d.Candidates)))
	for _, c := range d.Candidates {
		ip := c.Addr.Addr().Unmap().AsSlice()
		b = append(b, byte(c.Kind), byte(len(ip)))
		b = append(b, ip...)
		b = binary.BigEndian.AppendUint16(b, c.Addr.Port())
		b = binary.BigEndian.AppendUint32(b, c.Priority)
	}
	return b
}

// ParseDescription reads one description and nothing else.
func ParseDescription(b []byte) (Description, error) {
	if len(b) > MaxDescription {
		return Description{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	r := cursor{b: b}
	var d Description
	if v := r.byte(); v != descriptionVersion {
		r.fail("version %d", v)
	}
	d.Ufrag = r.credential(4, maxUfrag)
	d.Password = r.credential(22, maxPassword)
	copy(d.Fingerprint[:], r.take(32))
	d.SSRC = r.uint32()
	n := int(r.byte())
	if n > maxCandidates {
		r.fail("%d candidates", n)
	}
	for i := 0; i < n && r.err == nil; i++ {
		d.Candidates = append(d.Candidates, r.candidate())
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes behind it", len(r.b))
	}
	if r.err != nil {
		return Description{}, r.err
	}
	return d, nil
}

// cursor reads from the front of b; after a failure it gives zeros.
type cursor struct {
	b   []byte
	err error
}

func (r *cursor) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
}

func (r *cursor) take(n int) []byte {
	if r.err == nil && len(r.b) < n {
		r.fail("too short")
	}
	if r.err != nil {
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *cursor) byte() byte     { return r.take(1)[0] }
func (r *cursor) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

// credential reads a name or password of ICE: letters, digits, + and /
// (RFC 8445 §5.3).
func (r *cursor) credential(least, most int) string {
	n := int(r.byte())
	if n < least || n > most {
		r.fail("credential of %d characters", n)
		return ""
	}
	s := string(r.take(n))
	for _, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '+' && c != '/' {
			r.fail("credential with byte %#x", c)
		}
	}
	return s
}

func (r *cursor) candidate() (c Candidate) {
	c.Kind = Kind(r.byte())
	if c.Kind < Host || c.Kind > Relayed {
		r.fail("candidate of kind %d", c.Kind)
	}
	size := int(r.byte())
	if size != 4 && size != 16 {
		r.fail("address of %d bytes", size)
		return c
	}
	ip, _ := netip.AddrFromSlice(r.take(size)) // of a right size
	port := binary.BigEndian.Uint16(r.take(2))
	c.Priority = r.uint32()
	if port == 0 || ip.IsUnspecified() || ip.IsMulticast() || ip.Is4In6() || ip == broadcast() {
		r.fail("address %v, port %d", ip, port)
	}
	c.Addr = netip.AddrPortFrom(ip, port)
	return c
}

func broadcast() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }
