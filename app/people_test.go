package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

func TestAOneTimeInviteMakesBothFriendsWithoutAnotherQuestion(t *testing.T) {
	t.Parallel()
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	ana.wake()
	bo.wake()
	var i control.Invite
	ana.json(&i, "invite", "--once", "--expires", "48h")
	if left := time.Until(i.Expires); left < 47*time.Hour || left > 48*time.Hour || !i.Once {
		t.Errorf("once %v, expires in %v, want once and 48 h", i.Once, left)
	}
	var c control.Contact
	bo.json(&c, "add", i.Link, "--as", "Anouk")
	if c.Name != "Anouk" || c.ID != ana.id {
		t.Errorf("added %s as %q", c.ID, c.Name)
	}
	ana.sees(bo, control.Friend, control.Online)
	bo.sees(ana, control.Friend, control.Online)

	cy := newPerson(t, "Cy")
	cy.wake()
	if got := cy.ok("add", i.Link); !strings.Contains(got, "this invite was used") {
		t.Errorf("a link that was used is told as %q", got)
	}
	bo.send(ana, "a moment passes")
	if got := ana.ok("contacts", "--json"); strings.Contains(got, cy.id) {
		t.Error("a one-time invite made two friends")
	}
}

// TestWhoIsAddedIsToldByTheirName adds as a person at a terminal does.
func TestWhoIsAddedIsToldByTheirName(t *testing.T) {
	t.Parallel()
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	ana.wake()
	bo.wake()
	var i control.Invite
	ana.json(&i, "invite", "--once")
	if got := bo.ok("add", i.Link); !strings.HasPrefix(got, "Ana: ") {
		t.Errorf("added is %q", got)
	}
}

// TestWaitingTooShortSaysHowFarAMessageCame waits for eyes that do not look.
func TestWaitingTooShortSaysHowFarAMessageCame(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	ana.sees(bo, control.Friend, control.Online)
	if f := ana.fails(5, "send", "Bo", "are you there?", "--wait", "seen", "--timeout", "2s"); !strings.Contains(f.Message, "has arrived, and was not seen yet") {
		t.Errorf("what arrived is told as %+v", f)
	}
}

func TestAnAddressAsksAndTheOwnerAccepts(t *testing.T) {
	t.Parallel()
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	ana.wake()
	bo.wake()
	var i control.Invite
	ana.json(&i, "invite")
	if got := bo.ok("add", i.Link, "--note", "we met at the harbour"); got != "Asked. Until they answer they are called "+ana.id[:8]+" here.\n" {
		t.Errorf("who was asked is told as %q", got)
	}
	bo.sees(ana, control.SentReq, control.Away)
	ana.sees(bo, control.Request, control.Away)
	if f := bo.fails(7, "send", ana.id, "too early"); !strings.Contains(f.Message, "not friends yet") {
		t.Errorf("writing before the answer says %q", f.Message)
	}
	if got := ana.ok("contacts"); !strings.Contains(got, "entrenous accept Bo") {
		t.Errorf("contacts does not say how to accept:\n%s", got)
	}
	var c control.Contact
	ana.json(&c, "accept", "Bo")
	if c.State != control.Friend || c.Note != "we met at the harbour" {
		t.Errorf("accepted: %+v", c)
	}
	bo.sees(ana, control.Friend, control.Online)
	ana.sees(bo, control.Friend, control.Online)
	bo.send(ana, "hello")
}

func TestContactsHaveTheFieldsOfTheContract(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	bo.sleep()
	ana.sees(bo, control.Friend, control.Away)
	cy := newPerson(t, "Cy")
	cy.wake()
	var i control.Invite
	cy.json(&i, "invite")
	cy.sleep()
	ana.ok("add", i.Link, "--as", "Cyril")
	lines := ana.lines("contacts")
	if len(lines) != 2 {
		t.Fatalf("%d contacts, want 2", len(lines))
	}
	for _, line := range lines {
		wantFields(t, line, "id", "name", "state", "presence", "last_seen", "path")
		var c control.Contact
		must(t, json.Unmarshal([]byte(line), &c))
		switch c.ID {
		case bo.id:
			if c.State != control.Friend || c.Presence != control.Away || c.LastSeen.IsZero() {
				t.Errorf("Bo, who has left: %s", line)
			}
		case cy.id:
			if c.State != control.SentReq || !c.LastSeen.IsZero() || !strings.Contains(line, `"last_seen":null`) {
				t.Errorf("Cy, who was never seen: %s", line)
			}
		}
	}
}

// wantFields checks that a JSON object has fields, whatever else it has.
func wantFields(t *testing.T, line string, names ...string) {
	t.Helper()
	var object map[string]json.RawMessage
	must(t, json.Unmarshal([]byte(line), &object))
	for _, name := range names {
		if _, ok := object[name]; !ok {
			t.Errorf("%q is missing in %s", name, line)
		}
	}
}

func TestWhoIsANameAnIDOrAUniquePrefixOfEither(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	ana.ok("rename", bo.id, "Boris")
	for _, who := range []string{"Boris", "boris", "bor", bo.id, bo.id[:20], strings.ToUpper(bo.id[:12])} {
		var c control.Contact
		ana.json(&c, "rename", who, "Boris")
		if c.ID != bo.id {
			t.Errorf("%q is %s, want %s", who, c.ID, bo.id)
		}
	}
	cy := newPerson(t, "Cy")
	cy.wake()
	befriend(ana, cy)
	ana.ok("rename", cy.id, "Bornholm")
	f := ana.fails(4, "send", "bor", "hello")
	if f.Code != control.CodeAmbiguous || len(f.Choices) != 2 ||
		!slices.ContainsFunc(f.Choices, func(s string) bool { return strings.HasPrefix(s, "Boris (") }) ||
		!slices.ContainsFunc(f.Choices, func(s string) bool { return strings.HasPrefix(s, "Bornholm (") }) {
		t.Errorf("ambiguity lists %q", f.Choices)
	}
	plain := ana.try("", "send", "bor", "hello")
	if !strings.Contains(plain.err, "Boris (") || !strings.Contains(plain.err, "Bornholm (") || plain.code != 4 {
		t.Errorf("ambiguity, for people: %d %s", plain.code, plain.err)
	}
	ana.ok("rename", cy.id, "Bor")
	if got := ana.texts(cy); len(got) != 0 {
		t.Errorf("an ambiguous name sent %q", got)
	}
	var sent control.Sent
	ana.json(&sent, "send", "bor", "a whole name wins over a prefix", "--wait", "delivered")
	cy.reads(ana, "a whole name wins over a prefix")
	for _, nobody := range []string{"nobody", "", " "} {
		if f := ana.fails(4, "send", nobody, "hello"); f.Reason != "nobody" || f.Hint == "" {
			t.Errorf("to %q: %+v", nobody, f)
		}
	}
}

func TestBlockingUnblockingAndRemoving(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	bo.send(ana, "before")
	ana.ok("block", "Bo")
	bo.sees(ana, control.Friend, control.Away)
	if f := ana.fails(7, "send", "Bo", "blocked"); !strings.Contains(f.Message, "blocked") {
		t.Errorf("writing to who is blocked says %q", f.Message)
	}
	bo.fails(5, "send", "Ana", "while blocked", "--wait", "delivered", "--timeout", "200ms")
	ana.ok("unblock", "Bo")
	ana.sees(bo, control.Friend, control.Online)
	ana.reads(bo, "while blocked")
	var gone struct {
		ID      string `json:"id"`
		Removed bool   `json:"removed"`
	}
	ana.json(&gone, "remove", "Bo")
	if gone.ID != bo.id || !gone.Removed {
		t.Errorf("removed: %+v", gone)
	}
	if lines := ana.lines("contacts"); len(lines) != 0 {
		t.Errorf("after remove there is %q", lines)
	}
	ana.fails(4, "history", bo.id)
}

func TestTheSafetyNumberIsTheSameOnBothSides(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	var a, b control.Safety
	ana.json(&a, "verify", "Bo")
	bo.json(&b, "verify", "Ana")
	if a.Number != b.Number || len(strings.Fields(a.Number)) != 12 || a.Verified {
		t.Errorf("the safety numbers are %q and %q, verified %v", a.Number, b.Number, a.Verified)
	}
	ana.json(&a, "verify", "Bo", "--ok")
	var c control.Contact
	must(t, json.Unmarshal([]byte(ana.lines("contacts")[0]), &c))
	if !a.Verified || !c.Verified {
		t.Error("--ok does not mark it")
	}
	ana.json(&a, "verify", "Bo", "--undo")
	if a.Verified {
		t.Error("--undo does not take the mark back")
	}
	if got := ana.ok("verify", "Bo"); !strings.Contains(got, strings.Fields(b.Number)[0]) {
		t.Errorf("for people: %q", got)
	}
}

func TestAMistypedInviteSaysWhichPartIsWrong(t *testing.T) {
	t.Parallel()
	ana, bo := newPerson(t, "Ana"), newPerson(t, "Bo")
	ana.wake()
	bo.wake()
	var i control.Invite
	ana.json(&i, "invite", "--once")
	wrong := []byte(i.Link)
	at := len(wrong) / 2
	wrong[at] = map[bool]byte{true: 'p', false: 'q'}[wrong[at] == 'q']
	for what, link := range map[string]string{
		"mistyped": string(wrong), "cut": i.Link[:len(i.Link)-9], "no invite": "https://example.org/", "empty": "",
	} {
		f := bo.fails(2, "add", link)
		t.Logf("%s: %s. %s.", what, f.Message, f.Hint)
		if f.Code != control.CodeInvalid || f.Hint == "" {
			t.Errorf("%s: %+v", what, f)
		}
	}
	if f := bo.fails(2, "add", string(wrong)); !strings.Contains(f.Message, string(wrong[at])) {
		t.Errorf("a wrong letter in the middle: %q does not show it", f.Message)
	}
	if f := ana.fails(2, "add", i.Link); !strings.Contains(f.Message, "your own") {
		t.Errorf("our own link: %q", f.Message)
	}
}

func TestAnInviteIsAQRCodeInTheTerminal(t *testing.T) {
	t.Parallel()
	ana := newPerson(t, "Ana")
	ana.wake()
	got := ana.ok("invite")
	if !strings.Contains(got, "█") || !strings.Contains(got, "\nentrenous:") {
		t.Errorf("invite prints\n%s", got)
	}
	if line := ana.lines("invite")[0]; strings.Contains(line, "█") {
		t.Error("the QR code is in the JSON")
	}
}

func TestWhatCannotBeDoneToAPersonIsSaidSo(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	if f := ana.fails(7, "accept", "Bo"); f.Code != control.CodeState || f.Hint == "" {
		t.Errorf("accepting a friend: %+v", f)
	}
	if f := ana.fails(7, "unblock", "Bo"); f.Code != control.CodeState || f.Hint == "" {
		t.Errorf("unblocking who is not blocked: %+v", f)
	}
	if f := ana.fails(2, "verify", "Bo", "--ok", "--undo"); f.Hint == "" {
		t.Errorf("both marks: %+v", f)
	}
	for _, life := range []string{"100ms", "-1ms"} {
		if f := bo.fails(2, "invite", "--expires", life); !strings.Contains(f.Message, "1s") {
			t.Errorf("an invite of %s: %+v", life, f)
		}
	}
}
