package ui

import (
	"context"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// echo returns, in dB, from which on friends do not hear themselves, and from
// which on only faintly.
const (
	echoGood = 30
	echoFair = 15
)

// A soundTest is the card that hears whether this machine can call.
type soundTest struct {
	w    *Window
	root *fyne.Container
	body *fyne.Container
}

// showSoundTest opens the card.
func (w *Window) showSoundTest() {
	t := &soundTest{w: w, body: newColumn(20)}
	t.root = newSheet(440, newCard(newColumn(20, newHeading(w, w.tr("test.title")), t.body)))
	t.fill(mutedText(w.tr("test.say")), newRow(8, primaryButton(w.tr("test.begin"), t.begin)))
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
	t.fill(now, newRow(8, busy))
	var r control.EchoReport
	w.ask(func(ctx context.Context) (err error) {
		r, err = w.client.FollowTest(ctx, func(step string) {
			w.ui(func() { now.set(w.stepWords(step)); relayout(t.root) })
		})
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
		for _, s := range w.testWords(r) {
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

// testWords are the findings, one sentence each: the echo, the voice, the way.
func (w *Window) testWords(r control.EchoReport) []string {
	all := []string{w.echoWords(r), w.voiceWords(r)}
	if word := w.soundsWord(r.Quality); word != "" && r.MouthToEar > 0 {
		all = append(all, w.tr("test.way", int(math.Round(r.MouthToEar)), word))
	}
	return all
}

func (w *Window) echoWords(r control.EchoReport) string {
	db := int(math.Round(math.Abs(r.Echo)))
	switch {
	case !r.Heard:
		return w.tr("test.echo.none")
	case db >= echoGood:
		return w.tr("test.echo.good", db)
	case db >= echoFair:
		return w.tr("test.echo.fair", db)
	}
	return w.tr("test.echo.bad", db)
}

// Levels of a voice and of a room, in dBFS.
const (
	voiceSilent = -60
	voiceQuiet  = -40
	voiceLoud   = -3
	roomNoisy   = -45
)

func (w *Window) voiceWords(r control.EchoReport) string {
	switch {
	case r.Voice < voiceSilent:
		return w.tr("test.silent")
	case r.Voice < voiceQuiet:
		return w.tr("test.quiet")
	case r.Voice > voiceLoud:
		return w.tr("test.loud")
	case r.Noise > roomNoisy:
		return w.tr("test.noisy")
	}
	return w.tr("test.fine")
}
