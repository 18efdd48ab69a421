//go:build !cgo

package device

// Without cgo there is no audio library in the build: what does not speak
// PulseAudio's protocol is not found.

func libraryList(Spec) ([]Info, error) { return nil, ErrNoSound }

func openLibrary(Spec, Kind, string) (*unit, error) { return nil, ErrNoSound }
