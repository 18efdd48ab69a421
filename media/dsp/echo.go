package dsp

import (
	"math"
	"slices"

	"github.com/entrenous/entrenous/media"
)

// Echo says how much of what the loudspeaker plays goes back to whoever
// spoke, in dB below their speech: 38 means that they hear themselves at
// -38 dB. Measured while the loudspeaker plays; the median ignores moments in
// which somebody speaks here as well.
type Echo struct {
	Room  float64 // dB that the room and the devices lose by themselves
	Sent  float64 // dB below speech of what is sent after cancelling: the echo return
	Heard int     // blocks of 200 ms that this rests on; below 5 the numbers mean nothing yet
}

const (
	echoBlock = 20  // ticks
	echoKept  = 150 // blocks: half a minute
	echoLoud  = -60 // dBFS from which what the microphone hears may be an echo
	echoLess  = 6   // dB that a canceller takes off at least
)

// echoMeter measures Echo block by block.
type echoMeter struct {
	ticks          int
	far, raw, sent float64
	rooms, sents   []float64
}

// add takes a tick, and says when a block ended in which an echo may have passed:
// either somebody spoke here as well, or it does not come when it is expected.
func (m *echoMeter) add(far, raw, sent []float32) (doubt bool) {
	m.far += media.Energy(far)
	m.raw += media.Energy(raw)
	m.sent += media.Energy(sent)
	m.ticks++
	if m.ticks < echoBlock {
		return false
	}
	if far, raw, sent := rms(m.far), rms(m.raw), rms(m.sent); far > -45 {
		m.rooms, m.sents = keep(m.rooms, far-raw), keep(m.sents, far-sent)
		doubt = raw > echoLoud && raw-sent < echoLess
	}
	m.ticks, m.far, m.raw, m.sent = 0, 0, 0, 0
	return doubt
}

func rms(energy float64) float64 {
	return media.DBFS(math.Sqrt(energy / (echoBlock * media.Tick)))
}

func keep(list []float64, v float64) []float64 {
	if len(list) >= echoKept {
		list = list[1:]
	}
	return append(list, v)
}

func (m *echoMeter) echo() Echo {
	if len(m.rooms) == 0 {
		return Echo{}
	}
	return Echo{Room: median(m.rooms), Sent: median(m.sents), Heard: len(m.rooms)}
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
