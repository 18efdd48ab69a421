package control

import (
	"strings"
	"time"

	"github.com/entrenous/entrenous/app/chat"
)

// Kinds of rows.
const (
	KindText    = "text"
	KindReply   = "reply"
	KindDeleted = "deleted"
	KindCall    = "call"
	KindDevice  = "device"  // a person's devices changed
	KindUnknown = "unknown" // made by a newer version
)

// States of a message. Ours go Written, Delivered, Seen; theirs are Received.
const (
	Written   = "written"
	Delivered = "delivered"
	Seen      = "seen"
	Received  = "received"
)

// Message is one row of a conversation.
type Message struct {
	ID        string      `json:"id"`
	Who       string      `json:"who"`    // the contact whose conversation it is in
	Author    string      `json:"author"` // a person's id
	Mine      bool        `json:"mine"`
	Time      time.Time   `json:"time"`
	Kind      string      `json:"kind"`
	Text      string      `json:"text"`
	State     string      `json:"state"`
	Edited    bool        `json:"edited"`
	Reactions []Reactions `json:"reactions"`
	ReplyTo   string      `json:"reply_to"`        // empty: no reply
	Quote     *Quote      `json:"quote,omitempty"` // a look at the message replied to
	Call      *CallRow    `json:"call,omitempty"`
	Device    *DeviceRow  `json:"device,omitempty"`
}

// Shown is the text for people: nothing in it can reorder or overprint what
// stands around it, or speak to a terminal.
func (m Message) Shown() string { return chat.DisplayText(m.Text) }

// maxGlance is how many characters of a text a Glance shows.
const maxGlance = 200

// Glance is the beginning of a text, for lists: without the space around it,
// and where it is longer than 200 characters those and “…”.
func Glance(text string) string {
	text = strings.TrimSpace(text)
	n := 0
	for i := range text {
		if n == maxGlance {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// Reactions are the people who chose one emoji.
type Reactions struct {
	Emoji string   `json:"emoji"`
	By    []string `json:"by"`
	Mine  bool     `json:"mine"`
}

// Quote is a short look at a message replied to.
type Quote struct {
	Author string `json:"author"`
	Mine   bool   `json:"mine"`
	Text   string `json:"text"` // at most 200 characters; empty when deleted or not here
}

// CallRow tells of a call in the past.
type CallRow struct {
	ID       string  `json:"id"`
	Outgoing bool    `json:"outgoing"`
	Reason   string  `json:"reason"` // "ended", "missed", "declined", "busy", "failed", "lost"
	Seconds  float64 `json:"seconds"`

	Caller *CallReport `json:"caller,omitempty"` // how it was for the one who called
	Callee *CallReport `json:"callee,omitempty"`
}

// DeviceRow tells of a change of somebody's devices.
type DeviceRow struct {
	Person string `json:"person"` // whose devices changed
	Mine   bool   `json:"mine"`
	Name   string `json:"name"` // of the device
	Act    string `json:"act"`  // "added", "revoked"
}

// What became of a device.
const (
	DeviceAdded   = "added"
	DeviceRevoked = "revoked"
)

// Page is a piece of a conversation, oldest row first.
type Page struct {
	Rows        []Message `json:"rows"`
	Earlier     bool      `json:"earlier"`
	Later       bool      `json:"later"`
	FirstUnread string    `json:"first_unread,omitempty"`
}

// NewMessage is text to send.
type NewMessage struct {
	Text    string `json:"text"`
	ReplyTo string `json:"reply_to,omitempty"`
	Wait    string `json:"wait,omitempty"`       // answer only at this state
	Timeout int64  `json:"timeout_ms,omitempty"` // with Wait; 0: 30 s
}

// Sent is a message's id and how far it has come.
type Sent struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// Answer is what became of one message of a stream: its id and how far it has
// come, or why it has not. With both an id and a Failure, the message is
// stored and goes out by itself; it only has not come as far as was asked.
type Answer struct {
	ID      string   `json:"id,omitempty"`
	State   string   `json:"state,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}

// Edit is a message's new text.
type Edit struct {
	Text string `json:"text"`
}

// Reaction sets or takes back an emoji.
type Reaction struct {
	Emoji string `json:"emoji"`
	Off   bool   `json:"off,omitempty"`
}

// Read says that everything up to a message has been seen.
type Read struct {
	UpTo string `json:"up_to"`
}

// Hit is a message that a search found.
type Hit struct {
	Message Message  `json:"message"`
	Snippet string   `json:"snippet"`
	Marks   [][2]int `json:"marks"` // byte ranges of Snippet that matched
}

// Shown is the snippet for people, see Message.Shown.
func (h Hit) Shown() string { return chat.DisplayText(h.Snippet) }

// Change names something that became stale; the reader asks for it anew. It
// carries no content, so a slow reader can neither block the node nor lose:
// changes of one thing are folded into one, and when too many are waiting they
// become a single Change of type "reset": read everything again.
type Change struct {
	Type  string `json:"type"`
	Who   string `json:"who,omitempty"`   // contact id
	ID    string `json:"id,omitempty"`    // message or call id
	State string `json:"state,omitempty"` // the new state, presence or "on"/"off"
}

// Types of changes.
const (
	ChangeHello    = "hello" // first line of every watch
	ChangeReset    = "reset"
	ChangeMessage  = "message"  // a row is new
	ChangeRow      = "row"      // a row is different: edited, deleted, reacted to
	ChangeState    = "state"    // a message of ours came further
	ChangePresence = "presence" // "online" or "away"
	ChangeTyping   = "typing"   // "on" or "off"
	ChangeContact  = "contact"  // new, renamed, accepted, removed, verified
	ChangeRead     = "read"     // read here or on another device of ours
	ChangeDraft    = "draft"
	ChangeSettings = "settings"
	ChangeDevices  = "devices"
	ChangeNetwork  = "network"
	ChangeWindow   = "window"  // "raise": another window was started
	ChangeProfile  = "profile" // state is now Ready
	ChangeCall     = "call"
)
