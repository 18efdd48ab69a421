package identity

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
)

const (
	inviteScheme   = "entrenous:"
	inviteVersion  = 1
	maxInviteText  = 4096
	maxHints       = 8
	maxHintBytes   = 256
	onceLen        = 16
	minInviteBytes = 32 + 16 + 1 + 1 // person, rendezvous secret, flags, number of hints
	minInviteText  = 1 + minInviteBytes*8/5 + checksumLen

	flagOnce    = 1
	flagExpires = 2
)

// HintKind says what the value of a hint is.
type HintKind uint8

// The kinds of hints an invite may hold.
const (
	HintAddr    HintKind = 1 + iota // a multiaddr with /p2p/ at its end
	HintRelay                       // a relay that knows the way
	HintMailbox                     // a mailbox that keeps mail
)

// Hint is one place to try.
type Hint struct {
	Kind  HintKind
	Value string // 1 to 256 bytes, no spaces
}

// Invite is what one person gives another to be found: as a link, or as a QR
// code. It is secret between the two as far as the giver cares to be found by
// strangers, and wholly so if it holds a one-time secret.
type Invite struct {
	Person     ID
	Rendezvous [16]byte
	Once       []byte    // nil, or 16 bytes good for one pairing
	Expires    time.Time // zero for never; a link holds it in hours, rounded up
	Hints      []Hint    // at most 8
}

// Check returns nil if the invite can be written as a link.
func (i Invite) Check() error {
	if i.Once != nil && len(i.Once) != onceLen {
		return fmt.Errorf("a one-time secret of %d bytes, where %d belong", len(i.Once), onceLen)
	}
	if !i.Expires.IsZero() && (i.Expires.Unix() <= 0 || i.Expires.Unix() > maxUnixSecond) {
		return errors.New("the expiry is out of range")
	}
	if len(i.Hints) > maxHints {
		return fmt.Errorf("%d hints, where %d are the most", len(i.Hints), maxHints)
	}
	for _, h := range i.Hints {
		if h.Kind < HintAddr || h.Kind > HintMailbox {
			return fmt.Errorf("hints of kind %d are unknown", h.Kind)
		}
		if h.Value == "" || len(h.Value) > maxHintBytes || !allVisible(h.Value) {
			return errors.New("a hint is empty, too long or holds hidden characters")
		}
	}
	return nil
}

// String is the link: "entrenous:", the version, the fields and a checksum. It
// is empty if Check is not nil.
func (i Invite) String() string {
	if i.Check() != nil {
		return ""
	}
	symbols := append([]byte{inviteVersion}, toSymbols(i.encode())...)
	return inviteScheme + spell(withChecksum(prefixInvite, symbols))
}

// QR is the link in upper case, which a QR code holds in five and a half bits a
// character instead of eight.
func (i Invite) QR() string { return strings.ToUpper(i.String()) }

// Expired reports whether the invite is past its time.
func (i Invite) Expired(now time.Time) bool { return !i.Expires.IsZero() && !now.Before(i.Expires) }

// LogValue keeps the secrets out of the log.
func (i Invite) LogValue() slog.Value { return i.Person.LogValue() }

// ParseInvite reads a link as people paste it: with spaces, line breaks or
// dashes in it, in lower or upper case, with or without "entrenous:". Errors
// are *InviteError and say where the mistake is if it is a single one.
func ParseInvite(s string) (Invite, error) {
	if len(s) > maxInviteText {
		return Invite{}, &InviteError{Part: PartLength, reason: "this is too long for an Entrenous link"}
	}
	text, schemed := stripInvite(s)
	if text != strings.ToLower(text) && text != strings.ToUpper(text) {
		return Invite{}, &InviteError{Part: PartCase, reason: "the link mixes upper and lower case: it was changed on its way, copy it again"}
	}
	text = strings.ToLower(text)
	if err := checkInviteShape(text, schemed); err != nil {
		return Invite{}, err
	}
	symbols, foreign := unspell(text)
	if foreign >= 0 {
		return Invite{}, foreignCharacter(text, foreign)
	}
	if residue(prefixInvite, symbols) != 0 {
		return Invite{}, wrongChecksum(symbols)
	}
	return decodeInvite(symbols)
}

// OncePair is the first pair secret of two devices that meet by a one-time
// invite.
func OncePair(once []byte) [32]byte {
	return [32]byte(derive(once, nil, "entrenous/1 once pair", 32))
}

// stripInvite takes away what people and programs put into and around a link,
// and tells whether the scheme stood before it.
func stripInvite(s string) (text string, schemed bool) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, s)
	if len(text) >= len(inviteScheme) && strings.EqualFold(text[:len(inviteScheme)], inviteScheme) {
		return strings.TrimPrefix(text[len(inviteScheme):], "//"), true
	}
	return text, false
}

// decodeInvite reads symbols whose checksum holds.
func decodeInvite(symbols []byte) (Invite, error) {
	if symbols[0] != inviteVersion {
		return Invite{}, &InviteError{Part: PartVersion, reason: "this link was made by a newer Entrenous: update yours to open it"}
	}
	data, canonical := fromSymbols(symbols[1 : len(symbols)-checksumLen])
	i, err := parseInvite(data)
	if err == nil && !canonical {
		err = errors.New("bits are left over")
	}
	if err != nil {
		return Invite{}, &InviteError{Part: PartContent, reason: "this link holds what no Entrenous writes: " + err.Error()}
	}
	return i, nil
}

func parseInvite(data []byte) (Invite, error) {
	var (
		i            Invite
		flags, count uint8
		hours        uint32
		in           = cryptobyte.String(data)
	)
	if !in.CopyBytes(i.Person[:]) || !in.CopyBytes(i.Rendezvous[:]) || !in.ReadUint8(&flags) || flags > flagOnce|flagExpires {
		return Invite{}, errors.New("it ends early or its flags are unknown")
	}
	if flags&flagOnce != 0 && !in.ReadBytes(&i.Once, onceLen) {
		return Invite{}, errors.New("it ends within the one-time secret")
	}
	if flags&flagExpires != 0 {
		if !in.ReadUint32(&hours) || hours == 0 {
			return Invite{}, errors.New("its expiry makes no sense")
		}
		i.Expires = time.Unix(int64(hours)*3600, 0).UTC()
	}
	if !in.ReadUint8(&count) || count > maxHints {
		return Invite{}, errors.New("it has too many hints")
	}
	for range count {
		var kind, less uint8
		var value []byte
		if !in.ReadUint8(&kind) || !in.ReadUint8(&less) || !in.ReadBytes(&value, int(less)+1) {
			return Invite{}, errors.New("it ends within a hint")
		}
		i.Hints = append(i.Hints, Hint{Kind: HintKind(kind), Value: string(value)})
	}
	if !in.Empty() {
		return Invite{}, errors.New("bytes are left over")
	}
	i.Once = slices.Clone(i.Once)
	return i, i.Check()
}

func (i Invite) encode() []byte {
	var flags byte
	if i.Once != nil {
		flags |= flagOnce
	}
	if !i.Expires.IsZero() {
		flags |= flagExpires
	}
	b := append(slices.Concat(i.Person[:], i.Rendezvous[:], []byte{flags}), i.Once...)
	if !i.Expires.IsZero() {
		b = binary.BigEndian.AppendUint32(b, uint32((i.Expires.Unix()+3599)/3600))
	}
	b = append(b, byte(len(i.Hints)))
	for _, h := range i.Hints {
		b = append(append(b, byte(h.Kind), byte(len(h.Value)-1)), h.Value...)
	}
	return b
}
