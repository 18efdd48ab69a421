package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// A soundTest is the card that hears whether this machine can call.
type soundTest struct {
	w    *Window
	who  *control.Contact // whose machine takes part, nil for none
	root *fyne.Container
	body *fyne.Container
}

// showSoundTest opens the card, for this machine alone or with a friend's.
func (w *Window) showSoundTest(who *control.Contact) {
	t := &soundTest{w: w, who: who, body: newColumn(20)}
	title, say := w.tr("test.title"), w.tr("test.say")
	if who != nil {
		title, say = w.tr("test.with", who.Name), w.tr("test.with.say", who.Name)
	}
	t.root = newSheet(440, newCard(newColumn(20, newHeading(w, title), t.body)))
	t.fill(mutedText(say), newRow(8, primaryButton(w.tr("test.begin"), t.begin)))
	w.modal(t.root)
}

func (t *soundTest) fill(objs ...fyne.CanvasObject) {
	t.body.Objects = objs
	if t.root != nil {
		relayout(t.root)
	}
}

// begin runs the test; it takes some seconds.
func (t *soundTest) begin() {
	w := t.w
	busy := widget.NewActivity()
	busy.Start()
	now := bodyText(w.tr("test.step.listen"))
	if t.who != nil {
		now.set(w.tr("test.step.ask", t.who.Name))
	}
	t.fill(now, newRow(8, busy))
	var r control.EchoReport
	step := func(step string) {
		w.ui(func() { now.set(w.stepWords(step)); relayout(t.root) })
	}
	w.ask(func(ctx context.Context) (err error) {
		if t.who != nil {
			r, err = w.client.FollowTestWith(ctx, t.who.ID, step)
			return err
		}
		r, err = w.client.FollowTest(ctx, step)
		return err
	}, func(err error) {
		busy.Stop()
		again := newRow(8, secondaryButton(w.tr("test.again"), t.begin))
		if err != nil {
			t.fill(newText(w.sentence(err), 14, 20, colorWarn), again)
			return
		}
		verdict := headText(w.tr("test.good")).coloured(colorGood)
		if !r.Good {
			verdict = headText(w.tr("test.bad")).coloured(colorWarn)
		}
		lines := newColumn(8, verdict)
		for _, s := range r.Sentences(w.tr) {
			lines.Add(bodyText(s))
		}
		t.fill(lines, again)
	})
}

// stepWords say what happens now, and what to do.
func (w *Window) stepWords(step string) string {
	switch step {
	case "speak", "playback":
		return w.tr("test.step." + step)
	}
	return w.tr("test.step.listen")
}
