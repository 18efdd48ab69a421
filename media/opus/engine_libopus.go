//go:build libopus && cgo

package opus

import "fmt"

// Engines lists the codecs of this build, best first.
func Engines() []Engine { return []Engine{Libopus, Gopus} }

func newEncoding(e Engine) (encoding, error) {
	switch e {
	case Libopus:
		return newLibopusEncoder()
	case Gopus:
		return newGopusEncoder()
	}
	return nil, fmt.Errorf("no codec %q in this build", e)
}

func newDecoding(e Engine) (decoding, error) {
	switch e {
	case Libopus:
		return newLibopusDecoder()
	case Gopus:
		return newGopusDecoder()
	}
	return nil, fmt.Errorf("no codec %q in this build", e)
}
