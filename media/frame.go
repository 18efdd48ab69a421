// Package media says what sound is here: 48 kHz, one channel, float32 samples
// in [-1, 1], handled in frames of 20 ms and ticks of 10 ms. It hides nothing
// and imports nothing; it is what the rooms of sound agree on.
//
// Sound is passed as a []float32 that the caller owns: whoever is handed one
// may read or fill it during the call and keeps no reference afterwards.
package media

import (
	"math"
	"time"
)

const (
	// Rate is the number of samples a second, everywhere.
	Rate = 48000
	// Frame is the number of samples in 20 ms: what is encoded and sent at once.
	Frame = 960
	// Tick is the number of samples in 10 ms: what devices and processors handle at once.
	Tick = 480
	// Floor is the level of digital silence in dBFS, so that no level is -Inf.
	Floor = -127.0
)

// Duration says how long n samples last.
func Duration(n int) time.Duration {
	return time.Duration(n) * time.Second / Rate
}

// Samples says how many samples last d, rounded down.
func Samples(d time.Duration) int {
	return int(int64(d) * Rate / int64(time.Second))
}

// Energy returns the sum of the squares of x.
func Energy(x []float32) float64 {
	var a, b, c, d float64 // four sums, which do not wait for each other
	for ; len(x) >= 4; x = x[4:] {
		a += float64(x[0]) * float64(x[0])
		b += float64(x[1]) * float64(x[1])
		c += float64(x[2]) * float64(x[2])
		d += float64(x[3]) * float64(x[3])
	}
	for _, v := range x {
		a += float64(v) * float64(v)
	}
	return a + b + c + d
}

// Level returns the root mean square of x in dBFS: 0 for a full-scale square
// wave, -3.01 for a full-scale sine, Floor for silence or an empty slice.
func Level(x []float32) float64 {
	if len(x) == 0 {
		return Floor
	}
	return DBFS(math.Sqrt(Energy(x) / float64(len(x))))
}

// Peak returns the largest magnitude in x in dBFS, Floor for silence.
func Peak(x []float32) float64 { return DBFS(float64(Top(x))) }

// Top returns the largest magnitude in x, an amplitude (1 is full scale). It is
// NaN if one of x is.
func Top(x []float32) float32 {
	// Without their signs, floats are in the order of their bits, NaN last, and
	// processors compare whole numbers eight times as fast.
	const magnitude = 1<<31 - 1
	var a, b, c, d uint32 // which do not wait for each other
	for ; len(x) >= 4; x = x[4:] {
		a = max(a, math.Float32bits(x[0])&magnitude)
		b = max(b, math.Float32bits(x[1])&magnitude)
		c = max(c, math.Float32bits(x[2])&magnitude)
		d = max(d, math.Float32bits(x[3])&magnitude)
	}
	for _, v := range x {
		a = max(a, math.Float32bits(v)&magnitude)
	}
	return math.Float32frombits(max(a, b, c, d))
}

// DBFS turns an amplitude (1 is full scale) into dBFS, never below Floor. An
// amplitude that is not a number counts as silence.
func DBFS(amplitude float64) float64 {
	db := 20 * math.Log10(math.Abs(amplitude))
	if math.IsNaN(db) || db < Floor {
		return Floor
	}
	return db
}

// Amplitude turns dBFS into an amplitude: 0 gives 1, -20 gives 0.1.
func Amplitude(dbfs float64) float64 {
	return math.Pow(10, dbfs/20)
}

// FromInt16 converts PCM to floats: dst[i] = src[i]/32768. It converts as many
// samples as the shorter slice holds and returns their number.
func FromInt16(dst []float32, src []int16) int {
	n := min(len(dst), len(src))
	for i, v := range src[:n] {
		dst[i] = float32(v) / 32768
	}
	return n
}

// ToInt16 converts floats to PCM, rounded and clipped; NaN becomes 0. It
// converts as many samples as the shorter slice holds and returns their number.
func ToInt16(dst []int16, src []float32) int {
	n := min(len(dst), len(src))
	for i, v := range src[:n] {
		dst[i] = pcm(v)
	}
	return n
}

func pcm(v float32) int16 {
	if v != v {
		return 0
	}
	scaled := math.RoundToEven(float64(v) * 32768)
	return int16(min(max(scaled, math.MinInt16), math.MaxInt16))
}
