package node

import (
	"context"
	"time"

	"github.com/entrenous/entrenous/app/chat"
)

// doubt notices that a friend says nothing after something was sent. It belongs
// to the writer of a link.
type doubt struct {
	timer *time.Timer
	asked time.Time // when the first thing was sent that nothing came after; zero: nothing
}

func newDoubt() *doubt {
	d := &doubt{timer: time.NewTimer(answerTime)}
	d.timer.Stop()
	return d
}

// asks notes that f goes out, if it is answered. What is not, such as the
// answer to a ping, says nothing about a friend who is silent after it.
func (d *doubt) asks(f chat.Frame) {
	switch f.(type) {
	case chat.Ping, chat.CallFrame:
		d.sent()
	}
}

// sent notes that something went out that is answered.
func (d *doubt) sent() {
	if d.asked.IsZero() {
		d.asked = time.Now()
		d.timer.Reset(answerTime)
	}
}

// settle looks, when time is up, whether anything came; if not, whether the
// connection still works. One that does not is closed, which ends the link.
func (d *doubt) settle(ctx context.Context, l *link) {
	asked := d.asked
	d.asked = time.Time{}
	if l.heard.Load() < asked.UnixNano() {
		l.n.work.run(func() { l.n.host.Suspect(ctx, l.peer) })
	}
}
