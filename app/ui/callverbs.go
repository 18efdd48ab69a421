package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/entrenous/entrenous/app/control"
)

// talkKeys are held down to be heard, where a call asks for that.
var talkKeys = map[fyne.KeyName]bool{fyne.KeyF8: true, desktop.KeyControlRight: true}

// start calls a person, unless that makes no sense now: then it says why.
func (p *phone) start(who string) {
	c, ok := p.w.contact(who)
	if !ok {
		return
	}
	if why := p.w.mayNotCall(c); why != "" {
		p.w.toast.say(why, "")
		return
	}
	p.w.askRoute(c, func() {
		p.tell(func(ctx context.Context) (control.Call, error) { return p.w.client.Call(ctx, who) })
	})
}

// mayNotCall says why a person cannot be called now; empty when they can.
func (w *Window) mayNotCall(c control.Contact) string {
	_, speaking := w.phone.with(c.ID)
	switch {
	case c.State != control.Friend:
		return w.tr("call.notfriend")
	case speaking:
		return w.tr("call.already", c.Name)
	case c.Presence != control.Online:
		return w.tr("call.away", c.Name)
	}
	return ""
}

// tell does something with a call, in the order of the person's doing, and
// shows what became of it.
func (p *phone) tell(f func(context.Context) (control.Call, error)) {
	p.w.doInOrder(func(ctx context.Context) error {
		c, err := f(ctx)
		if err != nil {
			p.w.ui(p.read)
			return err
		}
		p.w.ui(func() {
			if p.index(c) < 0 {
				p.calls = append(p.calls, c)
				p.show()
			}
			p.update(c)
		})
		return nil
	})
}

func (p *phone) answer(id string) {
	take := func() {
		p.tell(func(ctx context.Context) (control.Call, error) { return p.w.client.Answer(ctx, id) })
	}
	if i := p.index(control.Call{ID: id}); i >= 0 {
		who := p.calls[i].Who
		p.w.openConversation(who, "")
		if c, known := p.w.contact(who); known {
			p.w.askRoute(c, take)
			return
		}
	}
	take()
}

func (p *phone) decline(id string) {
	p.tell(func(ctx context.Context) (control.Call, error) { return p.w.client.Decline(ctx, id) })
}

// write declines with a few words, which go into the conversation.
func (p *phone) write(c control.Call, words string) {
	p.decline(c.ID)
	p.w.openConversation(c.Who, "")
	p.w.doInOrder(func(ctx context.Context) error {
		_, err := p.w.client.Send(ctx, c.Who, control.NewMessage{Text: words})
		return err
	})
}

func (p *phone) hangUp(id string) {
	p.tell(func(ctx context.Context) (control.Call, error) { return p.w.client.HangUp(ctx, id) })
}

func (p *phone) edit(id string, e control.CallEdit) {
	p.tell(func(ctx context.Context) (control.Call, error) { return p.w.client.EditCall(ctx, id, e) })
}

// mute silences the microphone in the call that goes on, or no longer.
func (p *phone) mute() {
	if c, ok := p.current(); ok && !c.Answered.IsZero() {
		on := !c.Muted
		p.edit(c.ID, control.CallEdit{Muted: &on})
	}
}

// talk follows the key of push-to-talk.
func (p *phone) talk(on bool) {
	c, ok := p.current()
	if ok && c.PushToTalk && c.Talking != on {
		i := p.index(c)
		p.calls[i].Talking = on // or it would be told twice
		p.edit(c.ID, control.CallEdit{Talking: &on})
	}
}

// keyDown is for keys that count while they are held down.
func (w *Window) keyDown(e *fyne.KeyEvent) {
	if talkKeys[e.Name] {
		w.phone.talk(true)
	}
}

// keyUp ends keyDown.
func (w *Window) keyUp(e *fyne.KeyEvent) {
	if talkKeys[e.Name] {
		w.phone.talk(false)
	}
}

// keyTaps tells the call that a key clicks near the microphone.
func (p *phone) keyTaps() {
	if c, ok := p.current(); ok && c.State == control.CallActive && !c.Muted && !c.Held {
		id := c.ID
		p.w.do(func(ctx context.Context) error {
			_, _ = p.w.client.EditCall(ctx, id, control.CallEdit{Typing: true}) // nobody misses a click that is heard
			return nil
		})
	}
}

// record asks first: it is the other's voice too.
func (p *phone) record(c control.Call) {
	w, on := p.w, !c.Recording
	if !on {
		p.edit(c.ID, control.CallEdit{Recording: &on})
		return
	}
	w.confirm(w.tr("record.title"), w.tr("record.say", c.Name), w.tr("record.verb"), func() {
		p.edit(c.ID, control.CallEdit{Recording: &on})
	})
}
