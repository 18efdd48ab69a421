package device

import (
	"context"
	"slices"
	"time"
)

// Watch tells when devices come, go, or change their default, for a settings
// page. The zero value is ready; it is not safe for concurrent use.
type Watch struct {
	Every time.Duration // between two looks, 0 is 2 s; a look costs some milliseconds

	begun bool
	last  []Info
}

// Next returns the devices: at once the first time, then each time they
// changed. No device at all is an empty list. It returns ctx's error when ctx ends.
func (w *Watch) Next(ctx context.Context) ([]Info, error) {
	every := w.Every
	if every <= 0 {
		every = 2 * time.Second
	}
	for {
		now, err := List()
		if err != nil {
			now = nil // the sound server is gone: so are its devices
		}
		if !w.begun || !slices.Equal(now, w.last) {
			w.begun, w.last = true, now
			return slices.Clone(now), nil
		}
		timer := time.NewTimer(every)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}
