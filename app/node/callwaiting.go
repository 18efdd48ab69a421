package node

import (
	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/identity"
)

// beep lets the call that is heard here tell that somebody else calls: the one
// that goes on, else one on hold. Of people who are muted nothing is heard.
func (n *Node) beep() {
	muted := n.known().contacts
	n.calls.mu.Lock()
	defer n.calls.mu.Unlock()
	var waits bool
	var heard call.ID
	held := true
	for _, c := range n.calls.book.Calls() {
		switch {
		case !c.Live():
		case c.State == call.Ringing && c.Waiting:
			waits = !muted[identity.ID(c.Person)].Muted
		case !c.Answered.IsZero() && held:
			heard, held = c.ID, c.Held
		}
	}
	for id, p := range n.calls.phones {
		p.beep(waits && id == heard)
	}
}

func (p *phone) beep(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engine != nil {
		p.engine.CallWaiting(on)
	}
}
