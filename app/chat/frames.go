package chat

import (
	"errors"
	"fmt"

	"github.com/entrenous/entrenous/identity"
)

// Limits of frames.
const (
	MaxFrame       = 640 << 10 // bytes of any frame
	MaxEventBytes  = 512 << 10 // bytes of the events in one EventsFrame
	MaxEvents      = 4096      // events in one EventsFrame
	MaxReceipts    = 256       // receipts in one ReceiptsFrame
	MaxAddrs       = 16        // addresses in a Hello
	MaxAddr        = 256       // bytes of one address
	MaxPeer        = 128       // bytes of a peer id as text
	MaxRequestText = 1 << 10   // bytes of the text in a Request
	MaxList        = 64 << 10  // bytes of a device list
	MaxCallBody    = 16 << 10  // bytes of a CallFrame's body
	MaxNotes       = 64        // notes in one NotesFrame
	MaxNote        = 8 << 10   // bytes of one note
)

// ErrUnknownFrame is wrapped by ParseFrame when it meets a type of a newer
// version; *UnknownFrameError has its number. The reader skips such a frame.
var ErrUnknownFrame = errors.New("unknown frame")

// UnknownFrameError names the type of a frame that this version cannot read.
type UnknownFrameError struct{ Type uint8 }

// Error implements error.
func (e *UnknownFrameError) Error() string { return fmt.Sprintf("frame of type %d is unknown", e.Type) }

// Unwrap returns ErrUnknownFrame.
func (e *UnknownFrameError) Unwrap() error { return ErrUnknownFrame }

// Frame is one message between two devices over a live channel: one of the
// types below. On the wire it is one byte of type and a body.
type Frame interface {
	// Encode returns the frame's bytes, type included. It does not check
	// limits: ParseFrame refuses what exceeds them.
	Encode() []byte
	frame() byte
}

// The types of frames. Numbers are part of the format. 5, 6 and 14 were given
// to frames that nobody ever sent, and stay reserved.
const (
	frameHello      = 1
	frameDeviceList = 2
	frameRequest    = 3
	frameAccept     = 4
	frameKey        = 7
	frameFrontier   = 8
	frameEvents     = 9
	frameReceipts   = 10
	frameTyping     = 11
	framePing       = 12
	framePong       = 13
	frameBye        = 15
	frameCall       = 16
	frameRead       = 17
	frameLend       = 32
	framePassOn     = 33
	frameNotes      = 34
)

// Hello opens a channel: who speaks and how to reach them later.
type Hello struct {
	Name       string   // what they call themselves, ≤ MaxName runes
	ListEpoch  uint64   // of their newest device list
	Peer       string   // the device's libp2p peer id
	Addrs      []string // multiaddrs, ≤ MaxAddrs of ≤ MaxAddr bytes
	Rendezvous [16]byte // the sender's address secret: where to look for them
}

// DeviceListFrame carries a signed device list, as identity encodes it.
type DeviceListFrame struct{ List []byte }

// Request asks to become a contact.
type Request struct {
	Name  string
	Text  string // ≤ MaxRequestText bytes
	Once  []byte // the one-time secret of an invite: 16 bytes, or none
	Nonce uint64 // shows Work where there is no Once
}

// Accept answers a Request: yes.
type Accept struct{}

// KeyFrame announces a device's key of one conversation. It is said only
// inside a channel, so that signatures prove nothing to outsiders.
type KeyFrame struct {
	Conv   ConvID
	Device identity.DeviceID
	Key    [32]byte
}

// FrontierFrame says what the sender holds of a conversation; the receiver
// answers with the events that are missing there.
type FrontierFrame struct{ Frontier Frontier }

// EventsFrame carries encoded events of one conversation, each chain in order.
type EventsFrame struct{ Events [][]byte }

// ReceiptsFrame carries receipts.
type ReceiptsFrame struct{ Receipts []Receipt }

// ReadFrame tells another device of the same person what was read. Nobody
// else gets it: friends learn from receipts, if they are to know.
type ReadFrame struct {
	Conv  ConvID
	Marks []ReadMark // ≤ MaxTips
}

// ReadMark is up to where a chain was read.
type ReadMark struct {
	Author identity.DeviceID
	Seen   uint64
}

// TypingFrame says that the sender writes something, or has stopped.
type TypingFrame struct {
	Conv ConvID
	On   bool
}

// Ping asks for a Pong with the same number.
type Ping struct{ N uint64 }

// Pong answers a Ping.
type Pong struct{ N uint64 }

// CallFrame carries what two devices say to each other about a call. What the
// body means is the business of the calls.
type CallFrame struct {
	Call [16]byte
	Body []byte // ≤ MaxCallBody bytes
}

// Lend says whether the sender's device passes on for the reader now.
type Lend struct{ On bool }

// PassOn says whether the sender leaves sealed notes with friends and keeps
// theirs, by which friends in common find each other again.
type PassOn struct{ On bool }

// NotesFrame carries sealed notes about where people are. What they say, and for
// whom, neither this frame nor whoever passes it on knows.
type NotesFrame struct {
	Passed bool // left with the sender by others; else the sender's own, to be passed on
	Notes  [][]byte
}

// Bye ends a channel in order: the sender is going offline.
type Bye struct{}

func (Hello) frame() byte           { return frameHello }
func (DeviceListFrame) frame() byte { return frameDeviceList }
func (Request) frame() byte         { return frameRequest }
func (Accept) frame() byte          { return frameAccept }
func (KeyFrame) frame() byte        { return frameKey }
func (FrontierFrame) frame() byte   { return frameFrontier }
func (EventsFrame) frame() byte     { return frameEvents }
func (ReceiptsFrame) frame() byte   { return frameReceipts }
func (TypingFrame) frame() byte     { return frameTyping }
func (Ping) frame() byte            { return framePing }
func (Pong) frame() byte            { return framePong }
func (Bye) frame() byte             { return frameBye }
func (Lend) frame() byte            { return frameLend }
func (PassOn) frame() byte          { return framePassOn }
func (NotesFrame) frame() byte      { return frameNotes }
func (CallFrame) frame() byte       { return frameCall }
func (ReadFrame) frame() byte       { return frameRead }

func begin(f Frame, size int) writer {
	w := writer{b: make([]byte, 0, 1+size)}
	w.byte(f.frame())
	return w
}
