package control

import (
	"encoding/json"
	"time"
)

// States of a contact.
const (
	Friend  = "friend"
	Request = "request" // they ask, we have not answered
	SentReq = "sent"    // we asked, they have not answered
	Blocked = "blocked"
)

// By which paths a contact is talked to, and so who learns where this computer is.
const (
	RouteDirect  = "direct"  // any path; they learn our address
	RouteThrough = "through" // only through friends and relays of our choice
	RouteRelay   = "relay"   // only through relays of our choice that are no friend's device
)

// Presence of a contact.
const (
	Online = "online"
	Away   = "away"
)

// Contact is a person as the roster shows them.
type Contact struct {
	ID       string    `json:"id"`
	Conv     string    `json:"conv"`
	Name     string    `json:"name"`     // the local name
	OwnName  string    `json:"own_name"` // what they call themselves
	State    string    `json:"state"`
	Presence string    `json:"presence"`
	LastSeen time.Time `json:"last_seen"` // null: never
	Path     string    `json:"path"`      // "lan", "direct", "relay:NAME" or "none"
	RTT      float64   `json:"rtt_ms,omitempty"`
	Verified bool      `json:"verified"`
	Since    time.Time `json:"since,omitzero"`
	Route    string    `json:"route"`            // one of the Route words
	Asked    bool      `json:"route_asked"`      // the route was chosen; before the first call with somebody unverified it should be
	Called   bool      `json:"called,omitempty"` // a call has told them where this computer is: the next one is not the first
	Devices  int       `json:"devices"`
	Unread   int       `json:"unread"`
	Typing   bool      `json:"typing,omitempty"`
	Muted    bool      `json:"muted,omitempty"`
	Echo     bool      `json:"allow_echo,omitempty"`   // their machine may test its sound with this one, unasked
	Volume   float64   `json:"volume_db,omitempty"`    // by which they are heard louder in calls
	Spent    bool      `json:"invite_spent,omitempty"` // the invite by which we asked was used or has expired: a new one is needed
	Note     string    `json:"note,omitempty"`         // the words of a request
	Draft    string    `json:"draft,omitempty"`        // the beginning: at most 200 characters, then “…” where there is more; contacts/WHO/draft has it whole
	Last     *Message  `json:"last,omitempty"`         // the newest row; of its text as much as of a draft: messages/ID has it whole
}

// MarshalJSON writes null for a person who was never seen, so that the field
// is always there.
func (c Contact) MarshalJSON() ([]byte, error) {
	type fields Contact // without this method
	out := struct {
		fields
		LastSeen *time.Time `json:"last_seen"`
	}{fields: fields(c)}
	if !c.LastSeen.IsZero() {
		out.LastSeen = &c.LastSeen
	}
	return json.Marshal(out)
}

// NewInvite asks for an invite link.
type NewInvite struct {
	Expires int64 `json:"expires_s,omitempty"` // seconds from now; 0: a week for a one-time invite, never for an address
	Once    bool  `json:"once"`                // whoever uses it first becomes a friend without a question
}

// Invite is a link to hand to a friend.
type Invite struct {
	Link    string    `json:"link"`
	QR      string    `json:"qr"` // the same in the alphabet of small QR codes
	Expires time.Time `json:"expires,omitzero"`
	Once    bool      `json:"once"`
}

// NewContact adds the person behind a link.
type NewContact struct {
	Link string `json:"link"`
	Name string `json:"name,omitempty"`
	Note string `json:"note,omitempty"` // up to 1 KiB, shown with the request
}

// ContactEdit changes what is ours about a person; nil leaves a field.
type ContactEdit struct {
	Name  *string `json:"name,omitempty"`
	Muted *bool   `json:"muted,omitempty"`
	Route *string `json:"route,omitempty"`
	// Echo lets their machine test its sound with this one without anybody
	// answering: see the verb “test”.
	Echo   *bool    `json:"allow_echo,omitempty"`
	Volume *float64 `json:"volume_db,omitempty"` // -40 to 20, in this call and the next
}

// Safety lets two people check that nobody sits between them.
type Safety struct {
	Number   string   `json:"number"` // 12 groups of 5 digits
	Words    []string `json:"words"`
	QR       string   `json:"qr"`
	Verified bool     `json:"verified"`
}

// Verify marks a person as checked, or takes the mark back.
type Verify struct {
	OK bool `json:"ok"`
}

// Typing says that we are writing, or have stopped.
type Typing struct {
	On bool `json:"on"`
}

// Draft is text not sent yet.
type Draft struct {
	Text    string `json:"text"`
	ReplyTo string `json:"reply_to,omitempty"`
	Edit    string `json:"edit,omitempty"` // the message being edited
}
