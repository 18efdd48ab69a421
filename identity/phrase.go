package identity

import (
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"unicode"
)

const (
	phraseWords    = 24
	bitsPerWord    = 11
	maxPhraseBytes = 4096
	maxWordBytes   = 32 // longer ones get no suggestion
)

//go:embed english.txt
var english string

// words is the English list of BIP 39: 2,048 words in alphabetical order.
var words = strings.Fields(english)

// Seed is the 32 random bytes that a person is made of. Whoever has them, or
// the 24 words that spell them, is that person.
type Seed [32]byte

// PhraseError tells what is wrong with recovery words, as a sentence.
type PhraseError struct {
	Position int    // the word's number from 1, or 0 when no single word is to blame
	Word     string // the word as it was typed, if one is to blame
	Suggest  string // the nearest word of the list, if one is near
	reason   string
}

// Error is a sentence for the person who typed the words.
func (e *PhraseError) Error() string {
	if e.Position == 0 {
		return e.reason
	}
	sentence := fmt.Sprintf("word %d, “%s”, is not one of the recovery words", e.Position, e.Word)
	if e.Suggest != "" {
		sentence += fmt.Sprintf("; did you mean “%s”?", e.Suggest)
	}
	return sentence
}

// NewSeed draws a new person from the system's random source.
func NewSeed() Seed {
	var s Seed
	rand.Read(s[:]) // never returns an error: it would end the program first
	return s
}

// Words spells the seed as 24 English words with a checksum of 8 bits (BIP 39).
func (s Seed) Words() []string {
	sum := sha256.Sum256(s[:])
	data := append(slices.Clone(s[:]), sum[0])
	phrase := make([]string, phraseWords)
	for i := range phrase {
		phrase[i] = words[bitsAt(data, i*bitsPerWord, bitsPerWord)]
	}
	return phrase
}

// String hides the seed from whoever prints it by mistake.
func (s Seed) String() string { return "[secret seed]" }

// LogValue keeps the seed out of the log.
func (s Seed) LogValue() slog.Value { return slog.StringValue(s.String()) }

// ParseWords reads 24 words as people type or paste them: any case, any
// spacing, with commas or numbers between. Errors are *PhraseError.
func ParseWords(text string) (Seed, error) {
	if len(text) > maxPhraseBytes {
		return Seed{}, &PhraseError{reason: "that is far too long for 24 recovery words"}
	}
	phrase := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
	var data [33]byte
	for i, word := range phrase {
		index, known := slices.BinarySearch(words, word)
		if !known {
			return Seed{}, &PhraseError{Position: i + 1, Word: word, Suggest: nearestWord(word)}
		}
		if i < phraseWords {
			setBits(data[:], i*bitsPerWord, bitsPerWord, index)
		}
	}
	if len(phrase) != phraseWords {
		return Seed{}, &PhraseError{reason: fmt.Sprintf("there are %d words, and it takes 24", len(phrase))}
	}
	seed := Seed(data[:32])
	if sum := sha256.Sum256(seed[:]); sum[0] != data[32] {
		return Seed{}, &PhraseError{reason: "these words do not belong together: two of them may be swapped, or one mistaken for another"}
	}
	return seed, nil
}

// WordList is the 2,048 words a phrase is made of, in alphabetical order. The
// slice is the caller's.
func WordList() []string { return slices.Clone(words) }

// bitsAt reads n bits from position at, most significant first.
func bitsAt(data []byte, at, n int) int {
	value := 0
	for i := at; i < at+n; i++ {
		value = value<<1 | int(data[i/8]>>(7-i%8)&1)
	}
	return value
}

// setBits writes the n low bits of value at position at, where zeros are.
func setBits(data []byte, at, n, value int) {
	for i := range n {
		bit := byte(value >> (n - 1 - i) & 1)
		data[(at+i)/8] |= bit << (7 - (at+i)%8)
	}
}

// nearestWord is the word of the list with the fewest slips of the finger from
// the typed one, or "" when none is near. Words are told apart by their first
// four letters, so a shared beginning decides between equals.
func nearestWord(typed string) string {
	if len(typed) > maxWordBytes {
		return ""
	}
	nearest, fewest := "", 1+max(1, len(typed)/3)
	if i, _ := slices.BinarySearch(words, typed); len(typed) >= 3 && i < len(words) && strings.HasPrefix(words[i], typed) {
		return words[i]
	}
	for _, word := range words {
		if len(word)-len(typed) > fewest || len(typed)-len(word) > fewest {
			continue // each letter of difference is a slip
		}
		slips := slipsBetween(typed, word)
		if slips < fewest || slips == fewest && nearest != "" && sharedStart(typed, word) > sharedStart(typed, nearest) {
			nearest, fewest = word, slips
		}
	}
	return nearest
}

// slipsBetween counts the letters to add, drop, change or swap with a neighbour
// to make a into b (optimal string alignment distance).
func slipsBetween(a, b string) int {
	var rows [3][maxWordBytes + 1]int // words longer than that are never compared
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func sharedStart(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
