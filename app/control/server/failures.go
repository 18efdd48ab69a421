package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
)

// known turns errors of the rooms below into sentences with a next step.
var known = []struct {
	err  error
	code string
	why  string // the reason, as the window knows it
	say  string
	hint string
}{
	{node.ErrNobody, control.CodeNotFound, "nobody", "Nobody here fits that name or id", "List everybody with “entrenous contacts”"},
	{node.ErrNoMessage, control.CodeNotFound, "no_message", "There is no such message here", "Ids of messages are in “entrenous history WHO --json”"},
	{node.ErrNotFriend, control.CodeState, "not_friend", "You are not friends yet", "A message can be written once the request is accepted"},
	{node.ErrNoRequest, control.CodeState, "no_request", "This person does not ask to be your friend", "Look at them with “entrenous contacts”"},
	{node.ErrNotBlocked, control.CodeState, "not_blocked", "This person is not blocked", "Nothing needs to be done"},
	{node.ErrDeleted, control.CodeState, "deleted", "This message was deleted", "Write another one"},
	{node.ErrNoText, control.CodeState, "no_text", "Only what was written can be edited", "Calls and devices cannot; you can write a message"},
	{node.ErrEmoji, control.CodeInvalid, "emoji", "A reaction is one emoji, of 64 bytes at most", "Write words as a reply"},
	{node.ErrBlocked, control.CodeState, "blocked", "This person is blocked", "Unblock them first"},
	{node.ErrNotMine, control.CodeState, "not_mine", "Only the author can change a message", "You can reply or react to it"},
	{chat.ErrEmptyText, control.CodeInvalid, "nothing", "There is nothing to send", "Write at least one character"},
	{chat.ErrNotText, control.CodeInvalid, "not_text", "This is not text", "Only UTF-8 text can be sent"},
	{node.ErrEmpty, control.CodeInvalid, "nothing", "There is nothing to send", "Write at least one character"},
	{node.ErrTimeout, control.CodeTimeout, "not_yet", "The message is stored, and has not come that far yet", "It goes out by itself as soon as the friend is here"},
	{node.ErrOurself, control.CodeInvalid, "own_link", "This link is your own", "Send it to a friend, and add the link that they send you"},
	{node.ErrExpired, control.CodeState, "expired", "The invite has expired", "Ask for a new one, or check this machine's clock"},
	{node.ErrNoWay, control.CodeInvalid, "no_way", "The invite names no address where its owner can be found", "Ask for a new one while both of you are on one network"},
	{node.ErrNotAround, control.CodeNotFound, "not_around", "Nobody of that name or id shows themselves on this network", "Ask them to make themselves visible: “entrenous visible”, or the switch in the window"},
	{node.ErrNoCall, control.CodeNotFound, "no_call", "There is no such call now", "List them with “entrenous calls”"},
	{node.ErrInCall, control.CodeState, "in_call", "You are in a call with this person already", "Hang up first"},
	{node.ErrTalking, control.CodeState, "talking", "A call goes on here", "Hang up first"},
	{node.ErrCallBusy, control.CodeState, "call_busy", "Another call is just beginning", "Wait until it is answered, or hang up"},
	{node.ErrCallState, control.CodeState, "call_state", "The call is not that far, or further already", "Look at it with “entrenous calls”"},
	{node.ErrNotHere, control.CodeState, "not_here", "None of their devices is here now", "Try again when they are shown as online"},
	{node.ErrNoEcho, control.CodeState, "no_echo", "Their machine did not take part", "Ask them to allow it once: in what they see about you, or with “entrenous allow-echo”"},
	{node.ErrEchoBusy, control.CodeState, "echo_busy", "Their machine has just taken part in a test", "Try again in half a minute"},
	{node.ErrNoPath, control.CodeState, "no_path", "No way for sound to their machine was found", "“entrenous doctor” may tell why"},
	{node.ErrNoSound, control.CodeState, "no_sound", "This node runs without sound", "Start it with “entrenous daemon --audio system”"},
	{node.ErrSetting, control.CodeInvalid, "", "", ""},
	{node.ErrDiskFull, control.CodeDisk, "disk_full", "The disk is full, so nothing more can be kept", "Make some room; nothing that was acknowledged is lost, and it works again by itself"},
	{node.ErrReadOnly, control.CodeDisk, "read_only", "The profile folder cannot be written to", "Check its owner and permissions, or that the disk is not mounted read-only"},
	{identity.ErrWrongPassphrase, control.CodePass, "passphrase", "The passphrase does not fit", "Try again; nobody can reset it, but the 24 words bring the identity back"},
	{identity.ErrVaultExists, control.CodeState, "has_identity", "This profile has an identity already", "Choose another folder with --profile"},
	{identity.ErrNoVault, control.CodeState, "no_identity", "This profile has no identity yet", "Make one with “entrenous init --name NAME”, or open the window"},
	{identity.ErrNoSecret, control.CodeState, "no_secret", "The key of this profile is not where it was kept", "Unlock the system's keyring, or restore from a backup"},
	{identity.ErrVaultDamaged, control.CodeState, "keys_damaged", "The file with the keys is damaged in both copies", "Restore from a backup, or from the 24 words in another folder"},
	{context.DeadlineExceeded, control.CodeTimeout, "slow", "That took too long", "Try again"},
	{context.Canceled, control.CodeState, "stopping", "The node is stopping", ""},
}

// failure finds the sentence for an error, and says so where there is none.
func failure(err error) *control.Failure {
	if f := Explain(err); f != nil {
		return f
	}
	return &control.Failure{Message: control.Sentence(err.Error()), Hint: "If it happens again, “entrenous doctor” may tell why", Code: control.CodeInternal}
}

// Explain finds the sentence for an error of the rooms below; nil for one that
// nobody expects.
func Explain(err error) *control.Failure {
	if f := (*control.Failure)(nil); errors.As(err, &f) {
		return f
	}
	if e := (*node.AmbiguousError)(nil); errors.As(err, &e) {
		return &control.Failure{Message: "Several people fit", Hint: "Write more of the name, or the id", Code: control.CodeAmbiguous, Reason: "ambiguous", Args: []string{strings.Join(e.Names, ", ")}, Choices: e.Names}
	}
	if e := (*chat.TooLongError)(nil); errors.As(err, &e) {
		return &control.Failure{Message: control.Sentence(e.Error()), Hint: "Send it in parts", Code: control.CodeTooLong, Reason: "too_long"}
	}
	if e := (*identity.InviteError)(nil); errors.As(err, &e) {
		return inviteFailure(e)
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			say := k.say
			if say == "" {
				say = control.Sentence(err.Error())
			}
			return &control.Failure{Message: say, Hint: k.hint, Code: k.code, Reason: k.why}
		}
	}
	if errors.Is(err, chat.ErrMalformed) {
		return &control.Failure{Message: control.Sentence(err.Error()), Code: control.CodeInvalid}
	}
	return nil
}

// inviteFailure says which part of a link is wrong, and where.
func inviteFailure(e *identity.InviteError) *control.Failure {
	f := &control.Failure{Message: control.Sentence(e.Error()), Hint: "Copy the whole link once more, or ask for a new one", Code: control.CodeInvalid}
	f.Reason, f.Args = control.LinkReason(e.Part, e.Position)
	return f
}

func statusOf(code string) int {
	switch code {
	case control.CodeNotFound:
		return http.StatusNotFound
	case control.CodeInvalid, control.CodeAmbiguous:
		return http.StatusBadRequest
	case control.CodePass:
		return http.StatusForbidden
	case control.CodeTooLong:
		return http.StatusRequestEntityTooLarge
	case control.CodeTimeout:
		return http.StatusGatewayTimeout
	case control.CodeState:
		return http.StatusConflict
	case control.CodeDisk:
		return http.StatusInsufficientStorage
	}
	return http.StatusInternalServerError
}
