package node

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
	"github.com/entrenous/entrenous/transport/noise"
)

const (
	liveProtocol = "/entrenous/live/1"

	// pingEvery keeps a silent link alive: about 85 bytes a second in all.
	pingEvery = 6 * time.Second
	// early is by how much a timer may run ahead of the wall clock.
	early = 50 * time.Millisecond
	// silence is how long a living peer may say nothing: one ping and a good part
	// of the next. With the grace below a dead friend is away within 10 s.
	silence = 9 * time.Second
	// grace is how long a lost link may be replaced before its person is away.
	grace = 300 * time.Millisecond
	// freshFor is the age at which a link is replaced by a new handshake.
	freshFor = time.Hour
	// goodLink is how long a link must have stood to be dialled again at once.
	goodLink = 3 * time.Second
	// crossing is how far apart two links may begin that are dialled at once.
	crossing = 3 * time.Second
	// answerTime is how long a friend may take to say anything after something was
	// sent; then we look whether the connection still works.
	answerTime = 1200 * time.Millisecond
	// partingTime is how long a node that ends waits for the other ends of its
	// links to hear the last that it says.
	partingTime = 500 * time.Millisecond
	// outbox is how many small frames may wait for a slow peer.
	outbox = 512

	// greetingFrames is how many frames a greeting has for a conversation, and
	// room for as many devices as people have.
	greetingFrames = 16

	bootSize = 16
)

// newBoot is a number for this run of the process.
func newBoot() (b [bootSize]byte) {
	rand.Read(b[:])
	return b
}

// roomFor is how many frames may wait for a device of a person: an own one is
// greeted with keys, frontier, receipts and marks of every conversation at once.
func (n *Node) roomFor(person identity.ID) int {
	if person != n.me.id {
		return outbox
	}
	return outbox + greetingFrames*len(n.known().convs)
}

// link is a live channel to one device. Its reader is the goroutine that runs
// it; its writer is the only one that sends.
type link struct {
	n       *Node
	ch      *noise.Channel
	peer    transport.Peer
	relayed bool // it was opened through a relay
	person  identity.ID
	device  identity.DeviceID
	boot    string      // the other end's run
	once    *[16]byte   // the one-time invite a guest came with
	guest   atomic.Bool // not a friend: may only introduce itself
	met     atomic.Bool // something was heard, so the other end took us in
	since   time.Time
	heard   atomic.Int64                  // Unix nanoseconds of the last frame, by our clock
	rtt     atomic.Int64                  // nanoseconds of the last ping
	skew    atomic.Pointer[time.Duration] // how far our wall clock is ahead of theirs, as their last ping tells; nil is unknown
	missed  atomic.Bool                   // something came that we could not take: ask again at the next tick

	intro, signals allowance // of the reader's
	doubt          *doubt    // of the writer's

	gossip gossiping

	out     chan chat.Frame
	wake    chan struct{} // holds one token when there may be something to sync
	parting chan struct{} // closed when the node ends
	gone    chan struct{} // closed when the link is over
	stop    sync.Once

	keys map[chainID][32]byte // the reader's, see keyOf

	mu     sync.Mutex
	fresh  fresh
	pace   pace
	have   map[chat.ConvID]map[identity.DeviceID]uint64 // what the other end holds; nil until its frontier came
	named  chat.Hello                                   // a guest's, until it is a friend
	list   *identity.DeviceList                         // the newest it showed
	hold   map[chat.ConvID]time.Time                    // others' events wait until then, they probably come by themselves
	pinged time.Time
}

// own says whether the other end is a device of ours.
func (l *link) own() bool { return l.person == l.n.me.id }

// send queues a frame. A peer that lets outbox frames wait is dropped.
func (l *link) send(frames ...chat.Frame) {
	for _, f := range frames {
		select {
		case l.out <- f:
		case <-l.gone:
			return
		default:
			l.close(errors.New("peer does not read"))
			return
		}
	}
}

// close ends the link; why goes to the log.
func (l *link) close(why error) {
	l.stop.Do(func() {
		l.n.log.Debug("link ends", "peer", l.device, "err", why)
		close(l.gone)
		l.ch.Close()
	})
}

// run greets and then reads until the link ends.
func (l *link) run(ctx context.Context) {
	done := context.AfterFunc(ctx, func() { l.close(ctx.Err()) })
	defer done()
	var writer sync.WaitGroup
	writer.Go(func() { l.close(l.write(ctx)) })
	l.close(l.read(ctx))
	writer.Wait()
}

func (l *link) read(ctx context.Context) error {
	for {
		if err := l.ch.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return err
		}
		b, err := l.ch.Receive()
		if err != nil {
			return err
		}
		l.heard.Store(time.Now().UnixNano())
		l.n.meetOnce(l)
		f, err := chat.ParseFrame(b)
		if unknown := (*chat.UnknownFrameError)(nil); errors.As(err, &unknown) {
			continue // from a newer version
		}
		if err != nil {
			return err
		}
		err = l.n.receive(ctx, l, f)
		if err != nil && !l.notKept(err) {
			return err
		}
	}
}

// notKept takes note that something could not be stored. If the disk is the
// cause the friend is not to blame, and stays: what could not be kept was not
// acknowledged, and is asked for again. Else it ends the link, and is false.
func (l *link) notKept(err error) bool {
	if !errors.Is(err, ErrDiskFull) && !errors.Is(err, ErrReadOnly) {
		l.close(err)
		return false
	}
	l.n.log.Warn("not kept", "peer", l.device, "err", err)
	l.missed.Store(true)
	return true
}

// write sends what waits: small frames first, then what the other end lacks.
// The side that dialled also keeps the link alive and fresh.
func (l *link) write(ctx context.Context) error {
	tick := time.NewTimer(untilPing(time.Now()))
	defer tick.Stop()
	defer l.doubt.timer.Stop()
	l.poke() // there may be something that the other end lacks
	for {
		if err := l.flush(); err != nil {
			return err
		}
		select {
		case f := <-l.out:
			if err := l.sendAll(f); err != nil {
				return err
			}
		case <-l.wake:
			if err := l.catchUp(ctx); err != nil {
				return err
			}
		case <-l.doubt.timer.C:
			l.doubt.settle(ctx, l)
		case <-tick.C:
			tick.Reset(untilPing(time.Now()))
			if err := l.ticked(ctx); err != nil {
				return err
			}
		case <-l.parting:
			return l.leave(ctx)
		case <-l.gone:
			return nil
		}
	}
}

// untilPing is how long it is until the next ping. All links ping at once, on
// the even multiples of pingEvery by the wall clock, so that a machine with
// many friends wakes up once for all of them. A timer that runs a moment early
// skips to the next but one.
func untilPing(now time.Time) time.Duration {
	d := pingEvery - time.Duration(now.UnixNano())%pingEvery
	if d < early {
		d += pingEvery
	}
	return d
}

// ticked does what is due every few seconds.
func (l *link) ticked(ctx context.Context) error {
	if l.ch.Initiator() {
		l.keepAlive()
	}
	return l.askAgain(ctx)
}

// leave says what is still to be said, and that we leave on purpose. It is the
// other end that closes then: it has heard all of it.
func (l *link) leave(ctx context.Context) error {
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.catchUp(ctx); err != nil {
		return err
	}
	if err := l.ch.Send(chat.Bye{}.Encode()); err != nil {
		return err
	}
	<-l.gone
	return nil
}

// ping asks for a sign of life. Its number is the time on our wall, so that a
// clock that is far off is noticed.
func (l *link) ping() {
	l.mu.Lock()
	l.pinged = time.Now()
	l.mu.Unlock()
	l.send(chat.Ping{N: uint64(l.n.cfg.Now().UnixNano())})
}

// heardPing answers a ping, and takes down whose clock is ahead.
func (l *link) heardPing(f chat.Ping) {
	ahead := time.Duration(l.n.cfg.Now().UnixNano() - int64(f.N))
	l.skew.Store(&ahead)
	l.send(chat.Pong(f))
}

// keepAlive pings, and asks for a new handshake when the keys are old.
func (l *link) keepAlive() {
	l.ping()
	if l.ch.Age() > freshFor {
		l.n.renew(l.device)
	}
}

// flush sends all small frames that wait.
func (l *link) flush() error {
	for {
		select {
		case f := <-l.out:
			if err := l.sendAll(f); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// sendAll sends f and what waits behind it, in one write.
func (l *link) sendAll(f chat.Frame) error {
	l.doubt.asks(f)
	batch := [][]byte{f.Encode()}
	for len(batch) < 64 {
		select {
		case f := <-l.out:
			l.doubt.asks(f)
			batch = append(batch, f.Encode())
			continue
		default:
		}
		break
	}
	return l.ch.Send(batch...)
}

// pong takes the answer to a ping.
func (l *link) pong() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.pinged.IsZero() {
		l.rtt.Store(int64(time.Since(l.pinged)))
		l.pinged = time.Time{}
	}
}

// adopt makes l the link to its device, unless another one stays.
func (n *Node) adopt(l *link) bool {
	old, ok := n.links.add(l, n.me.device.ID())
	if !ok {
		l.close(errors.New("the other channel stays"))
		return false
	}
	if old != nil {
		old.close(errors.New("replaced"))
		if !l.relayed { // else what is direct may be dead, and not known to be
			n.host.DropRelayed(l.peer)
		}
	}
	// Whoever was blocked or removed during the handshake: that ended the links
	// that stood then, not this one.
	if c, known := n.known().contacts[l.person]; c.State == store.Blocked || !known && !l.own() && !l.guest.Load() {
		n.links.remove(l)
		l.close(errRefused)
		return false
	}
	return true
}

// carry runs a link that was adopted until it ends.
func (n *Node) carry(ctx context.Context, l *link) {
	n.greet(ctx, l)
	n.linkedCalls(l)
	l.run(ctx)
	if n.links.remove(l) {
		n.left(ctx, l)
	}
}
