package ui

import "fyne.io/fyne/v2"

// choice is one of a few, all of them visible: the chosen one stands on the
// accent's soft ground.
type choice struct {
	buttons []*button
	at      int
	changed func(int)
}

// newChoice makes a choice among options with one of them chosen.
func newChoice(options []string, at int, changed func(int)) *choice {
	c := &choice{at: at, changed: changed}
	for i, words := range options {
		c.buttons = append(c.buttons, secondaryButton(words, func() { c.choose(i) }))
	}
	c.show()
	return c
}

// object is the choice on the canvas.
func (c *choice) object() fyne.CanvasObject {
	objs := make([]fyne.CanvasObject, len(c.buttons))
	for i, b := range c.buttons {
		objs[i] = b
	}
	return newRow(6, objs...)
}

func (c *choice) choose(i int) {
	if i == c.at {
		return
	}
	c.at = i
	c.show()
	if c.changed != nil {
		c.changed(i)
	}
}

func (c *choice) show() {
	for i, b := range c.buttons {
		b.kind = secondary
		if i == c.at {
			b.kind = chosen
		}
		b.Refresh()
	}
}
