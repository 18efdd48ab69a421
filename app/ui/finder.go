package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/entrenous/entrenous/app/control"
)

// finder is a line to type in and what fits it below: people by name, and
// messages by their words. Up and Down choose, Enter opens.
type finder struct {
	w   *Window
	who string // only this person's messages; "" for everybody's, and people too

	typed *entry
	rows  *fyne.Container
	list  *container.Scroll
	root  *fyne.Container
	hint  *text

	found []*foundRow
	at    int
	turn  int // counts questions, so that a late answer to an old one is dropped
}

// foundMessages is how many messages a question brings.
const foundMessages = 50

// showSwitcher opens the finder for people and messages (Ctrl+K).
func (w *Window) showSwitcher() { newFinder(w, "", w.tr("finder.everywhere")) }

// showSearch opens the finder for one conversation (Ctrl+F).
func (w *Window) showSearch(c control.Contact) { newFinder(w, c.ID, w.tr("finder.in", c.Name)) }

func newFinder(w *Window, who, placeholder string) *finder {
	f := &finder{w: w, who: who, typed: newEntry(placeholder), rows: newColumn(2), hint: smallText("")}
	f.list = container.NewVScroll(f.rows)
	f.list.SetMinSize(fyne.NewSize(0, 400))
	f.typed.OnChanged = f.look
	f.typed.onEnter = f.open
	f.typed.keys = f.keys
	body := makeCard(&card{fill: colorTheirs, stroke: colorLine, radius: 16, padX: 16, padY: 16, content: newColumn(12, f.typed, f.hint, f.list)})
	f.root = newSheet(520, body)
	w.modal(f.root)
	w.win.Canvas().Focus(f.typed)
	f.look("")
	return f
}

// keys moves the choice without leaving the entry.
func (f *finder) keys(k *fyne.KeyEvent) bool {
	switch k.Name {
	case fyne.KeyDown:
		f.choose(f.at + 1)
	case fyne.KeyUp:
		f.choose(f.at - 1)
	case fyne.KeyPageDown:
		f.choose(f.at + 6)
	case fyne.KeyPageUp:
		f.choose(f.at - 6)
	default:
		return false
	}
	return true
}

// look answers a question: people at once, messages when the node has found
// them.
func (f *finder) look(typed string) {
	f.turn++
	turn, words := f.turn, strings.TrimSpace(typed)
	var people []control.Contact
	if f.who == "" {
		people = namedLike(f.w.contacts, words)
	}
	if len([]rune(words)) < 2 {
		f.show(people, nil)
		f.say(people, nil, words)
		return
	}
	f.showPeople(people)
	var hits []control.Hit
	f.w.ask(func(ctx context.Context) (err error) {
		hits, err = f.w.client.Search(ctx, words, f.who, foundMessages)
		return err
	}, func(err error) {
		if turn != f.turn {
			return
		}
		if err != nil {
			f.hint.set(f.w.sentence(err))
			relayout(f.root)
			return
		}
		f.show(people, hits)
		f.say(people, hits, words)
	})
}

// showPeople leaves the messages of the question before on the screen until
// the answer comes: a list that empties at every key flickers.
func (f *finder) showPeople(people []control.Contact) {
	old := slices.DeleteFunc(slices.Clone(f.found), func(r *foundRow) bool { return r.hit == nil })
	f.list.ScrollToTop()
	f.put(f.peopleRows(people), old)
}

func (f *finder) show(people []control.Contact, hits []control.Hit) {
	var rows []*foundRow
	for _, h := range hits {
		rows = append(rows, newMessageRow(f.w, h, func() { f.openHit(h) }))
	}
	f.list.ScrollToTop()
	f.put(f.peopleRows(people), rows)
}

func (f *finder) peopleRows(people []control.Contact) []*foundRow {
	var rows []*foundRow
	for _, c := range people {
		rows = append(rows, newPersonRow(f.w, c, func() {
			f.w.closeModal()
			f.w.openConversation(c.ID, "")
		}))
	}
	return rows
}

// put lists people, then messages, each under its name.
func (f *finder) put(people, messages []*foundRow) {
	f.rows.RemoveAll()
	f.found = append(people, messages...)
	for _, r := range people {
		f.rows.Add(r)
	}
	if len(messages) > 0 && len(people) > 0 {
		f.rows.Add(newInset(10, 6, labelText(f.w.tr("finder.messages")).coloured(colorMuted)))
	}
	for _, r := range messages {
		f.rows.Add(r)
	}
	f.choose(0)
	relayout(f.root)
}

// say tells what to do when the list is empty, and how much was found.
func (f *finder) say(people []control.Contact, hits []control.Hit, words string) {
	switch {
	case len(people)+len(hits) == 0 && len([]rune(words)) >= 2:
		f.hint.set(f.w.tr("finder.nothing", words))
	case len(hits) == foundMessages:
		f.hint.set(f.w.tr("finder.many", foundMessages))
	case len(hits) > 0:
		f.hint.set(f.w.count("finder.found", len(hits)))
	default:
		f.hint.set(f.w.tr("finder.type"))
	}
	f.hint.Refresh()
}

func (f *finder) choose(i int) {
	f.at = max(0, min(i, len(f.found)-1))
	for j, r := range f.found {
		r.light(j == f.at)
	}
	if len(f.found) == 0 {
		return
	}
	r := f.found[f.at]
	top, bottom := r.Position().Y, r.Position().Y+r.Size().Height
	switch off := f.list.Offset.Y; {
	case top < off || f.at == 0:
		f.list.ScrollToOffset(fyne.NewPos(0, min(top, off)))
	case bottom > off+f.list.Size().Height:
		f.list.ScrollToOffset(fyne.NewPos(0, bottom-f.list.Size().Height))
	}
}

func (f *finder) open() {
	if f.at < len(f.found) {
		f.found[f.at].tap()
	}
}

// openHit shows a found message where it stands. Searching one conversation
// the card makes room for it.
func (f *finder) openHit(h control.Hit) {
	f.w.closeModal()
	f.w.openConversation(h.Message.Who, h.Message.ID)
}

// namedLike keeps the people with a word in their names that begins like the
// one typed; all of them when nothing is typed.
func namedLike(people []control.Contact, typed string) []control.Contact {
	typed = strings.ToLower(typed)
	var found []control.Contact
	for _, c := range people {
		name := strings.ToLower(c.Name + " " + c.OwnName)
		if strings.HasPrefix(name, typed) || strings.Contains(name, " "+typed) {
			found = append(found, c)
		}
	}
	return found
}
