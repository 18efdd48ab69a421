package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
)

// withTheme runs f with our theme and no window.
func withTheme(t *testing.T) {
	t.Helper()
	app := test.NewApp()
	t.Cleanup(app.Quit)
	app.Settings().SetTheme(&Theme{Appearance: "light"})
}

func TestAButtonIsPressedByPointerAndByKeys(t *testing.T) {
	withTheme(t)
	pressed := 0
	b := primaryButton("Begin", func() { pressed++ })
	test.Tap(b)
	for _, k := range []fyne.KeyName{fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter, fyne.KeyA} {
		b.TypedKey(&fyne.KeyEvent{Name: k})
	}
	b.TypedRune(' ')
	if pressed != 4 {
		t.Errorf("pressed %d times, not 4", pressed)
	}
	b.Disable()
	test.Tap(b)
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if pressed != 4 {
		t.Error("a button that is off was pressed")
	}
}

func TestAButtonShowsWhatHappensToIt(t *testing.T) {
	withTheme(t)
	b := secondaryButton("Later", nil)
	b.Resize(b.MinSize())
	r := test.WidgetRenderer(b).(*buttonRenderer)
	b.FocusGained()
	if r.ring.StrokeWidth == 0 {
		t.Error("the keyboard is here and no ring says so")
	}
	b.FocusLost()
	if r.ring.StrokeWidth != 0 {
		t.Error("the ring stays")
	}
	b.MouseIn(&desktop.MouseEvent{})
	b.MouseMoved(&desktop.MouseEvent{})
	if r.shade.surface != theme.Color(colorHover) {
		t.Error("it does not light up under the pointer")
	}
	b.MouseDown(&desktop.MouseEvent{})
	if r.shade.surface != theme.Color(theme.ColorNamePressed) {
		t.Error("it does not feel the press")
	}
	b.MouseUp(&desktop.MouseEvent{})
	b.MouseOut()
	if b.Cursor() != desktop.PointerCursor {
		t.Error("no hand over a button")
	}
	b.Disable()
	if b.Cursor() != desktop.DefaultCursor || r.label.Color != theme.Color(theme.ColorNameDisabled) {
		t.Error("it does not look off")
	}
}

func TestAnIconSaysWhatItDoes(t *testing.T) {
	withTheme(t)
	b := iconButton(quiet, theme.CancelIcon(), "Close", nil)
	if b.AccessibilityLabel() != "Close" || b.AccessibilityRole() != fyne.AccessibleRoleButton {
		t.Errorf("it says %q", b.AccessibilityLabel())
	}
	if b.MinSize() != fyne.NewSquareSize(36) {
		t.Errorf("it is %v", b.MinSize())
	}
	b.words = "Close it"
	if b.MinSize().Width <= 36 {
		t.Error("there is no room for the words")
	}
}

func TestButtonsGrowWithTheText(t *testing.T) {
	withTheme(t)
	small := primaryButton("Begin", nil).MinSize()
	fyne.CurrentApp().Settings().SetTheme(&Theme{TextSize: 1.6})
	if big := primaryButton("Begin", nil).MinSize(); big.Height <= small.Height || big.Width <= small.Width {
		t.Errorf("%v is not more than %v", big, small)
	}
}

func TestASwitchTurns(t *testing.T) {
	withTheme(t)
	var said []bool
	s := newToggle("Mute", "No notifications from this conversation, and no badge on the icon", true, func(on bool) { said = append(said, on) })
	s.Resize(fyne.NewSize(240, s.heightFor(240)))
	r := test.WidgetRenderer(s).(*toggleRenderer)
	right := r.knob.Position().X
	test.Tap(s)
	s.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	s.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	s.TypedRune(' ')
	if len(said) != 3 || said[0] || !said[1] || said[2] || s.on {
		t.Errorf("it said %v", said)
	}
	if r.knob.Position().X >= right {
		t.Error("the knob did not move to the left")
	}
	s.MouseIn(nil)
	s.FocusGained()
	if r.ring.Hidden || r.track.StrokeColor != theme.Color(colorInk) {
		t.Error("neither the keyboard nor the pointer can be seen on it")
	}
	s.MouseOut()
	s.FocusLost()
	if s.AccessibilityLabel() != "Mute" || s.AccessibilityRole() != fyne.AccessibleRoleButton {
		t.Errorf("it says %q", s.AccessibilityLabel())
	}
	if least := s.MinSize(); least.Height < 20+2*18 {
		t.Errorf("its explanation has no room in %v", least)
	}
}

func TestOneOfAChoiceIsOn(t *testing.T) {
	withTheme(t)
	var at []int
	c := newChoice([]string{"Light", "Dark"}, 1, func(i int) { at = append(at, i) })
	test.Tap(c.buttons[1])
	test.Tap(c.buttons[0])
	if len(at) != 1 || at[0] != 0 || c.buttons[0].kind != chosen || c.buttons[1].kind != secondary {
		t.Errorf("changed to %v, and the buttons are %v and %v", at, c.buttons[0].kind, c.buttons[1].kind)
	}
}

func TestLinesOfAListArePressedAndWalked(t *testing.T) {
	withTheme(t)
	var did []string
	one := newItem(theme.DownloadIcon(), "Save", func() { did = append(did, "save") })
	two := newDangerItem(theme.DeleteIcon(), "Remove", func() { did = append(did, "remove") })
	win := test.NewWindow(newColumn(2, one, two))
	defer win.Close()
	win.Resize(fyne.NewSize(300, 200))
	c := win.Canvas()
	c.Focus(one)
	one.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	if c.Focused() != two {
		t.Error("Down did not go down")
	}
	two.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	two.TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
	if c.Focused() != one {
		t.Error("Up did not go up")
	}
	test.Tap(one)
	one.TypedRune('x')
	if len(did) != 2 || did[0] != "remove" || did[1] != "save" {
		t.Errorf("did %v", did)
	}
	r := test.WidgetRenderer(two).(*itemRenderer)
	two.MouseIn(nil)
	if r.ground.FillColor != theme.Color(colorHover) {
		t.Error("it does not light up")
	}
	two.MouseOut()
	if two.label.color != colorDanger || two.Cursor() != desktop.PointerCursor || two.AccessibilityLabel() != "Remove" || two.AccessibilityRole() != fyne.AccessibleRoleButton {
		t.Error("it does not say that it removes")
	}
}

func TestTabLeavesAnEntryOfSeveralLines(t *testing.T) {
	withTheme(t)
	e := newTextEntry("", 3)
	if e.AcceptsTab() {
		t.Error("Tab would be written")
	}
	link, sent := newLinkEntry(""), 0
	link.onEnter = func() { sent++ }
	link.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if sent != 1 || link.Text != "" {
		t.Errorf("Enter sent %d times and wrote %q", sent, link.Text)
	}
}

func TestACardTellsItsHeight(t *testing.T) {
	withTheme(t)
	c := newCard(newColumn(16, titleText("Between us"), mutedText("Messages and calls go straight to your friends. No account, no server, nobody in between."), newRow(8, primaryButton("Begin", nil), secondaryButton("I have my 24 words", nil))))
	high := c.heightFor(460)
	if want := float32(32 + 30 + 16 + 40 + 16 + 36 + 32); high != want {
		t.Errorf("a card of 460 is %v high, not %v", high, want)
	}
	if narrow := c.heightFor(220); narrow <= high+36 {
		t.Errorf("a card of 220 is %v high: the buttons did not go under each other", narrow)
	}
}

func TestASheetStaysInTheWindow(t *testing.T) {
	withTheme(t)
	long := newColumn(8)
	for range 60 {
		long.Add(bodyText("one line of many"))
	}
	for _, page := range []*fyne.Container{newSheet(460, newCard(long)), newMarkedSheet(460, newCard(long))} {
		page.Resize(fyne.NewSize(400, 300))
		for _, o := range page.Objects {
			if at, s := o.Position(), o.Size(); at.X < 0 || at.Y < 0 || at.X+s.Width > 400 || at.Y+s.Height > 300 {
				t.Errorf("%T is at %v with %v", o, at, s)
			}
		}
	}
}

func TestThingsSideBySideGoToTheNextLine(t *testing.T) {
	withTheme(t)
	block := func() fyne.CanvasObject {
		r := canvas.NewRectangle(nil)
		r.SetMinSize(fyne.NewSize(40, 10))
		return r
	}
	line := newCentredRow(5, block(), block(), block())
	line.Resize(fyne.NewSize(100, 25))
	var at []fyne.Position
	for _, o := range line.Objects {
		at = append(at, o.Position())
	}
	want := []fyne.Position{{X: 7.5}, {X: 52.5}, {X: 30, Y: 15}}
	for i := range want {
		if at[i] != want[i] {
			t.Errorf("number %d is at %v, not %v", i, at[i], want[i])
		}
	}
	if h := heightFor(line, 100); h != 25 {
		t.Errorf("two lines are %v high", h)
	}
	if m := line.MinSize(); m.Width != 40 || m.Height != 25 {
		t.Errorf("it needs %v", m)
	}
}
