package ui

import "github.com/entrenous/entrenous/app/control"

// toNewest goes to the end of the conversation.
func (t *timeline) toNewest() {
	if !t.later {
		t.reel.toEnd()
		return
	}
	t.around("", func() {
		t.reel.toEnd()
		t.scrolled()
	})
}

// jump shows a message, wherever it is, and marks it for a moment.
func (t *timeline) jump(id string) {
	if id == "" {
		return
	}
	if t.has(id) {
		t.mark(id)
		return
	}
	t.around(id, func() { t.mark(id) })
}

func (t *timeline) mark(id string) {
	t.hit = id
	t.reel.reveal(id)
	t.repaint(id)
	t.w.after(hitTime, func() {
		if t.hit == id {
			t.hit = ""
			t.repaint(id)
		}
	})
}

// around reads the rows about a message, of none the newest ones, and shows
// them instead of the present ones.
func (t *timeline) around(id string, then func()) {
	t.turn++ // what was asked for the present rows is dropped
	t.loading = make(map[int]bool)
	fresh := t.fresh
	t.ask(control.PageQuery{Limit: pageRows, Around: id}, func(p control.Page) {
		came := t.fresh != fresh
		t.rows, t.earlier, t.later = p.Rows, p.Earlier, p.Later
		t.reel.set(nil)
		t.build()
		then()
		if came && !t.later {
			t.newest() // it came while we asked, and may not be among them
		}
	})
}
