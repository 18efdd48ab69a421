package identity

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The parts of a link that an InviteError can name.
const (
	PartScheme    = "scheme"    // it is no Entrenous link at all
	PartLength    = "length"    // its end is missing, or it is far too long
	PartCase      = "case"      // upper and lower case are mixed
	PartCharacter = "character" // a character stands in it that no link has
	PartChecksum  = "checksum"  // it was mistyped
	PartVersion   = "version"   // a newer Entrenous wrote it
	PartContent   = "content"   // the checksum holds, yet nothing sensible is inside
)

// groupLen is how many characters people compare at a time.
const groupLen = 4

// InviteError tells what is wrong with a link.
type InviteError struct {
	Part     string // one of the Part constants
	Position int    // the wrong character's number from 1, counted after "entrenous:" without spaces and dashes; 0 for none
	Suggest  string // the whole link as it was probably meant, or ""
	reason   string
}

// Error is a sentence for the person who typed or pasted the link.
func (e *InviteError) Error() string { return e.reason }

// checkInviteShape refuses what is no link, and a link without its end.
func checkInviteShape(text string, schemed bool) error {
	short := len(text) < minInviteText
	foreign := 0
	for _, r := range text {
		if !strings.ContainsRune(alphabet, r) {
			foreign++
		}
	}
	if !schemed && (short || foreign > 2) {
		return &InviteError{Part: PartScheme, reason: "this is not an Entrenous link: those begin with “entrenous:”"}
	}
	if short {
		return &InviteError{Part: PartLength, reason: fmt.Sprintf("the link is cut off: %d characters are here, and at least %d belong there", len(text), minInviteText)}
	}
	return nil
}

// foreignCharacter explains a character outside the alphabet. If it is the only
// one, the checksum tells what belongs there.
func foreignCharacter(text string, at int) error {
	r, size := utf8.DecodeRuneInString(text[at:])
	e := &InviteError{Part: PartCharacter, Position: at + 1}
	e.reason = fmt.Sprintf("character %d of the link, “%c” in “%s”, never stands in one", at+1, r, groupAt(text, at))
	symbols, another := unspell(text[:at] + alphabet[:1] + text[at+size:])
	if another >= 0 {
		return e
	}
	if residue(prefixInvite, symbols) == 0 {
		e.suggest(symbols)
		return e
	}
	if fixed, position := onlyMistake(symbols); fixed != nil && position == at {
		e.suggest(fixed)
	}
	return e
}

// wrongChecksum explains symbols whose checksum does not hold.
func wrongChecksum(symbols []byte) error {
	if fixed, at := onlyMistake(symbols); fixed != nil {
		e := &InviteError{Part: PartChecksum, Position: at + 1}
		e.reason = fmt.Sprintf("the link has a mistake in its %s group of four, “%s”", ordinal(at/groupLen+1), groupAt(spell(symbols), at))
		e.suggest(fixed)
		return e
	}
	if endsEarly(symbols) {
		return &InviteError{Part: PartLength, reason: "the link is cut off: its end is missing, copy all of it"}
	}
	return &InviteError{Part: PartChecksum, reason: "the link has more than one mistake in it, or a character too many or too few: copy it again"}
}

// suggest offers the link that was probably meant.
func (e *InviteError) suggest(fixed []byte) {
	text := spell(fixed)
	e.Suggest = inviteScheme + text
	e.reason += fmt.Sprintf("; “%s” is probably meant", groupAt(text, e.Position-1))
}

// onlyMistake finds the one mistyped character, or the one pair of neighbours
// swapped, that explains a checksum that does not hold, and returns the symbols
// without it and where it was. It returns nil if there is no such explanation,
// or more than one.
//
// The checksum is linear: changing the k-th symbol from the end by e changes the
// residue by e·x^k. One pass over the positions, with x^k kept for each bit of
// e, therefore tries all changes.
func onlyMistake(symbols []byte) (fixed []byte, at int) {
	wanted := residue(prefixInvite, symbols)
	basis := [5]uint32{1, 2, 4, 8, 16}
	offer := func(position int, change ...byte) bool {
		candidate := slices.Clone(symbols)
		for i, c := range change {
			candidate[position+i] ^= c
		}
		if _, err := decodeInvite(candidate); err != nil {
			return true
		}
		again := fixed != nil
		fixed, at = candidate, position
		return !again
	}
	for i := len(symbols) - 1; i >= 0; i-- {
		for change := byte(1); change < 32; change++ {
			if trace(basis, change) == wanted && !offer(i, change) {
				return nil, 0
			}
		}
		higher := basis
		for bit := range higher {
			higher[bit] = polymodStep(higher[bit])
		}
		if i > 0 {
			change := symbols[i-1] ^ symbols[i]
			if change != 0 && trace(basis, change)^trace(higher, change) == wanted && !offer(i-1, change, change) {
				return nil, 0
			}
		}
		basis = higher
	}
	return fixed, at
}

// trace is what changing a symbol does to the residue.
func trace(basis [5]uint32, change byte) (t uint32) {
	for bit, b := range basis {
		if change>>bit&1 == 1 {
			t ^= b
		}
	}
	return t
}

// endsEarly reports whether the fields promise more than is there.
func endsEarly(symbols []byte) bool {
	data, _ := fromSymbols(symbols[1 : len(symbols)-checksumLen])
	need := minInviteBytes
	flags := data[minInviteBytes-2]
	if flags&flagOnce != 0 {
		need += onceLen
	}
	if flags&flagExpires != 0 {
		need += 4
	}
	if len(data) < need {
		return true
	}
	for range min(data[need-1], maxHints) {
		if len(data) < need+2 {
			return true
		}
		need += 2 + int(data[need+1]) + 1
	}
	return len(data) < need
}

func groupAt(text string, at int) string {
	start := at / groupLen * groupLen
	return strings.ToValidUTF8(text[start:min(start+groupLen, len(text))], "?")
}

func ordinal(n int) string {
	if n%100/10 != 1 {
		switch n % 10 {
		case 1:
			return fmt.Sprintf("%dst", n)
		case 2:
			return fmt.Sprintf("%dnd", n)
		case 3:
			return fmt.Sprintf("%drd", n)
		}
	}
	return fmt.Sprintf("%dth", n)
}
