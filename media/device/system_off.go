//go:build !cgo

package device

// List finds nothing: without cgo there is no audio library in the build.
func List() ([]Info, error) { return nil, ErrNoSound }

func openSystemMic(Spec) (Mic, error) { return nil, ErrNoSound }

func openSystemSpeaker(Spec) (Speaker, error) { return nil, ErrNoSound }
