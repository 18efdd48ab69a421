package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// buttonKind says how much a button asks for attention.
type buttonKind int

const (
	secondary buttonKind = iota // the other things one can do
	primary                     // the next step; one a card
	danger                      // hangs up, deletes, blocks
	quiet                       // no ground until the pointer is over it
	chosen                      // what is on among several
)

// button is a word or an icon that does something: 36 high, radius 10. It is
// reached with Tab and pressed with Space or Enter; the ring shows where the
// keyboard is.
type button struct {
	widget.DisableableWidget

	words string
	icon  fyne.Resource
	kind  buttonKind
	hint  string // what an icon means, for a screen reader
	tap   func()

	refused func() // says why, when it is pressed while it can do nothing; nil for silence

	over, focused, down bool
}

var (
	_ fyne.Focusable     = (*button)(nil)
	_ fyne.Accessible    = (*button)(nil)
	_ desktop.Hoverable  = (*button)(nil)
	_ desktop.Mouseable  = (*button)(nil)
	_ desktop.Cursorable = (*button)(nil)
)

func newButton(kind buttonKind, words string, tap func()) *button {
	b := &button{words: words, kind: kind, tap: tap}
	b.ExtendBaseWidget(b)
	return b
}

func primaryButton(words string, tap func()) *button   { return newButton(primary, words, tap) }
func secondaryButton(words string, tap func()) *button { return newButton(secondary, words, tap) }
func dangerButton(words string, tap func()) *button    { return newButton(danger, words, tap) }

// iconButton is 36 by 36; hint says in words what the icon does.
func iconButton(kind buttonKind, icon fyne.Resource, hint string, tap func()) *button {
	b := newButton(kind, "", tap)
	b.icon, b.hint = icon, hint
	return b
}

// set changes the words.
func (b *button) set(words string) {
	if b.words == words {
		return
	}
	b.words = words
	b.Refresh()
}

// AccessibilityLabel gives the button's meaning to a screen reader.
func (b *button) AccessibilityLabel() string {
	if b.words != "" {
		return b.words
	}
	return b.hint
}

// AccessibilityRole says that this is a button.
func (b *button) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// Tapped presses the button.
func (b *button) Tapped(*fyne.PointEvent) {
	switch {
	case b.Disabled() && b.refused != nil:
		b.refused()
	case !b.Disabled() && b.tap != nil:
		b.tap()
	}
}

// TypedKey presses the button by keyboard.
func (b *button) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		b.Tapped(nil)
	default:
		passKey(b, e)
	}
}

// TypedRune does nothing: Space comes as a key too.
func (b *button) TypedRune(rune) {}

// FocusGained shows the ring.
func (b *button) FocusGained() { b.focused = true; b.Refresh(); bringInSight(b) }

// FocusLost hides the ring.
func (b *button) FocusLost() { b.focused = false; b.Refresh() }

// MouseIn lights the button up.
func (b *button) MouseIn(*desktop.MouseEvent) { b.over = true; b.Refresh() }

// MouseMoved does nothing.
func (b *button) MouseMoved(*desktop.MouseEvent) {}

// MouseOut puts the light out.
func (b *button) MouseOut() { b.over, b.down = false, false; b.Refresh() }

// MouseDown shows that the press was felt.
func (b *button) MouseDown(*desktop.MouseEvent) { b.down = true; b.Refresh() }

// MouseUp ends the press.
func (b *button) MouseUp(*desktop.MouseEvent) { b.down = false; b.Refresh() }

// Cursor is a hand, because a button can be pressed.
func (b *button) Cursor() desktop.Cursor {
	if b.Disabled() {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// CreateRenderer is for Fyne.
func (b *button) CreateRenderer() fyne.WidgetRenderer {
	r := &buttonRenderer{
		button: b,
		ground: newSlab(10),
		shade:  newSlab(10),
		ring:   canvas.NewRectangle(color.Transparent),
		label:  &canvas.Text{},
		icon:   &canvas.Image{FillMode: canvas.ImageFillContain},
	}
	r.paint()
	return r
}

type buttonRenderer struct {
	button        *button
	ground, shade *slab
	ring          *canvas.Rectangle
	label         *canvas.Text
	icon          *canvas.Image
}

func (r *buttonRenderer) Destroy() {}

func (r *buttonRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground.Shader, r.shade.Shader, r.icon, r.label, r.ring}
}

func (r *buttonRenderer) pad() float32 {
	if r.button.kind == primary || r.button.kind == danger {
		return 16
	}
	return 12
}

const buttonIcon = 18 // points, before the text size

func (r *buttonRenderer) MinSize() fyne.Size {
	high := 36 * textScale()
	if r.button.words == "" {
		return fyne.NewSize(high, high)
	}
	w := r.label.MinSize().Width + 2*r.pad()
	if r.button.icon != nil {
		w += buttonIcon*textScale() + 6
	}
	return fyne.NewSize(w, high)
}

func (r *buttonRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.shade.Resize(size)
	r.ring.Move(fyne.NewPos(1, 1))
	r.ring.Resize(size.SubtractWidthHeight(2, 2).Max(fyne.Size{})) // a button may have no room yet
	side := buttonIcon * textScale()
	text := r.label.MinSize()
	whole := text.Width
	if r.button.icon != nil {
		whole = side
		if r.button.words != "" {
			whole += 6 + text.Width
		}
	}
	x := (size.Width - whole) / 2
	if r.button.icon != nil {
		r.icon.Move(fyne.NewPos(x, (size.Height-side)/2))
		r.icon.Resize(fyne.NewSquareSize(side))
		x += side + 6
	}
	r.label.Move(fyne.NewPos(x, (size.Height-text.Height)/2))
	r.label.Resize(text)
}

func (r *buttonRenderer) Refresh() {
	r.paint()
	r.Layout(r.button.Size())
	canvas.Refresh(r.button)
}

// paint gives every part its colour for the state the button is in.
func (r *buttonRenderer) paint() {
	b := r.button
	ground, ink := b.colours()
	if b.Disabled() {
		ink = theme.ColorNameDisabled
		if b.kind != quiet {
			ground = theme.ColorNameDisabledButton
		}
	}
	colour := func(n fyne.ThemeColorName) color.Color {
		if n == "" {
			return color.Transparent
		}
		return theme.ColorForWidget(n, b)
	}
	shade := fyne.ThemeColorName("")
	switch {
	case b.Disabled():
	case b.down:
		shade = theme.ColorNamePressed
	case b.over:
		shade = colorHover
	}
	r.ground.paint(colour(ground), color.Transparent)
	r.shade.paint(colour(shade), color.Transparent)
	r.ring.StrokeColor, r.ring.CornerRadius, r.ring.StrokeWidth = color.Transparent, 9, 0
	if b.focused {
		r.ring.StrokeWidth = 2
		r.ring.StrokeColor = colour(colorAccent)
		if b.kind == primary || b.kind == danger {
			r.ring.StrokeColor = colour(ink)
		}
	}
	r.label.Text, r.label.TextSize = b.words, bodySize*textScale()
	r.label.TextStyle = fyne.TextStyle{Bold: b.kind == primary || b.kind == danger}
	r.label.Color = colour(ink)
	r.icon.Hidden = b.icon == nil
	if b.icon != nil {
		r.icon.Resource = theme.NewColoredResource(b.icon, ink)
		r.icon.Refresh()
	}
}

// colours of the ground and of what stands on it.
func (b *button) colours() (ground, ink fyne.ThemeColorName) {
	switch b.kind {
	case primary:
		return colorAccent, colorOnAccent
	case danger:
		return colorDanger, colorOnDanger
	case quiet:
		return "", colorInk
	case chosen:
		return colorSoft, colorAccent
	}
	return colorPill, colorInk
}
