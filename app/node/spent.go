package node

import (
	"sync"

	"github.com/entrenous/entrenous/identity"
)

// spent remembers by whose invites nobody can be met any more: who made it says
// that it was used or has expired. It is asked again all the same, for their
// clock may have been wrong.
type spent struct {
	mu  sync.Mutex
	who map[identity.ID]bool
}

func (s *spent) is(id identity.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who[id]
}

// set says whether that is news.
func (s *spent) set(id identity.ID, is bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.who[id] == is {
		return false
	}
	if s.who == nil {
		s.who = map[identity.ID]bool{}
	}
	if is {
		s.who[id] = true
	} else {
		delete(s.who, id)
	}
	return true
}

// inviteSpent keeps what became of the invite by which we ask a person, and
// tells viewers.
func (n *Node) inviteSpent(id identity.ID, is bool) {
	if n.spent.set(id, is) {
		n.changes.tell(Change{Topic: TopicContact, Who: id})
	}
}
