// Package control is the local API of a running node: the types on the wire
// and a Client. The window, the commands and any script speak it; none of
// them can do what another cannot.
//
// The API is HTTP/1.1 with JSON bodies over a Unix socket named "socket" in
// the profile folder (mode 0600: whoever may open it is the user). Paths
// begin with /v1; a change that breaks a client gets a new number. Every
// answer is a JSON object or array, except the streams (watch, export,
// backup, stream). An error is {"error": sentence, "hint": next step, "code": word}
// with a 4xx or 5xx status.
//
//	S=$HOME/.local/share/entrenous/socket
//	curl --unix-socket $S http://entrenous/v1/status
//	curl --unix-socket $S http://entrenous/v1/contacts
//	curl --unix-socket $S -d '{"text":"hello"}' http://entrenous/v1/contacts/ana/messages
//	curl --unix-socket $S 'http://entrenous/v1/contacts/ana/messages?limit=20'
//	curl --unix-socket $S -N http://entrenous/v1/watch
//
// Who has many messages sends them as one stream: a NewMessage a line, and an
// Answer a line comes back for each, in their order, when it is as far as its
// "wait" says. Both sides may go on for as long as they like. Each message is
// kept and acknowledged by itself; those that come together share one sync of
// the disk, which makes a stream many times cheaper than requests.
//
//	seq 1000 | sed 's/.*/{"text":"number &","wait":"delivered"}/' |
//	    curl --unix-socket $S -sNT - -X POST http://entrenous/v1/contacts/ana/stream
//
// WHO in a path is a local name, an id, or a unique prefix of either.
//
//	GET    /v1/status                       Status
//	POST   /v1/setup                        Setup -> SetupDone   (an empty profile only)
//	POST   /v1/unlock                       Unlock -> Status     (a locked profile only)
//	POST   /v1/words                        Unlock -> Words      (the 24 words again)
//	POST   /v1/quit                         ends the node
//	POST   /v1/window                       raises an open window -> Raised
//	GET    /v1/settings                     Settings
//	PUT    /v1/settings                     Settings -> Settings
//	GET    /v1/devices                      []Device
//	GET    /v1/doctor                       []Finding
//	GET    /v1/network                      Network
//	PATCH  /v1/network                      NetworkEdit -> Network (the node begins anew)
//	POST   /v1/visible                      Visible -> Nearby (shows us to people on this network)
//	GET    /v1/nearby                       Nearby
//	POST   /v1/nearby/ID                    NewContact -> Contact (asks a person nearby; only the note is used)
//	POST   /v1/invites                      NewInvite -> Invite
//	GET    /v1/contacts                     []Contact
//	POST   /v1/contacts                     NewContact -> Contact
//	GET    /v1/contacts/WHO                 Contact
//	PATCH  /v1/contacts/WHO                 ContactEdit -> Contact
//	DELETE /v1/contacts/WHO                 removes the person and the history
//	POST   /v1/contacts/WHO/accept          Contact
//	POST   /v1/contacts/WHO/block           Contact
//	POST   /v1/contacts/WHO/unblock         Contact
//	GET    /v1/contacts/WHO/safety          Safety
//	POST   /v1/contacts/WHO/safety          Verify -> Safety
//	GET    /v1/contacts/WHO/messages        Page    (?limit, before, after, around)
//	POST   /v1/contacts/WHO/messages        NewMessage -> Sent
//	POST   /v1/contacts/WHO/stream          stream of NewMessage -> stream of Answer, a line each
//	POST   /v1/contacts/WHO/read            Read
//	POST   /v1/contacts/WHO/typing          Typing
//	GET    /v1/contacts/WHO/draft           Draft
//	PUT    /v1/contacts/WHO/draft           Draft
//	GET    /v1/contacts/WHO/export          stream of Message, a line each
//	GET    /v1/messages/ID                  Message
//	PATCH  /v1/messages/ID                  Edit -> Sent
//	DELETE /v1/messages/ID                  Sent    (for everyone)
//	POST   /v1/messages/ID/reactions        Reaction -> Sent
//	GET    /v1/search                       []Hit   (?q, who, limit)
//	POST   /v1/backup                       Unlock -> stream, an age file
//	GET    /v1/watch                        stream of Change, a line each
//	POST   /v1/contacts/WHO/call            Call    (calls them)
//	POST   /v1/contacts/WHO/test            stream of EchoTest, a line each (with their machine; nobody rings)
//	GET    /v1/calls                        []Call  (those that live, and the last that ended)
//	GET    /v1/calls/CALL                   Call
//	PATCH  /v1/calls/CALL                   CallEdit -> Call
//	POST   /v1/calls/CALL/answer            Call
//	POST   /v1/calls/CALL/decline           Call
//	POST   /v1/calls/CALL/hangup            Call
//	GET    /v1/calls/CALL/feed              stream of Call, a line each (?every_ms)
//	GET    /v1/sound                        []SoundDevice
//	PUT    /v1/sound                        SoundChoice -> []SoundDevice
//	POST   /v1/sound/test                   stream of EchoTest, a line each
//
// CALL is an id, “current” for the call spoken in, or “ringing”.
package control

import (
	"strconv"
	"time"
)

// Version is the API's number, the first element of every path.
const Version = "v1"

// States of a profile.
const (
	Empty  = "empty"  // no identity yet: Setup
	Locked = "locked" // needs the passphrase: Unlock
	Ready  = "ready"  // the node runs
)

// Status says what this node is and how it is doing.
type Status struct {
	API        string   `json:"api"`
	State      string   `json:"state"` // Empty, Locked or Ready; the rest is zero unless Ready
	ID         string   `json:"id,omitempty"`
	Device     string   `json:"device,omitempty"`
	Name       string   `json:"name,omitempty"`
	DeviceName string   `json:"device_name,omitempty"` // as its certificate says, and as friends see it: it is given in Setup and stays
	Addrs      []string `json:"addrs,omitempty"`
	Friends    int      `json:"friends"`
	Online     int      `json:"online"`
	Unread     int      `json:"unread"`
	LANOnly    bool     `json:"lan_only"`
	Reach      string   `json:"reach,omitempty"`    // one of the Reach words
	KeyKept    string   `json:"key_kept,omitempty"` // as in SetupDone
	PID        int      `json:"pid"`
	Profile    string   `json:"profile,omitempty"`
	// Paths say how each friend is reached now.
	Paths []FriendPath `json:"paths,omitempty"`
}

// FriendPath is how a friend is reached.
type FriendPath struct {
	ID   string  `json:"id"`
	Name string  `json:"name"`
	Path string  `json:"path"`             // "lan", "direct", "relay:NAME" or "none"
	RTT  float64 `json:"rtt_ms,omitempty"` // there and back, absent while unknown
}

// How reachable this node is, as far as it knows.
const (
	ReachDirect = "direct" // others can connect to us
	ReachRelay  = "relay"  // others can, through a relay
	ReachLAN    = "lan"    // people on this network can
	ReachNone   = "none"   // no network
)

// Setup makes an identity in an empty profile, or brings one back.
type Setup struct {
	Name       string `json:"name"`
	DeviceName string `json:"device_name,omitempty"` // default: the host's name
	Passphrase string `json:"passphrase,omitempty"`  // empty: the key is kept in the OS keyring or a file
	Words      string `json:"words,omitempty"`       // the 24 words of an earlier identity
	Backup     string `json:"backup,omitempty"`      // the path of a backup to bring all back from; Passphrase opens it, and from then on this profile
	FindOnline *bool  `json:"find_online,omitempty"` // as in Settings, before anything is sent; nil is yes
}

// SetupDone is what Setup made. Words are given this once.
type SetupDone struct {
	ID      string   `json:"id"`
	Device  string   `json:"device"`
	Words   []string `json:"words,omitempty"`
	KeyKept string   `json:"key_kept"` // "passphrase", "keyring" or "file"
}

// Unlock carries a passphrase.
type Unlock struct {
	Passphrase string `json:"passphrase,omitempty"`
}

// Words are the 24 words.
type Words struct {
	Words []string `json:"words"`
}

// Raised says whether a window was open to be raised.
type Raised struct {
	Open bool `json:"open"`
}

// Settings are the choices a person made. They live in the encrypted store.
type Settings struct {
	Name          string  `json:"name"`
	Appearance    string  `json:"appearance"`    // "system", "light", "dark", "contrast"
	TextSize      float64 `json:"text_size"`     // 0.7 to 2, 1 is normal
	Language      string  `json:"language"`      // "" follows the system, "en", "fr"
	CloseToTray   bool    `json:"close_to_tray"` // closing the window leaves the node running
	Notify        bool    `json:"notify"`
	NotifyText    bool    `json:"notify_text"`   // show the message in the notification
	SendReceipts  bool    `json:"send_receipts"` // tell friends when we have seen
	SendTyping    bool    `json:"send_typing"`
	FindOnline    bool    `json:"find_online"`    // look for friends who moved through the public network
	PassOn        bool    `json:"pass_on"`        // friends in common pass on sealed notes of where friends are
	SaveBandwidth bool    `json:"save_bandwidth"` // calls from now on send little while nobody speaks, which shows to who watches the line when you do
	LowLatency    bool    `json:"low_latency"`    // calls from now on pass sound on in bites of 5 ms instead of 10, which costs the processor more
	ReduceMotion  bool    `json:"reduce_motion"`
	WordsKept     bool    `json:"words_kept"` // the person showed that the 24 words are written down
}

// Device is one of a person's devices.
type Device struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	This     bool      `json:"this,omitempty"`
	Online   bool      `json:"online"`
	LastSeen time.Time `json:"last_seen,omitzero"`
	Since    time.Time `json:"since,omitzero"`
}

// Finding is one line of the doctor: what was looked at, how it is, a
// sentence, and what to do. Code and Args are the same for clients that speak
// another language: the words are doctor.say.CODE and doctor.do.CODE, and an
// argument that is a moment is in RFC 3339.
type Finding struct {
	What  string   `json:"what"`
	State string   `json:"state"` // "good", "warn" or "bad"
	Say   string   `json:"say"`
	Do    string   `json:"do"` // empty when there is nothing to do
	Code  string   `json:"code,omitempty"`
	Args  []string `json:"args,omitempty"`
}

// Failure is an error as the API gives it. Reason and Args are the same for
// clients that speak another language: the words are fail.why.REASON, and the
// next step fail.why.REASON.next.
type Failure struct {
	Message string   `json:"error"`
	Hint    string   `json:"hint,omitempty"`
	Code    string   `json:"code,omitempty"`
	Reason  string   `json:"reason,omitempty"` // what exactly went wrong; empty where the message alone tells
	Args    []string `json:"args,omitempty"`
	Choices []string `json:"choices,omitempty"` // candidates of an ambiguous WHO
}

// Error gives the sentence, with the hint behind it.
func (f *Failure) Error() string {
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + ". " + f.Hint
}

// Sentence gives an error's text the capital letter of a Failure's.
func Sentence(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// LinkReason is the Reason and the Args of a Failure about a part of a link and,
// where it is known, the character, counted from 1.
func LinkReason(part string, character int) (reason string, args []string) {
	if character == 0 {
		return "link." + part, nil
	}
	return "link." + part + ".at", []string{strconv.Itoa(character), strconv.Itoa((character + 3) / 4)}
}

// Codes of failures, for scripts; each has its exit code on the command line.
const (
	CodeInvalid   = "invalid"          // the request makes no sense
	CodeNotFound  = "not_found"        // no such person or message
	CodeAmbiguous = "ambiguous"        // WHO fits several
	CodeState     = "state"            // not possible now (locked, empty, blocked, …)
	CodeTimeout   = "timeout"          // --wait ended before the state came
	CodePass      = "wrong_passphrase" // the passphrase does not fit
	CodeTooLong   = "too_long"         // the text is over the limit
	CodeDisk      = "disk"             // the disk is full or read-only
	CodeNotHere   = "not_running"      // no node runs on this profile
	CodeInternal  = "internal"
)
