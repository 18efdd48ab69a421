package voice

import (
	"sync"

	"github.com/entrenous/entrenous/media"
)

// meter shows a loudness that rises at once and falls slowly, and counts
// energy as WebRTC's statistics do. The zero value shows silence.
type meter struct {
	mu      sync.Mutex
	begun   bool
	shown   float64 // dBFS
	energy  float64 // totalAudioEnergy: squares of the level, times seconds
	samples int
}

const meterFall = 40.0 / media.Rate // dB a sample: 40 dB/s

func (m *meter) add(tick []float32) {
	level := media.Level(tick)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.begun {
		m.begun, m.shown = true, media.Floor
	}
	m.shown = max(level, m.shown-meterFall*float64(len(tick)))
	m.energy += media.Energy(tick) / media.Rate
	m.samples += len(tick)
}

func (m *meter) level() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.begun {
		return media.Floor
	}
	return m.shown
}

// totals are the energy and the seconds that it was summed over.
func (m *meter) totals() (energy, seconds float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.energy, float64(m.samples) / media.Rate
}
