package ui

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

func crcOf(chunk []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk))
}

var anaSafety = control.Safety{
	Number: "30184 55720 91463 72815 06394 48127 11872 90034 55810 23977 60148 00215",
	Words:  []string{"harbor", "violin", "amber", "cactus", "noodle", "river", "planet", "gentle"},
	QR:     "ENTRENOUS-SAFETY-301845572091463",
}

func TestComparingMarksAPersonVerified(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /contacts/ana/safety", anaSafety)
		done := anaSafety
		done.Verified = true
		n.answer("POST /contacts/ana/safety", done)
		n.w.showSafety(cardAna)
		n.settle()
		wantWords(t, n.top(), "30184 55720 91463 72815")
		wantWords(t, n.top(), "harbor · violin")
		n.shot(t, "safety")
		n.press(t, n.top(), "They differ")
		wantWords(t, n.top(), "do not write anything private")
		n.press(t, n.top(), "They are the same")
		n.wantTold(t, `POST /contacts/ana/safety {"ok":true}`)
		wantWords(t, n.top(), "they were the same")
		n.press(t, n.top(), "Take the mark back")
		n.wantTold(t, `POST /contacts/ana/safety {"ok":false}`)
	})
}

func TestThePanelTellsAboutAPerson(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /contacts/ana/safety", anaSafety)
		n.answer("PATCH /contacts/ana", cardAna)
		n.answer("POST /contacts/ana/block", cardAna)
		p := newInfoPanel(n.w, cardAna)
		n.page(p)
		n.size(280, 780)
		wantWords(t, p, "2 devices · friend since March")
		wantWords(t, p, "30184 55720 91463 72815")
		wantWords(t, p, "Directly, through your router")
		n.shot(t, "info")
		n.press(t, p, "Mute")
		n.wantTold(t, `PATCH /contacts/ana {"muted":true}`)
		n.press(t, p, "Block")
		wantWords(t, n.top(), "Block Ana?")
		n.press(t, n.top(), "Block")
		n.wantTold(t, "POST /contacts/ana/block")
		n.press(t, p, "Rename")
		entries(n.top())[0].SetText("Ana from the harbour")
		n.press(t, n.top(), "Save")
		n.wantTold(t, `PATCH /contacts/ana {"name":"Ana from the harbour"}`)
	})
}

func TestThePanelFollowsItsPerson(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /contacts/ana/safety", anaSafety)
		p := newInfoPanel(n.w, cardAna)
		n.page(p)
		now := cardAna
		now.Presence, now.LastSeen = control.Away, n.w.now().Add(-2*time.Hour)
		p.set(now)
		n.settle()
		wantWords(t, p, "Last seen 2 hours ago")
		now.Path, now.Presence = "relay:Bo", control.Online
		p.set(now)
		wantWords(t, p, "Through Bo")
		for since, want := range map[time.Duration]string{24: "friend since 21 November", 24 * 400: "friend since October 2025"} {
			now.Since = n.w.now().Add(-since * time.Hour)
			p.set(now)
			wantWords(t, p, want)
		}
	})
}

func TestAConversationIsSavedUnderANewName(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		home := t.TempDir()
		t.Setenv("HOME", home)
		n.answer("GET /contacts/ana/safety", anaSafety)
		n.answer("GET /contacts/ana/export", `{"text":"hello"}`+"\n")
		odd := cardAna
		odd.Name = "../Ana\n/x"
		p := newInfoPanel(n.w, odd)
		n.page(p)
		n.press(t, p, "Save the conversation")
		n.press(t, p, "Save the conversation")
		for _, name := range []string{"Anax 2026-11-22.jsonl", "Anax 2026-11-22 (2).jsonl"} {
			b, err := os.ReadFile(filepath.Join(home, name))
			if err != nil || string(b) != `{"text":"hello"}`+"\n" {
				t.Errorf("%s: %q, %v", name, b, err)
			}
		}
	})
}

func TestSettingsCountAtOnce(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /devices", []control.Device{
			{Name: "Laptop", This: true},
			{Name: "Kitchen tablet", Online: true},
			{Name: "Old computer in the workshop behind the harbour office", LastSeen: n.w.now().Add(-50 * time.Hour)},
		})
		n.w.showSettings()
		n.settle()
		wantWords(t, n.top(), "Kitchen tablet")
		wantWords(t, n.top(), "2 days ago")
		n.shot(t, "settings")
		n.press(t, n.top(), "Dark")
		if n.settings.Appearance != "dark" || n.w.theme.Appearance != "dark" {
			t.Errorf("the appearance is %q there and %q here", n.settings.Appearance, n.w.theme.Appearance)
		}
		n.shot(t, "settings-dark")
		n.press(t, n.top(), "Larger")
		n.shot(t, "settings-larger")
		n.press(t, n.top(), "Tell friends what I have seen")
		n.press(t, n.top(), "Français")
		wantWords(t, n.top(), "Réglages")
		if n.settings.TextSize != 1.3 || n.settings.SendReceipts || n.settings.Language != "fr" {
			t.Errorf("the settings are %+v", n.settings)
		}
		n.shot(t, "settings-fr")
		each(n.w.shell.empty, func(o fyne.CanvasObject) {
			if b, ok := o.(*button); ok && b.Size().IsZero() {
				t.Errorf("%q has no room on the page that was drawn anew", b.words)
			}
		})
		name := entries(n.top())[0]
		n.w.win.Canvas().Focus(name)
		name.SetText(" Léna ")
		name.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
		n.settle()
		if n.settings.Name != "Léna" || n.top() != nil {
			t.Errorf("the name is %q", n.settings.Name)
		}
	})
}

func TestAFailedSettingGoesBack(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("PUT /settings", refuse{Message: "no", Code: control.CodeDisk})
		n.w.showSettings()
		n.settle()
		n.press(t, n.top(), "Dark")
		if n.w.theme.Appearance == "dark" {
			t.Error("it looks as if the setting had been kept")
		}
	})
}

func TestTheWordsAreShownAgain(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.w.status.KeyKept = "passphrase"
		n.answer("POST /words", refuse{Message: "no", Code: control.CodePass})
		n.w.showWords()
		n.settle()
		entries(n.top())[0].SetText("wrong")
		n.press(t, n.top(), "Show my 24 words")
		wantWords(t, n.top(), "does not fit")
		n.answer("POST /words", control.Words{Words: testSeed.Words()})
		n.press(t, n.top(), "Show my 24 words")
		wantWords(t, n.top(), "I wrote them down")
	})
}

func TestABackupNeedsAPassphrase(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		home := t.TempDir()
		t.Setenv("HOME", home)
		n.answer("POST /backup", "age-encryption.org/v1\n")
		n.w.showBackup()
		n.settle()
		n.press(t, n.top(), "Save a backup")
		wantWords(t, n.top(), "A backup needs a passphrase")
		entries(n.top())[0].SetText("open sesame")
		if strings.Contains(wordsOn(n.top()), "needs a passphrase") {
			t.Error("what was missing is still complained about while it is typed")
		}
		n.press(t, n.top(), "Save a backup")
		n.wantTold(t, `POST /backup {"passphrase":"open sesame"}`)
		if _, err := os.Stat(filepath.Join(home, "Entrenous 2026-11-22.age")); err != nil {
			t.Error(err)
		}
	})
}

func TestTheDoctorSaysTheWorstFirst(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /doctor", []control.Finding{
			{What: "disk", State: "good", Say: "Messages can be kept on this disk."},
			{What: "friend:Bo", State: "warn", Say: "Bo is reached through Ana.", Do: "Turn on UPnP in the router."},
			{What: "network", State: "bad", Say: "No network answers.", Do: "Check the cable or the Wi-Fi."},
			{What: "friend:Ana", State: "good", Code: "friend.away", Args: []string{"Ana", n.w.now().Add(-2 * time.Hour).Format(time.RFC3339)}, Say: "English"},
		})
		n.w.showDoctor()
		n.settle()
		n.shot(t, "doctor")
		wantWords(t, n.top(), "Ana is away, last seen 2 hours ago.")
		read := wordsOn(n.top())
		if a, b, c := strings.Index(read, "Network"), strings.Index(read, "Bo\n"), strings.Index(read, "Disk\n"); a < 0 || a > b || b > c {
			t.Errorf("in this order:\n%s", read)
		}
		n.answer("GET /doctor", refuse{Message: "no", Code: control.CodeTimeout})
		n.press(t, n.top(), "Look again")
		wantWords(t, n.top(), "No answer came in time")
	})
}

func TestLocalNetworksOnlyIsOneSwitchAndRelaysAreListed(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /devices", []control.Device{})
		now := control.Network{Relays: []string{"/ip4/192.0.2.1/udp/4001/quic-v1/p2p/x"}, States: []control.Relay{
			{Addr: "/ip4/192.0.2.1/udp/4001/quic-v1/p2p/x", Name: "Bo", Ready: true}, {Addr: "/ip4/192.0.2.2/udp/4001/quic-v1/p2p/y", Name: "…abcdef"},
		}}
		n.answer("GET /network", now)
		n.answer("PATCH /network", now)
		n.w.showSettings()
		n.settle()
		wantWords(t, n.top(), "Friends can reach you through it")
		wantWords(t, n.top(), "Does not answer")
		n.shot(t, "settings-network")
		n.press(t, n.top(), "Let Bo go")
		n.wantTold(t, `PATCH /network {"relays":[]}`)
		typed := entries(n.top())
		typed[len(typed)-1].SetText(" /ip4/192.0.2.3/udp/4001/quic-v1/p2p/z ")
		n.press(t, n.top(), "Add this relay")
		n.wantTold(t, `PATCH /network {"relays":["/ip4/192.0.2.1/udp/4001/quic-v1/p2p/x","/ip4/192.0.2.3/udp/4001/quic-v1/p2p/z"]}`)
		n.answer("PATCH /network", control.Network{LANOnly: true})
		n.press(t, n.top(), "Only local networks")
		n.wantTold(t, `PATCH /network {"lan_only":true}`)
		wantNoWords(t, n.top(), "Add this relay")
	})
}

func TestTheRouterIsAskedForAPortUnlessSomebodySaysNo(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /devices", []control.Device{})
		n.answer("GET /network", control.Network{MapPort: true})
		n.answer("PATCH /network", control.Network{})
		n.w.showSettings()
		n.settle()
		n.press(t, n.top(), "Ask the router for a port")
		n.wantTold(t, `PATCH /network {"map_port":false}`)
		wantNoWords(t, n.top(), "started without asking")
		n.press(t, n.top(), "Ask the router for a port")
		n.wantTold(t, `PATCH /network {"map_port":true}`)
		n.answer("GET /network", control.Network{MapPort: true, Unasked: true})
		n.w.showSettings()
		n.settle()
		wantWords(t, n.top(), "started without asking")
	})
}

func TestBeforeTheFirstCallWithSomebodyUnverifiedItIsAskedWhoLearnsTheAddress(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		bo := control.Contact{ID: "bo", Name: "Bo", State: control.Friend, Presence: control.Online, Route: control.RouteDirect}
		n.answer("PATCH /contacts/bo", bo)
		called := 0
		call := func() { called++ }
		n.w.askRoute(bo, call)
		n.settle()
		wantWords(t, n.top(), "sees your network address")
		n.shot(t, "route-ask")
		n.press(t, n.top(), "Cancel")
		n.w.askRoute(bo, call)
		n.settle()
		n.press(t, n.top(), "Only through friends and relays")
		n.wantTold(t, `PATCH /contacts/bo {"route":"through"}`)
		if called != 1 {
			t.Errorf("the call went on %d times", called)
		}
		verified, asked, byCommand := bo, bo, bo
		verified.Verified, asked.Asked, byCommand.Called = true, true, true
		n.w.askRoute(verified, call)
		n.w.askRoute(asked, call)
		n.w.askRoute(byCommand, call)
		if called != 4 || n.top() != nil {
			t.Errorf("it is asked again: the call went on %d times", called)
		}
	})
}

func TestThePanelChoosesWhoLearnsTheAddress(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /contacts/ana/safety", anaSafety)
		n.answer("PATCH /contacts/ana", cardAna)
		p := newInfoPanel(n.w, cardAna)
		n.page(p)
		n.size(280, 900)
		wantWords(t, p, "see each other’s network address")
		n.press(t, p, "Relays only")
		n.wantTold(t, `PATCH /contacts/ana {"route":"relay"}`)
		hidden := cardAna
		hidden.Route = control.RouteRelay
		p.set(hidden)
		wantWords(t, p, "only through relays of yours")
	})
}

func TestAHandIsLentWithLimitsAndItsBooksAreShown(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /devices", []control.Device{})
		n.answer("GET /network", control.Network{})
		lent := control.Network{Lend: control.Lend{On: true}, Lent: control.Lent{Month: 40 << 20, Week: []control.LentFor{{ID: "bo", Name: "Bo", Bytes: 12 << 20}}}}
		n.answer("PATCH /network", lent)
		n.w.showSettings()
		n.settle()
		n.press(t, n.top(), "Lend friends a hand")
		n.wantTold(t, `PATCH /network {"lend":{"on":true`)
		wantWords(t, n.top(), "12 MB for Bo this week")
		n.press(t, n.top(), "5 GB")
		n.wantTold(t, `PATCH /network {"lend":{"on":true,"to_theirs":false,"kib_per_second":0,"mib_per_month":5120}}`)
		n.shot(t, "settings-lend")
	})
}

func TestPeopleNearbyAreAskedFromTheCard(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("POST /invites", invite())
		n.answer("GET /nearby", control.Nearby{})
		n.w.showAddFriend()
		n.settle()
		n.press(t, n.top(), "Nearby")
		wantWords(t, n.top(), "Nobody else is visible here")
		n.answer("POST /visible", control.Nearby{Until: n.w.now().Add(5 * time.Minute), People: []control.Neighbour{
			{ID: "bo", Name: "Bo", Words: []string{"harbor", "violin"}}, {ID: "ana", Name: "Ana", State: control.Friend},
		}})
		n.press(t, n.top(), "Visible to everybody on this network")
		n.wantTold(t, "POST /visible {}")
		wantWords(t, n.top(), "Until "+n.w.words.clock(n.w.now().Add(5*time.Minute).Local()))
		wantWords(t, n.top(), "harbor · violin")
		wantNoWords(t, n.top(), "Ask Ana")
		n.shot(t, "nearby")
		n.answer("POST /nearby/bo", control.Contact{ID: "bo", Name: "Bo", State: control.SentReq})
		n.press(t, n.top(), "Ask Bo")
		n.wantTold(t, "POST /nearby/bo")
	})
}

func TestHelpListsTheKeys(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.w.showHelp()
		n.settle()
		wantWords(t, n.top(), "Find people and messages")
		n.shot(t, "help")
	})
}

func manyPeople() []control.Contact {
	people := []control.Contact{
		cardAna,
		{ID: "bo", Name: "Bo", State: control.Friend, Presence: control.Away},
		{ID: "m", Name: "محمد الأمين", State: control.Friend, Presence: control.Online, Path: "lan"},
		{ID: "annette", Name: "Annette de la Villardière-Montgomery, from the harbour office", State: control.Friend, Presence: control.Online, Path: "relay:Bo"},
	}
	for i := range 12 {
		people = append(people, control.Contact{ID: fmt.Sprint("p", i), Name: fmt.Sprint("Person ", i), State: control.Friend})
	}
	return people
}

func TestTheSwitcherFindsPeopleAndMessages(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.w.contacts = manyPeople()
		hit := control.Hit{
			Message: control.Message{ID: "m1", Who: "ana", Author: "ana", Time: n.w.now().Add(-26 * time.Hour)},
			Snippet: "the anchor is down, bring\nthe warm jackets", Marks: [][2]int{{4, 6}},
		}
		mine := control.Hit{Message: control.Message{ID: "m2", Who: "bo", Author: "me", Mine: true, Time: n.w.now()}, Snippet: "an evening with محمد and ⚓ an old boat", Marks: [][2]int{{0, 2}, {34, 36}}}
		n.answer("GET /search?limit=50&q=an", []control.Hit{hit, mine})
		n.w.showSwitcher()
		n.settle()
		n.shot(t, "switcher-empty")
		typed := entries(n.top())[0]
		typed.SetText("an")
		n.settle()
		for _, want := range []string{"Ana", "Annette", "You to Bo", "2 messages"} {
			wantWords(t, n.top(), want)
		}
		wantNoWords(t, n.top(), "Person 3")
		for range 2 {
			typed.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
		}
		n.shot(t, "switcher")
		typed.SetText("zzz")
		n.answer("GET /search?limit=50&q=zzz", []control.Hit{})
		typed.SetText("zzz ")
		n.settle()
		wantWords(t, n.top(), "Nothing found for “zzz”")
		typed.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		n.settle()
	})
}

func TestSearchingOneConversationAsksForItAlone(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("GET /search?limit=50&q=boat&who=ana", []control.Hit{{Message: control.Message{ID: "m1", Who: "ana", Author: "ana", Time: n.w.now()}, Snippet: "the boat", Marks: [][2]int{{4, 8}}}})
		n.w.contacts = manyPeople()
		n.w.showSearch(cardAna)
		typed := entries(n.top())[0]
		typed.SetText("boat")
		n.settle()
		wantWords(t, n.top(), "1 message")
		wantNoWords(t, n.top(), "Bo\n")
		typed.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		if n.top() != nil {
			t.Error("Enter did not open what was found")
		}
	})
}
