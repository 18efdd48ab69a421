//go:build !(libopus && cgo)

package opus

import "fmt"

// Engines lists the codecs of this build, best first.
func Engines() []Engine { return []Engine{Gopus} }

func newEncoding(c Config) (encoding, error) {
	if c.Engine != Gopus {
		return nil, fmt.Errorf("no codec %q in this build", c.Engine)
	}
	return newGopusEncoder(c)
}

func newDecoding(e Engine) (decoding, error) {
	if e != Gopus {
		return nil, fmt.Errorf("no codec %q in this build", e)
	}
	return newGopusDecoder()
}
