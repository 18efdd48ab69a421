//go:build libopus && cgo

package opus

import "fmt"

// Engines lists the codecs of this build, best first.
func Engines() []Engine { return []Engine{Libopus, Gopus} }

func newEncoding(c Config) (encoding, error) {
	switch c.Engine {
	case Libopus:
		return newLibopusEncoder(c)
	case Gopus:
		return newGopusEncoder(c)
	}
	return nil, fmt.Errorf("no codec %q in this build", c.Engine)
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
