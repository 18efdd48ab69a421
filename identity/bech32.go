package identity

import (
	"slices"
	"strings"
)

// Text for people is written in the Bech32 alphabet (BIP 173) with the
// checksum of Bech32m (BIP 350): no 1, b, i or o to mistake, one case, and any
// single mistyped character found. The prefix of each kind of text enters the
// checksum without being written, so that one kind is never taken for another.
const (
	alphabet       = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	checksumLen    = 6
	bech32mTarget  = 0x2bc830a3
	prefixPerson   = "person"
	prefixDevice   = "device"
	prefixInvite   = "entrenous"
	prefixSafetyQR = "safety"
)

// polymodStep multiplies the checksum state by x in the field of BIP 173.
func polymodStep(state uint32) uint32 {
	top := state >> 25
	state = (state & 0x1ffffff) << 5
	for i, generator := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			state ^= generator
		}
	}
	return state
}

// residue is zero when the last six symbols are the checksum of the prefix and
// the symbols before them. Otherwise it is the trace of the mistake.
func residue(prefix string, symbols []byte) uint32 {
	state := uint32(1)
	for i := range len(prefix) {
		state = polymodStep(state) ^ uint32(prefix[i]>>5)
	}
	state = polymodStep(state)
	for i := range len(prefix) {
		state = polymodStep(state) ^ uint32(prefix[i]&31)
	}
	for _, symbol := range symbols {
		state = polymodStep(state) ^ uint32(symbol)
	}
	return state ^ bech32mTarget
}

// withChecksum appends the six checksum symbols.
func withChecksum(prefix string, symbols []byte) []byte {
	symbols = append(slices.Clip(symbols), make([]byte, checksumLen)...)
	state := residue(prefix, symbols)
	for i := range checksumLen {
		symbols[len(symbols)-1-i] = byte(state >> (5 * i) & 31)
	}
	return symbols
}

// toSymbols spells bytes in groups of five bits, the last one filled with zeros.
func toSymbols(data []byte) []byte {
	symbols := make([]byte, 0, (len(data)*8+4)/5)
	var bits, held uint
	for _, b := range data {
		bits, held = bits<<8|uint(b), held+8
		for held >= 5 {
			held -= 5
			symbols = append(symbols, byte(bits>>held&31))
		}
	}
	if held > 0 {
		symbols = append(symbols, byte(bits<<(5-held)&31))
	}
	return symbols
}

// fromSymbols undoes toSymbols. It refuses filling that is not zero and whole
// symbols of filling, so that bytes have one spelling only.
func fromSymbols(symbols []byte) ([]byte, bool) {
	data := make([]byte, 0, len(symbols)*5/8)
	var bits, held uint
	for _, s := range symbols {
		bits, held = bits<<5|uint(s), held+5
		if held >= 8 {
			held -= 8
			data = append(data, byte(bits>>held))
		}
	}
	return data, held < 5 && bits&(1<<held-1) == 0
}

// spell writes symbols as lower-case characters.
func spell(symbols []byte) string {
	text := make([]byte, len(symbols))
	for i, s := range symbols {
		text[i] = alphabet[s]
	}
	return string(text)
}

// unspell reads lower-case characters. It tells the index of the first that is
// not in the alphabet, or -1.
func unspell(text string) (symbols []byte, foreign int) {
	symbols = make([]byte, len(text))
	for i := range len(text) {
		s := strings.IndexByte(alphabet, text[i])
		if s < 0 {
			return nil, i
		}
		symbols[i] = byte(s)
	}
	return symbols, -1
}
