package node

import (
	"time"

	"github.com/entrenous/entrenous/app/call"
)

// TearTape makes the file of a call's recording one that nothing can be written to.
func (n *Node) TearTape(id call.ID) error {
	p := n.phone(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tape.Close()
}

// UntilPing is how long a link waits for its next ping.
func UntilPing(now time.Time) time.Duration { return untilPing(now) }
