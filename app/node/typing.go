package node

import (
	"sync"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/identity"
)

// typingLife is how long a typing notice holds without another one.
const typingLife = 6 * time.Second

// typing remembers who writes to us.
type typing struct {
	mu    sync.Mutex
	until map[identity.ID]time.Time
	ends  map[identity.ID]*time.Timer // one a person, however often they tell
}

func (t *typing) is(id identity.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Now().Before(t.until[id])
}

func (t *typing) set(id identity.ID, on bool) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until == nil {
		t.until = map[identity.ID]time.Time{}
	}
	was := time.Now().Before(t.until[id])
	delete(t.until, id)
	if on {
		t.until[id] = time.Now().Add(typingLife)
	}
	return was != on
}

// expire calls over when a notice has held for its time without another one.
func (t *typing) expire(id identity.ID, over func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.ends[id]; old != nil {
		old.Stop()
	}
	if t.ends == nil {
		t.ends = map[identity.ID]*time.Timer{}
	}
	t.ends[id] = time.AfterFunc(typingLife+time.Millisecond, func() {
		if !t.is(id) {
			over()
		}
	})
}

// stop lets no notice expire any more.
func (t *typing) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, timer := range t.ends {
		timer.Stop()
	}
}

// Typing tells a friend that we are writing; at most every other second is
// enough, it holds for six.
func (n *Node) Typing(who identity.ID, on bool) {
	if !n.settings().SendTyping {
		return
	}
	for _, l := range n.links.of(who) {
		if !l.guest.Load() {
			l.send(chat.TypingFrame{Conv: chat.Direct(n.me.id, who), On: on})
		}
	}
}

func (n *Node) heardTyping(l *link, f chat.TypingFrame) {
	who, ok := n.participant(l, f.Conv)
	if !ok || l.own() {
		return
	}
	if n.typing.set(who, f.On) {
		n.changes.tell(Change{Topic: TopicTyping, Who: who, State: onOff(f.On)})
	}
	if f.On {
		n.typing.expire(who, func() { n.changes.tell(Change{Topic: TopicTyping, Who: who, State: onOff(false)}) })
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
