// Package call decides what becomes of calls: who rings, which of two calls
// that cross stays, who is busy, what is held, when to give up. It hides those
// rules and nothing else: it is told what happened and when, and says what to
// do. It has no clock, no network, no sound and no goroutine.
package call

import (
	"errors"
	"time"
)

// ID names a call; random, made by the caller.
type ID [16]byte

type (
	// Person is somebody who is called.
	Person [32]byte
	// Device is what a person speaks at.
	Device [32]byte
)

// State is where a call is in its life.
type State string

// The states. A call that is not known is Idle.
const (
	Idle         State = "idle"
	Calling      State = "calling"      // outgoing: no device of theirs has answered that it rings
	Ringing      State = "ringing"      // it rings, there or here
	Connecting   State = "connecting"   // accepted, no sound yet
	Active       State = "active"       // both hear each other
	Reconnecting State = "reconnecting" // the network failed; it may come back
	Ended        State = "ended"
)

// Reason is why a call ended.
type Reason string

// The reasons. Their words are part of the log and of the local API.
const (
	Completed Reason = "ended"     // somebody hung up
	Missed    Reason = "missed"    // not answered, or called off before
	Away      Reason = "away"      // no device of theirs was here in time
	Declined  Reason = "declined"  // they said no
	Busy      Reason = "busy"      // they are in other calls
	Failed    Reason = "failed"    // accepted, but no way was found or the keys were wrong
	Lost      Reason = "lost"      // the network or the other end broke off
	Elsewhere Reason = "elsewhere" // answered or declined at another device of ours
	Stale     Reason = "stale"     // the offer was too old
	Broken    Reason = "broken"    // no microphone or loudspeaker could be opened
)

// How long calls wait.
const (
	RingTime      = 45 * time.Second // an outgoing call
	ringSlack     = 10 * time.Second // an incoming one rings longer, so that the caller decides
	ConnectTime   = 15 * time.Second // from the answer to the first packet
	ReconnectTime = 30 * time.Second // without network
	linkTime      = 10 * time.Second // ringing on, while the caller's channel is down
	MaxAge        = 60 * time.Second // of an offer
	goodbyeTime   = 300 * time.Millisecond
)

const (
	maxLive  = 3    // calls that live at once: one spoken, one held, one ringing
	maxEnded = 16   // ended calls that are remembered for viewers
	maxSeen  = 4096 // ids that are remembered, so that no offer counts twice
)

// Errors of the verbs.
var (
	ErrNone   = errors.New("no such call")
	ErrInCall = errors.New("already in a call with this person")
	ErrBusy   = errors.New("another call is just beginning")
	ErrState  = errors.New("the call is not in that state")
)

// Call is one call as it is now.
type Call struct {
	ID         ID
	Was        ID // its id before it became one with the other side's call, else zero
	Person     Person
	Device     Device // at the other end; zero until one is known
	Outgoing   bool
	State      State
	Waiting    bool      // rings while another call goes on
	Held       bool      // by us
	HeldThere  bool      // by them
	Began      time.Time // first ring or dial
	Answered   time.Time // accepted; zero if never
	ActiveFrom time.Time // first sound could pass; zero if never
	Over       time.Time // ended
	Reason     Reason    // once Ended
	ByUs       bool      // we ended it
}

// Live says whether a call has not ended.
func (c *Call) Live() bool { return c.State != Ended }

// Spoken is how long the call was connected.
func (c *Call) Spoken(now time.Time) time.Duration {
	switch {
	case c.ActiveFrom.IsZero():
		return 0
	case c.State == Ended:
		return c.Over.Sub(c.ActiveFrom)
	}
	return now.Sub(c.ActiveFrom)
}

// Act is a kind of Effect.
type Act int

// What a Book may ask for.
const (
	Send    Act = iota // Signal to Device; a description is added where it belongs
	Join               // we answered: take the offer, send Accept to Device, begin to connect
	Meet               // Device answered: take its description, begin to connect
	Hold               // stop or resume sound, as Call.Held and HeldThere say
	Restart            // look for a path anew, with Device; a callee asks the caller to
	Probe              // find out whether Device is still there
	Changed            // tell viewers
	Over               // the call has ended: stop its sound, and keep its record
)

// Effect is something to do.
type Effect struct {
	Act    Act
	Call   ID
	Device Device
	Signal Signal
}
