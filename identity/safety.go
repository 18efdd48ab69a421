package identity

import (
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// safetyRounds makes each try of someone who searches for a key with the same
// number some 5,000 times dearer. It is Signal's figure.
const safetyRounds = 5200

// SafetyNumber is 60 digits in 12 groups that two people compare to be sure that
// nobody sits between them. It is the same whichever of them is a. The method is
// Signal's: 5,200 rounds of SHA-512 and 30 digits a side, sides in fixed order.
func SafetyNumber(a, b ID) string {
	var groups []string
	for _, side := range safetySides(a, b) {
		for chunk := range slices.Chunk(side[:30], 5) {
			number := binary.BigEndian.Uint64(append(make([]byte, 3), chunk...))
			groups = append(groups, fmt.Sprintf("%05d", number%100000))
		}
	}
	return strings.Join(groups, " ")
}

// SafetyWords is 8 words to read aloud in a call, four a side, made of the same
// bytes as SafetyNumber. They hold 88 bits where the number holds 199.
func SafetyWords(a, b ID) []string {
	var spoken []string
	for _, side := range safetySides(a, b) {
		for i := range 4 {
			spoken = append(spoken, words[bitsAt(side[:], i*bitsPerWord, bitsPerWord)])
		}
	}
	return spoken
}

// SafetyQR is the text of a QR code to scan off the other's screen: it is equal
// on both exactly if the ids are. Upper case, so that the code stays small.
func SafetyQR(a, b ID) string {
	sides := safetySides(a, b)
	data := slices.Concat(sides[0][:32], sides[1][:32])
	return "ENTRENOUS-SAFETY:" + strings.ToUpper(spell(withChecksum(prefixSafetyQR, toSymbols(data))))
}

func safetySides(a, b ID) [2][64]byte {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return [2][64]byte{safetySide(a), safetySide(b)}
}

func safetySide(id ID) [64]byte {
	sum := sha512.Sum512(signed("safety number", id[:]))
	for range safetyRounds {
		sum = sha512.Sum512(append(sum[:], id[:]...))
	}
	return sum
}
