package jitter

import (
	"math"

	"github.com/entrenous/entrenous/media"
)

// Time is stretched by WSOLA: jump back or ahead to where the waveform is most
// like the one that would have come, and fade over.
const (
	minJump     = 120  // 2.5 ms: the pitch of the highest voice
	maxJump     = 720  // 15 ms: the pitch of the lowest
	match       = 240  // samples compared
	overlap     = 480  // samples faded over, if there are so many
	alike       = 0.85 // similarity from which a jump goes unheard
	alikeHurry  = 0.5  // the same when the delay is far too long
	hurry       = 60 * 48
	silentLevel = -50.0 // dBFS below which any jump goes unheard
	slow        = 3     // samples played per sample jumped, at least: 25 % of speed
	// The moment of a Pull moves by a millisecond or two. A delay that lies at
	// the edge of what is aimed at must not be lengthened by a tick at one and
	// shortened by it at the next.
	easy = codecStep
	// What is aimed at moves by a bucket with every stall of the line, and each
	// jump in speech is paid for in clarity. What is late by less than a bucket
	// more, or waits for less than plenty, is put right in the next pause: those
	// come every second or so.
	plenty = 2 * media.Tick
	never  = 2 // similarity is 1 at most
	// Nobody hears the speed of silence.
	slowInSilence = 1
)

// spare says how many samples could be left out without being needed: late is
// how long after the earliest possible moment the next packet was needed, and
// before how many samples waited then.
//
// Sound is needed a tick at a time, so lateness moves in whole ticks; samples
// waiting beyond that are delay that buys nothing.
func (b *Buffer) spare(late int64, before int) int64 {
	tick := int64(b.tick)
	free := min(late-b.delay.target()-easy, b.slack.least())
	return int64(before) + max(free, 0)/tick*tick
}

// steer corrects the delay after n samples were decoded and added to the line.
func (b *Buffer) steer(late, spare int64, n int) {
	b.cooldown = max(0, b.cooldown-n)
	if b.cooldown > 0 {
		return
	}
	target := b.delay.target()
	switch {
	case late < target:
		b.lengthen(heard(late < max(target-bucket, bucket), alike))
	case spare > hurry:
		b.shorten(spare, alikeHurry)
	case spare >= minJump:
		b.shorten(spare, heard(spare >= plenty, alike))
	}
}

// heard is the similarity from which to jump in what is heard: where that is not
// worth it nothing is alike enough, and the jump waits for silence.
func heard(worth bool, threshold float64) float64 {
	if worth {
		return threshold
	}
	return never
}

// slack is the least time that a packet waited to be played among the last
// eight to sixteen. It keeps the buffer from shrinking on old experience when
// the line has just become slower.
type slack struct {
	now, before int64
	seen        int
}

func (s *slack) saw(wait int64) {
	if s.seen%8 == 0 {
		s.before, s.now = s.now, wait
	}
	s.seen++
	s.now = min(s.now, wait)
}

func (s *slack) least() int64 { return min(s.now, s.before) }

// lengthen repeats up to 15 ms of what was just heard.
func (b *Buffer) lengthen(threshold float64) {
	here := b.line[b.head:]
	fadeLen := min(overlap, len(here))
	if fadeLen < match {
		return
	}
	// The past, oldest first: a jump of k samples back begins at maxJump-k.
	past := b.line[b.head-maxJump : b.head-minJump+match]
	at, rest := b.landing(here[:match], past, maxJump-minJump, threshold)
	if rest < 0 {
		return
	}
	jump := maxJump - at
	inserted := append([]float32(nil), b.line[b.head-jump:]...)
	crossfade(inserted[:fadeLen], here[:fadeLen], inserted[:fadeLen])
	b.line = append(b.line[:b.head], inserted...)
	b.cooldown = rest * jump
	b.stats.InsertedSamplesForDeceleration += uint64(jump)
}

// shorten leaves out at most spare samples of what waits.
func (b *Buffer) shorten(spare int64, threshold float64) {
	here := b.line[b.head:]
	reach := min(int64(maxJump), spare, int64(len(here)-match))
	if reach < minJump {
		return
	}
	at, rest := b.landing(here[:match], here[minJump:], int(reach)-minJump, threshold)
	if rest < 0 {
		return
	}
	jump := minJump + at
	fadeLen := min(overlap, len(here)-jump)
	crossfade(here[jump:jump+fadeLen], here[:fadeLen], here[jump:jump+fadeLen])
	b.line = append(b.line[:b.head], here[jump:]...)
	b.cooldown = rest * jump
	b.stats.RemovedSamplesForAcceleration += uint64(jump)
}

// landing finds where in x, within the first `last` samples, the waveform goes
// on like head, and how many samples are to be played then for each sample of
// the jump; negative if it goes on alike nowhere.
func (b *Buffer) landing(head, x []float32, last int, threshold float64) (at, rest int) {
	if media.Level(head) < silentLevel && media.Level(x[:last+match]) < silentLevel {
		return last, slowInSilence
	}
	if threshold >= never { // to look for it costs more than all the rest
		return 0, -1
	}
	at, similarity := likest(head, x, 0, last)
	if similarity < threshold {
		return 0, -1
	}
	return at, slow
}

// likest returns the offset in [first, last] at which x is most like head, and
// how much: 1 is the same waveform at any loudness. It looks at every sixth
// offset and sample before it looks closely.
func likest(head, x []float32, first, last int) (int, float64) {
	const coarse = 6
	best, top := first, math.Inf(-1)
	for at := first; at <= last; at += coarse {
		if s := similarity(head, x[at:], coarse); s > top {
			best, top = at, s
		}
	}
	around, top := best, math.Inf(-1)
	for at := max(first, around-coarse+1); at <= min(last, around+coarse-1); at++ {
		if s := similarity(head, x[at:], 1); s > top {
			best, top = at, s
		}
	}
	return best, top
}

// similarity is the normalised correlation of a with as much of b, taking every
// step-th sample.
func similarity(a, b []float32, step int) float64 {
	b = b[:len(a)]
	var ab, aa, bb float32
	for i := 0; i < len(a); i += step {
		ab += a[i] * b[i]
		aa += a[i] * a[i]
		bb += b[i] * b[i]
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return float64(ab) / math.Sqrt(float64(aa)*float64(bb))
}

// crossfade sets dst to a fading into b; dst may be either.
func crossfade(dst, a, b []float32) {
	for i := range dst {
		w := (float32(i) + 0.5) / float32(len(dst))
		dst[i] = a[i]*(1-w) + b[i]*w
	}
}
