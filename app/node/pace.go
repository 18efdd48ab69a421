package node

import (
	"slices"
	"time"

	"github.com/entrenous/entrenous/app/chat"
)

const (
	// ahead is how many frames of events may be on their way to a friend who has
	// not acknowledged them. What is written meanwhile gathers in the log: the
	// other end commits a frame at once, and a hundred events in one frame cost it
	// hardly more than one.
	ahead = 2
	// ackTime is how long an acknowledgement is waited for: the delay that this
	// adds at most.
	ackTime = 50 * time.Millisecond
)

// pace keeps a link's writer from sending faster than the other end commits.
type pace struct {
	flights []flight // the last ones, ahead of them at most
	waiting bool     // there is more to send
}

// flight is a frame with events of ours that was sent.
type flight struct {
	conv chat.ConvID
	last uint64 // the last of our events in it
	at   time.Time
}

func (p *pace) sent(conv chat.ConvID, last uint64) {
	if len(p.flights) == ahead {
		p.flights = p.flights[1:]
	}
	p.flights = append(p.flights, flight{conv, last, time.Now()})
}

// landed takes an acknowledgement. It says whether more can be sent now that
// waited for it.
func (p *pace) landed(conv chat.ConvID, upTo uint64) bool {
	p.flights = slices.DeleteFunc(p.flights, func(f flight) bool { return f.conv == conv && f.last <= upTo })
	return p.waiting && len(p.flights) < ahead
}

// busy says whether the other end has enough to do. Then the writer is woken
// when it has less, or when it was waited for long enough.
func (l *link) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &l.pace
	left := time.Duration(0)
	if len(p.flights) == ahead {
		left = ackTime - time.Since(p.flights[0].at)
	}
	if left <= 0 {
		p.waiting = false
		return false
	}
	if !p.waiting {
		p.waiting = true
		time.AfterFunc(left, l.poke)
	}
	return true
}
