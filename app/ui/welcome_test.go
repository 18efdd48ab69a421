package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/identity"
)

var testSeed = identity.Seed{1, 2, 3}

func TestFirstStartAsksForAName(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.page(newWelcome(n.w))
		n.shot(t, "first")
		n.press(t, n.w.page, "Begin")
		wantWords(t, n.w.page, "Your friends need a name for you")
		n.shot(t, "first-nameless")
		if _, told := n.told("POST /setup"); told {
			t.Error("an identity without a name was asked for")
		}
	})
}

func TestFirstStartShowsTheWordsOnce(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("POST /setup", control.SetupDone{ID: "me", Words: testSeed.Words()})
		n.page(newWelcome(n.w))
		entries(n.w.page)[0].SetText("  Yelena ")
		n.press(t, n.w.page, "Begin")
		n.wantTold(t, `POST /setup {"name":"Yelena","find_online":true}`)
		wantWords(t, n.top(), "Your 24 words")
		n.shot(t, "words")
	})
}

func TestWhetherThePublicNetworkIsAskedIsChosenBeforeAnythingIsSent(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("POST /setup", control.SetupDone{ID: "me"})
		n.page(newWelcome(n.w))
		wantWords(t, n.w.page, "a public network")
		n.press(t, n.w.page, "Find friends who moved")
		n.press(t, n.w.page, "I have my 24 words")
		form := entries(n.w.page)
		form[0].SetText(strings.Join(testSeed.Words(), " "))
		form[1].SetText("Yelena")
		n.press(t, n.w.page, "Bring me back")
		if told, _ := n.told("POST /setup"); !strings.Contains(told, `"find_online":false`) {
			t.Errorf("the choice was lost on the way: %s", told)
		}
	})
}

func TestThreeWordsAreAskedForAndRemembered(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.settings.WordsKept = false
		words := testSeed.Words()
		n.w.modal(newPhrase(n.w, words))
		n.press(t, n.top(), "I wrote them down")
		n.shot(t, "words-check")
		var at []int
		for i := range words {
			if strings.Contains(wordsOn(n.top()), n.w.tr("phrase.word", i+1)+"\n") {
				at = append(at, i)
			}
		}
		asked := entries(n.top())
		if len(at) != 3 || len(asked) != 3 {
			t.Fatalf("%d words are asked for in %d entries", len(at), len(asked))
		}
		asked[0].SetText("zebra")
		n.press(t, n.top(), "Check")
		wantWords(t, n.top(), "is another one")
		n.shot(t, "words-wrong")
		for i, e := range asked {
			e.SetText(strings.ToUpper(words[at[i]]) + " ")
		}
		n.press(t, n.top(), "Check")
		if n.top() != nil || !n.settings.WordsKept {
			t.Error("the words were right, and that is not remembered")
		}
	})
}

func TestAMistypedWordIsNamed(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("POST /setup", control.SetupDone{ID: "me"})
		n.page(newWelcome(n.w))
		n.press(t, n.w.page, "I have my 24 words")
		form := entries(n.w.page)
		words := testSeed.Words()
		form[0].SetText(strings.Join(words[:3], " ") + " harbr")
		n.shot(t, "restore")
		n.press(t, n.w.page, "Bring me back")
		wantWords(t, n.w.page, "Word 4, “harbr”")
		wantWords(t, n.w.page, "harbor")
		n.shot(t, "restore-wrong")
		form[0].SetText(strings.Join(words, "\n"))
		form[1].SetText("Yelena")
		n.press(t, n.w.page, "Bring me back")
		n.wantTold(t, `POST /setup {"name":"Yelena","words":"`)
	})
}

func TestEverythingComesBackFromABackup(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		home := t.TempDir()
		t.Setenv("HOME", home)
		for _, name := range []string{"Entrenous 2026-11-26.age", "photo.png", ".hidden.age"} {
			if err := os.WriteFile(filepath.Join(home, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		n.answer("POST /setup", refuse{Message: "no", Code: control.CodePass, Reason: "backup_passphrase"})
		n.page(newWelcome(n.w))
		n.press(t, n.w.page, "I have a backup")
		n.press(t, n.w.page, "Bring it back")
		wantWords(t, n.w.page, "Choose the file of the backup first")
		if _, told := n.told("POST /setup"); told {
			t.Error("the node was asked without a file")
		}
		n.press(t, n.w.page, "Choose the file")
		n.settle()
		wantNoWords(t, n.top(), "photo.png")
		wantNoWords(t, n.top(), ".hidden.age")
		n.press(t, n.top(), "Entrenous 2026-11-26.age")
		form := entries(n.w.page)
		form[1].SetText("open sesame")
		n.shot(t, "frombackup")
		n.press(t, n.w.page, "Bring it back")
		wantWords(t, n.w.page, "This passphrase does not open the backup")
		n.answer("POST /setup", control.SetupDone{ID: "me"})
		n.press(t, n.w.page, "Bring it back")
		n.wantTold(t, `POST /setup {"name":"","passphrase":"open sesame","backup":"`+filepath.Join(home, "Entrenous 2026-11-26.age")+`"}`)
		if n.top() != nil {
			t.Error("somebody who comes back is shown words")
		}
		n.page(newWelcome(n.w))
		n.press(t, n.w.page, "I have a backup")
		n.press(t, n.w.page, "Back")
		wantWords(t, n.w.page, "Begin")
	})
}

func TestTheRestOfAWordIsOffered(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.page(newRestore(n.w, "", true, func() {}))
		typed := entries(n.w.page)[0]
		typed.SetText("abandon zo")
		n.press(t, n.w.page, "zone")
		if typed.Text != "abandon zone " {
			t.Errorf("the text is %q", typed.Text)
		}
		wantWords(t, n.w.page, "2 of 24 words")
	})
}

func TestAWrongPassphraseCanBeTriedAgain(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("POST /unlock", refuse{Message: "no", Code: control.CodePass})
		n.page(newUnlock(n.w))
		entries(n.w.page)[0].SetText("open sesame")
		n.press(t, n.w.page, "Unlock")
		n.wantTold(t, `POST /unlock {"passphrase":"open sesame"}`)
		wantWords(t, n.w.page, "That passphrase does not fit")
		n.shot(t, "unlock-wrong")
		n.answer("POST /unlock", n.status)
		n.press(t, n.w.page, "Unlock")
		wantNoWords(t, n.w.page, "That passphrase does not fit")
	})
}
