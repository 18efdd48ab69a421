package transport

import (
	"time"
)

// lookEvery is how often interfaces are compared where the system does not say
// when they change.
const lookEvery = 10 * time.Second

// pollInterfaces puts a token into stirred now and then, until quit is closed.
func pollInterfaces(quit <-chan struct{}, stirred chan<- struct{}) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-quit:
			return
		case <-t.C:
			stir(stirred)
		}
	}
}

func stir(stirred chan<- struct{}) {
	select {
	case stirred <- struct{}{}:
	default:
	}
}
