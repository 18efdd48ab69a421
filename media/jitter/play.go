package jitter

import (
	"github.com/entrenous/entrenous/media"
)

// codecStep is the granularity of a codec's sound, 2.5 ms.
const codecStep = 120

// play decodes p and stretches or squeezes what it says towards the delay
// aimed at.
func (b *Buffer) play(p *slot, now int64) {
	before := b.waiting()
	late := now - p.time - b.delay.base()
	b.slack.saw(now - p.arrival)
	spare := b.spare(late, before)
	old := b.tail()
	n, err := b.dec.Decode(p.payload, b.scratch[:])
	if err != nil || n <= 0 || n > len(b.scratch) {
		n = b.frame
		b.conceal(b.scratch[:n])
	} else {
		b.frame, b.made = max(n, codecStep), 0
		b.stats.emitted(n, now+int64(before)-p.arrival, b.delay.target())
	}
	b.stats.PacketsLost += p.seq - b.next
	b.next, b.time, b.starved = p.seq+1, p.time+int64(n), 0
	b.store.take(p)
	b.join(old, b.scratch[:n], int(min(max(spare, 0), media.Tick)))
	b.steer(late, spare, n)
}

// pause passes a stretch in which the talker sent nothing (DTX). Silence can be
// of any length, so this is where delay is corrected for nothing.
func (b *Buffer) pause(gap int, now int64) {
	if b.starved > 0 {
		past := min(b.starved, gap)
		b.stats.pardon(past)
		b.time += int64(past)
		if gap -= past; gap < codecStep {
			return
		}
	}
	n := min(gap, media.Tick) / codecStep * codecStep
	pcm := b.scratch[:n]
	b.fill(pcm)
	b.line = append(b.line, pcm...)
	b.stats.quiet(n)
	late := now - b.time - b.delay.base()
	switch off := late - b.delay.target(); {
	case off < -codecStep:
		b.stats.InsertedSamplesForDeceleration += uint64(n)
	case off > media.Tick && gap >= 2*n:
		b.time += int64(2 * n)
		b.stats.RemovedSamplesForAcceleration += uint64(n)
	default:
		b.time += int64(n)
	}
	b.starved = 0
}

// bridge makes up the sound of lost packets, the last of them from the copy
// that p may carry. What was made up while waiting for them counts.
func (b *Buffer) bridge(p *slot, gap int) {
	left, n := gap-b.starved, min(gap, b.frame)
	if left <= n {
		b.recover(p.payload, n, left)
	} else {
		left = min(left, b.frame) / codecStep * codecStep
		b.conceal(b.scratch[:left])
		b.line = append(b.line, b.scratch[:left]...)
	}
	b.time += int64(b.starved + left)
	b.starved = 0
	next := p.seq - (p.time-b.time+int64(b.frame)-1)/int64(b.frame)
	next = min(max(next, b.next), p.seq)
	b.stats.PacketsLost += next - b.next
	b.next = next
}

// recover adds the last `left` samples of the lost n before payload.
func (b *Buffer) recover(payload []byte, n, left int) {
	old, pcm := b.tail(), b.scratch[:n]
	ok, err := b.dec.DecodeFEC(payload, pcm)
	if err != nil {
		clear(pcm)
	}
	pcm = pcm[n-left:]
	if ok && err == nil {
		b.made = 0
		b.stats.recovered(left)
	} else {
		b.stats.concealed(left, b.made == 0, b.made >= fadeTo)
		b.fade(pcm)
	}
	b.join(old, pcm, 0)
}

// starve makes up what is pulled at once, 10 ms at most, while nothing is there to
// be played. Time stands still: what is late will be played when it comes.
func (b *Buffer) starve() {
	pcm := b.scratch[:min((b.tick+codecStep-1)/codecStep*codecStep, media.Tick)]
	if !b.playing && b.made == 0 && b.stats.TotalSamplesReceived == 0 || b.made > muteAfter {
		clear(pcm) // nothing was ever heard, or nothing for long
		b.line = append(b.line, pcm...)
		b.playing = false
		return
	}
	b.conceal(pcm)
	b.starved += len(pcm)
	b.line = append(b.line, pcm...)
}

// conceal fills pcm with sound that was never sent, ever quieter.
func (b *Buffer) conceal(pcm []float32) {
	b.stats.concealed(len(pcm), b.made == 0, b.made >= fadeTo)
	b.fill(pcm)
	b.fade(pcm)
}

func (b *Buffer) fill(pcm []float32) {
	if err := b.dec.Conceal(pcm); err != nil {
		clear(pcm)
	}
}

func (b *Buffer) fade(pcm []float32) {
	for i := range pcm {
		if b.made > fadeFrom {
			pcm[i] *= max(0, float32(fadeTo-b.made)/(fadeTo-fadeFrom))
		}
		b.made++
	}
}

// tail is a little more concealment than was played, to fade out of; nil if
// the last sound was real.
func (b *Buffer) tail() []float32 {
	if b.starved == 0 {
		return nil
	}
	pcm := b.spill[:]
	b.fill(pcm)
	made := b.made
	b.fade(pcm)
	b.made = made
	return pcm
}

// join adds pcm to the line. If old is given, it is how the line would have
// gone on: pcm fades in over it, from where within reach the two are most alike.
func (b *Buffer) join(old, pcm []float32, reach int) {
	if old == nil || len(pcm) < mergeLen {
		b.line = append(b.line, pcm...)
		return
	}
	skip := 0
	if reach = min(reach, len(pcm)-mergeLen); media.Level(old) > silentLevel {
		skip, _ = likest(old[:mergeLen], pcm, 0, reach)
	}
	pcm = pcm[skip:]
	crossfade(pcm[:mergeLen], old[:mergeLen], pcm[:mergeLen])
	b.line = append(b.line, pcm...)
	b.stats.RemovedSamplesForAcceleration += uint64(skip)
}
