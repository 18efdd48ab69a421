package ui

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/storage"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/identity"
)

// newEmptyState makes the page of somebody without friends: one invite, ready
// to be sent.
func newEmptyState(w *Window) fyne.CanvasObject {
	v := &emptyState{w: w}
	v.link = newText("", 15, 22, colorInk).mono().oneLine()
	v.copy = primaryButton(w.tr("friends.copy"), v.take)
	v.show = secondaryButton(w.tr("friends.show"), func() { w.modal(newFriends(w, false)) })
	got := secondaryButton(w.tr("friends.received"), func() { w.modal(newFriends(w, true)) })
	v.copy.Disable()
	v.root = container.New(&middle{wide: 416}, newColumn(16,
		container.NewCenter(newMark(48)),
		newColumn(8, newText(w.tr("friends.title"), 18, 26, colorInk).bold().centred(), mutedText(w.tr("friends.say")).centred()),
		newCentredRow(0, newBox(natural(v.link))),
		newCentredRow(8, v.copy, v.show, got),
	))
	v.ask()
	return v.root
}

type emptyState struct {
	w          *Window
	root       *fyne.Container
	invite     control.Invite
	link       *text
	copy, show *button
}

// ask gets an invite for one friend.
func (v *emptyState) ask() {
	v.link.set(v.w.tr("friends.making"))
	v.w.ask(func(ctx context.Context) (err error) {
		v.invite, err = v.w.client.Invite(ctx, control.NewInvite{Once: true})
		return err
	}, func(err error) {
		if err != nil {
			v.link.set(v.w.tr("friends.none"))
			v.w.fail(err)
			return
		}
		v.link.set(shortLink(v.invite.Link))
		v.copy.Enable()
		relayout(v.root)
	})
}

// take puts the link on the clipboard.
func (v *emptyState) take() {
	v.w.app.Clipboard().SetContent(v.invite.Link)
	v.copy.set(v.w.tr("friends.copied"))
	relayout(v.root)
}

// shortLink is a link as people recognise it: its beginning and its end.
func shortLink(link string) string {
	const begin, end = len("entrenous:") + 8, 4
	if len(link) <= begin+end {
		return link
	}
	return link[:begin-4] + "-" + link[begin-4:begin] + "-…-" + link[len(link)-end:]
}

// friends is the card that gives an invite, or takes one.
type friends struct {
	w    *Window
	root *fyne.Container
	page *fyne.Container // below the choice between giving and taking

	link, name, note *entry
	wrong            *text
	fix              *button // puts the link that was meant in place of a mistyped one
	add              *button
	scan             int // counts pictures read, so that a slow one does not win
}

// newFriends makes the card; received begins with taking an invite.
func newFriends(w *Window, received bool) fyne.CanvasObject {
	v := &friends{w: w, page: newColumn(16)}
	at := 0
	if received {
		at = 1
	}
	tabs := newChoice([]string{w.tr("friends.give"), w.tr("friends.received"), w.tr("friends.nearby")}, at, v.turn)
	v.root = newSheet(460, newCard(newColumn(16,
		newHeading(w, w.tr("friends.add")),
		tabs.object(),
		v.page,
	)))
	v.turn(at)
	return v.root
}

// showAddFriend opens the card over the window.
func (w *Window) showAddFriend() { w.modal(newFriends(w, false)) }

// turn shows giving (0), taking (1), or who is nearby (2).
func (v *friends) turn(at int) {
	v.w.nearby = nil
	switch at {
	case 1:
		v.showTake()
	case 2:
		v.put(newNearbyPage(v.w, v.root).body)
	default:
		v.showGive(true)
	}
}

// showGive asks for an invite and shows it as a code and as a link.
func (v *friends) showGive(once bool) {
	w := v.w
	kind := 1
	say := w.tr("friends.address.say")
	if once {
		kind, say = 0, w.tr("friends.once.say")
	}
	kinds := newChoice([]string{w.tr("friends.once"), w.tr("friends.address")}, kind, func(i int) { v.showGive(i == 0) })
	body := newColumn(16, newColumn(8, kinds.object(), smallText(say)))
	v.put(body)
	var got control.Invite
	w.ask(func(ctx context.Context) (err error) {
		got, err = w.client.Invite(ctx, control.NewInvite{Once: once})
		return err
	}, func(err error) {
		if err != nil {
			body.Add(newText(w.sentence(err), 13, 18, colorDanger))
			relayout(v.root)
			return
		}
		v.showInvite(body, got)
	})
}

func (v *friends) showInvite(body *fyne.Container, got control.Invite) {
	w := v.w
	var done *button
	done = primaryButton(w.tr("friends.copy"), func() {
		w.app.Clipboard().SetContent(got.Link)
		done.set(w.tr("friends.copied"))
		relayout(v.root)
	})
	if code, err := newCode(got.QR, 196); err == nil {
		body.Add(newCentredRow(0, newCodeFrame(code)))
	}
	body.Add(newBox(newText(shortLink(got.Link), 14, 20, colorInk).mono().oneLine().centred()))
	if !got.Expires.IsZero() {
		body.Add(smallText(w.tr("friends.until", w.words.date(got.Expires.Local(), w.now()))).centred())
	}
	body.Add(newCentredRow(8, done))
	relayout(v.root)
	w.focus(done)
}

// showTake takes an invite that somebody sent: as a link, or as a picture.
func (v *friends) showTake() {
	w := v.w
	v.link, v.wrong = newLinkEntry("entrenous:"), newProblem()
	v.name, v.note = newEntry(w.tr("friends.name.hint")), newEntry(w.tr("friends.note.hint"))
	v.add = primaryButton(w.tr("friends.ask"), v.send)
	v.link.onEnter, v.name.onEnter, v.note.onEnter = v.send, v.send, v.send
	v.fix = secondaryButton(w.tr("link.fix"), nil)
	v.fix.Hide()
	v.link.OnChanged = func(string) { v.fix.Hide(); v.wrong.say("", v.root) }
	v.put(newColumn(16,
		newColumn(6, labelText(w.tr("friends.link")), v.link, newRow(8,
			secondaryButton(w.tr("friends.paste"), v.paste),
			secondaryButton(w.tr("friends.picture"), v.choose),
		)),
		smallText(w.tr("friends.drop")),
		labelled(w.tr("friends.name"), v.name),
		labelled(w.tr("friends.note"), v.note),
		newColumn(8, v.wrong, newRow(0, v.fix)),
		newRow(8, v.add, secondaryButton(w.tr("card.cancel"), w.closeModal)),
	))
	w.win.SetOnDropped(func(_ fyne.Position, dropped []fyne.URI) { v.dropped(dropped) })
	w.focus(v.link)
}

func (v *friends) put(body fyne.CanvasObject) {
	v.page.Objects = []fyne.CanvasObject{body}
	relayout(v.root)
}

// paste takes the link from the clipboard, with whatever stands around it.
func (v *friends) paste() {
	v.link.SetText(linkIn(v.w.app.Clipboard().Content()))
	v.w.win.Canvas().Focus(v.link)
}

// linkIn finds the invite in a text such as a whole message.
func linkIn(pasted string) string {
	i := strings.Index(strings.ToLower(pasted), "entrenous:")
	if i < 0 || len(pasted) > 64<<10 {
		return strings.TrimSpace(pasted[:min(len(pasted), 4096)])
	}
	link, _, _ := strings.Cut(strings.TrimSpace(pasted[i:]), "\n\n")
	return strings.TrimSpace(link)
}

// choose asks for a picture of a code on the disk.
func (v *friends) choose() {
	v.w.pickPicture(func(path string) {
		v.read(func() (io.ReadCloser, error) { return os.Open(path) })
	})
}

// dropped reads the first picture that was dropped on the window, while the
// card is there to take it.
func (v *friends) dropped(files []fyne.URI) {
	if len(files) == 0 || len(v.w.modals) == 0 {
		return
	}
	v.read(func() (io.ReadCloser, error) { return storage.Reader(files[0]) })
}

// read finds the code in a picture, away from Fyne's thread.
func (v *friends) read(open func() (io.ReadCloser, error)) {
	v.scan++
	turn, link := v.scan, ""
	v.wrong.say("", v.root)
	v.w.ask(func(context.Context) error {
		file, err := open()
		if err != nil {
			return err
		}
		defer file.Close()
		link, err = readCode(file)
		return err
	}, func(err error) {
		if turn != v.scan {
			return
		}
		if err != nil {
			v.wrong.say(v.w.pictureMistake(err), v.root)
			return
		}
		v.link.SetText(link)
	})
}

func (w *Window) pictureMistake(err error) string {
	switch {
	case errors.Is(err, errTooLarge):
		return w.tr("picture.large")
	case errors.Is(err, errNoCode):
		return w.tr("picture.none")
	}
	return w.tr("picture.other")
}

// send asks the person behind the link to become a friend.
func (v *friends) send() {
	w, link := v.w, strings.TrimSpace(v.link.Text)
	if _, err := identity.ParseInvite(link); err != nil {
		v.offerFix(err)
		v.wrong.say(w.linkMistake(err), v.root)
		w.win.Canvas().Focus(v.link)
		return
	}
	n := control.NewContact{Link: link, Name: strings.TrimSpace(v.name.Text), Note: strings.TrimSpace(v.note.Text)}
	var added control.Contact
	v.add.Disable()
	w.ask(func(ctx context.Context) (err error) {
		added, err = w.client.Add(ctx, n)
		return err
	}, func(err error) {
		v.add.Enable()
		if err != nil {
			v.wrong.say(w.sentence(err), v.root)
			return
		}
		w.closeModal()
		if _, known := w.contact(added.ID); !known {
			w.contacts = append([]control.Contact{added}, w.contacts...)
		}
		w.readContacts()
		w.openConversation(added.ID, "")
	})
}

// offerFix offers the link that was probably meant.
func (v *friends) offerFix(err error) {
	var mistake *identity.InviteError
	v.fix.Hidden = !errors.As(err, &mistake) || mistake.Suggest == ""
	if !v.fix.Hidden {
		v.fix.tap = func() { v.link.SetText(mistake.Suggest) }
	}
}

// linkMistake says what is wrong with a link and what to do about it.
func (w *Window) linkMistake(err error) string {
	var mistake *identity.InviteError
	f := &control.Failure{Code: control.CodeInvalid, Reason: "link." + identity.PartContent}
	if errors.As(err, &mistake) {
		f.Reason, f.Args = control.LinkReason(mistake.Part, mistake.Position)
	}
	return w.sentence(f)
}
