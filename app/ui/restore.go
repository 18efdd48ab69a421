package ui

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/identity"
)

// phraseLength is how many words an identity has.
const phraseLength = 24

// restore brings an identity back from its 24 words. It counts them, offers
// the rest of the word being typed, and says which word is mistaken.
type restore struct {
	w    *Window
	root *fyne.Container
	list []string // all words, in alphabetical order

	name, typed, pass *entry
	find              *toggle
	count             *text
	offers            *fyne.Container
	wrong             *text
	bring, back       *button
}

// newRestore makes the page; back leaves it. What was chosen before it, the name
// and whether friends who moved are looked for, stays chosen.
func newRestore(w *Window, name string, find bool, back func()) fyne.CanvasObject {
	v := &restore{w: w, list: identity.WordList(), wrong: newProblem(), count: smallText(""), offers: newRow(6)}
	v.name, v.pass = newEntry(w.tr("welcome.name.hint")), newSecretEntry(w.tr("welcome.pass.hint"))
	v.typed = newTextEntry(w.tr("restore.hint"), 4)
	v.bring = primaryButton(w.tr("restore.bring"), v.start)
	v.back = secondaryButton(w.tr("restore.back"), back)
	v.name.SetText(name)
	v.find = newToggle(w.tr("settings.find"), w.tr("welcome.find"), find, nil)
	v.typed.OnChanged = func(string) { v.look() }
	v.typed.keys, v.typed.tabs = v.complete, func() bool { return len(v.ends()) == 1 }
	v.root = newSheet(560, newCard(newColumn(16,
		newColumn(6, titleText(w.tr("restore.title")), mutedText(w.tr("restore.say"))),
		newColumn(6, labelText(w.tr("restore.words")), v.typed, newRow(12, v.count, v.offers)),
		labelled(w.tr("welcome.name"), v.name),
		labelled(w.tr("welcome.pass"), v.pass),
		v.find,
		v.wrong,
		newRow(8, v.bring, v.back),
	)))
	v.look()
	w.focus(v.typed)
	return v.root
}

// look counts the words and offers how the last one may end.
func (v *restore) look() {
	phrase := phraseOf(v.typed.Text)
	v.count.set(v.w.tr("restore.count", len(phrase), phraseLength))
	v.offers.RemoveAll()
	for _, word := range v.ends() {
		b := secondaryButton(word, func() { v.finish(word) })
		v.offers.Add(b)
	}
	v.wrong.say("", v.root)
}

// ends are up to four words that the last one, being typed, may become.
func (v *restore) ends() []string {
	start := lastWord(v.typed.Text)
	if len(start) < 2 {
		return nil
	}
	i, _ := slices.BinarySearch(v.list, start)
	var found []string
	for ; i < len(v.list) && strings.HasPrefix(v.list[i], start) && len(found) < 4; i++ {
		if v.list[i] != start {
			found = append(found, v.list[i])
		}
	}
	return found
}

// complete lets Tab take the only way a word can end.
func (v *restore) complete(k *fyne.KeyEvent) bool {
	ends := v.ends()
	if k.Name != fyne.KeyTab || len(ends) != 1 {
		return false
	}
	v.finish(ends[0])
	return true
}

// finish puts a whole word where the last one was begun.
func (v *restore) finish(word string) {
	start := lastWord(v.typed.Text)
	v.typed.SetText(v.typed.Text[:len(v.typed.Text)-len(start)] + word + " ")
	v.typed.CursorRow = strings.Count(v.typed.Text, "\n")
	v.typed.TypedKey(&fyne.KeyEvent{Name: fyne.KeyPageDown})
	v.w.win.Canvas().Focus(v.typed)
}

func (v *restore) start() {
	name := strings.TrimSpace(v.name.Text)
	if _, err := identity.ParseWords(v.typed.Text); err != nil {
		v.wrong.say(v.w.phraseMistake(err, len(phraseOf(v.typed.Text))), v.root)
		v.w.win.Canvas().Focus(v.typed)
		return
	}
	if name == "" {
		v.wrong.say(v.w.tr("welcome.nameless"), v.root)
		v.w.win.Canvas().Focus(v.name)
		return
	}
	v.w.setUp(control.Setup{Name: name, Passphrase: v.pass.Text, Words: v.typed.Text, FindOnline: &v.find.on}, v.root, v.wrong, v.bring, v.back)
}

// phraseMistake says what is wrong with words and what to do about it.
func (w *Window) phraseMistake(err error, n int) string {
	var p *identity.PhraseError
	switch {
	case errors.As(err, &p) && p.Position > 0 && p.Suggest != "":
		return w.tr("restore.wrong.suggest", p.Position, p.Word, p.Suggest)
	case p != nil && p.Position > 0:
		return w.tr("restore.wrong.word", p.Position, p.Word)
	case n != phraseLength:
		return w.tr("restore.wrong.count", n, phraseLength)
	}
	return w.tr("restore.wrong.order")
}

// phraseOf takes the words out of what was typed, as identity.ParseWords does.
func phraseOf(typed string) []string {
	return strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool { return !unicode.IsLetter(r) })
}

// lastWord is the word being typed at the end, "" after a space.
func lastWord(typed string) string {
	i := strings.LastIndexFunc(typed, func(r rune) bool { return !unicode.IsLetter(r) })
	if i < 0 {
		return strings.ToLower(typed)
	}
	return strings.ToLower(strings.TrimLeftFunc(typed[i:], func(r rune) bool { return !unicode.IsLetter(r) }))
}
