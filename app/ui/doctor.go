package ui

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/entrenous/entrenous/app/control"
)

// showDoctor opens the card that says what is wrong with the connection, if
// anything, and what to do about it.
func (w *Window) showDoctor() {
	page := newColumn(16)
	again := secondaryButton(w.tr("doctor.again"), nil)
	root := newSheet(520, newCard(newColumn(20,
		newHeading(w, w.tr("doctor.title")), page,
		newRow(8, again),
	)))
	look := func() {
		again.Disable()
		page.Objects = []fyne.CanvasObject{mutedText(w.tr("doctor.looking"))}
		relayout(root)
		var found []control.Finding
		w.ask(func(ctx context.Context) (err error) {
			found, err = w.client.Doctor(ctx)
			return err
		}, func(err error) {
			again.Enable()
			if err != nil {
				page.Objects = []fyne.CanvasObject{newText(w.sentence(err), 13, 18, colorDanger)}
				relayout(root)
				return
			}
			page.Objects = findings(w, found)
			relayout(root)
		})
	}
	again.tap = look
	w.modal(root)
	w.focus(again)
	look()
}

// findings shows what needs care first.
func findings(w *Window, found []control.Finding) []fyne.CanvasObject {
	if len(found) == 0 {
		return []fyne.CanvasObject{mutedText(w.tr("doctor.nothing"))}
	}
	var objs []fyne.CanvasObject
	for _, state := range []string{"bad", "warn", "good"} {
		for _, f := range found {
			if f.State == state {
				objs = append(objs, newFinding(w.lookedAt(f.What), w.inWords(f)))
			}
		}
	}
	return objs
}

// lookedAt names what the doctor looked at. Words of a newer node stand as
// they are.
func (w *Window) lookedAt(what string) string {
	for _, kind := range []string{"friend:", "relay:"} {
		if name, ok := strings.CutPrefix(what, kind); ok {
			return name
		}
	}
	if name, ok := w.words.table["doctor.what."+what]; ok {
		return name
	}
	return what
}

// inWords gives a finding in the window's language. What a newer node found
// stands as it says it.
func (w *Window) inWords(f control.Finding) control.Finding {
	args := make([]any, len(f.Args))
	for i, a := range f.Args {
		args[i] = a
		if t, err := time.Parse(time.RFC3339, a); err == nil {
			args[i] = w.words.ago(t.Local(), w.now())
		}
	}
	if _, ok := w.words.table["doctor.say."+f.Code]; !ok {
		return f
	}
	f.Say, f.Do = w.tr("doctor.say."+f.Code, args...), ""
	if _, ok := w.words.table["doctor.do."+f.Code]; ok {
		f.Do = w.tr("doctor.do."+f.Code, args...)
	}
	return f
}

// finding is one thing looked at: a dot for how it is, a sentence, a step.
type finding struct {
	widget.BaseWidget
	ink  fyne.ThemeColorName
	body *fyne.Container
}

func newFinding(what string, f control.Finding) *finding {
	v := &finding{ink: colorGood}
	switch f.State {
	case "warn":
		v.ink = colorWarn
	case "bad":
		v.ink = colorDanger
	}
	v.body = newColumn(2, newText(what, 14, 20, colorInk).bold(), mutedText(f.Say))
	if f.Do != "" {
		v.body.Add(newText(f.Do, 14, 20, colorAccent))
	}
	v.ExtendBaseWidget(v)
	return v
}

// findingIndent is the room of the dot.
const findingIndent = 22

func (v *finding) heightFor(width float32) float32 { return heightFor(v.body, width-findingIndent) }

// CreateRenderer is for Fyne.
func (v *finding) CreateRenderer() fyne.WidgetRenderer {
	return &findingRenderer{v: v, dot: canvas.NewCircle(theme.Color(v.ink))}
}

type findingRenderer struct {
	v   *finding
	dot *canvas.Circle
}

func (r *findingRenderer) Destroy() {}
func (r *findingRenderer) MinSize() fyne.Size {
	return r.v.body.MinSize().AddWidthHeight(findingIndent, 0)
}
func (r *findingRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.dot, r.v.body} }

func (r *findingRenderer) Layout(size fyne.Size) {
	place(r.dot, fyne.NewPos(1, (scaled(20)-10)/2), 10)
	r.v.body.Move(fyne.NewPos(findingIndent, 0))
	r.v.body.Resize(size.SubtractWidthHeight(findingIndent, 0))
}

func (r *findingRenderer) Refresh() {
	r.dot.FillColor = theme.Color(r.v.ink)
	canvas.Refresh(r.v)
}
