package device

import (
	"sync"
	"time"

	"github.com/entrenous/entrenous/media"
)

// ring passes samples between a device's thread and a loop of ours. Neither
// side ever waits in it: the device's thread must not, and ours waits on
// moved. It holds at most its size, and states its fill as the delay it adds.
//
// Where there is out, a tick that is written goes there at once, and fill is
// what the device has of it: the ring then holds nothing itself.
type ring struct {
	moved chan struct{} // one slot: rings when there may be something to do
	out   func(gap int, tick []float32) error

	mu    sync.Mutex
	buf   []float32
	start int
	fill  int
	total int64 // samples that the device's thread moved
	lost  int64 // of these, what never was in the ring or was never read
	told  int64 // of these, what skipped told
	due   due
	hold  hold
}

// newRing returns a ring into which ticks are laid down lead before their bite, or sooner.
func newRing(size int, lead time.Duration) *ring {
	return &ring{moved: make(chan struct{}, 1), buf: make([]float32, size), due: due{least: lead, lead: lead}}
}

// put appends x and drops the oldest where there is no room. It is for the device's thread.
func (r *ring) put(x []float32) {
	r.mu.Lock()
	r.append(x)
	r.total += int64(len(x))
	enough := r.fill >= media.Tick
	r.mu.Unlock()
	if enough {
		r.ring()
	}
}

// await returns when the device's thread has moved, or the time has passed.
func (r *ring) await(most time.Duration, done <-chan struct{}) error {
	select {
	case <-done:
	case <-r.moved:
	case <-time.After(most):
	}
	return nil
}

// take fills x, with silence at its end where nothing is there. It is for the device's thread.
func (r *ring) take(x []float32) {
	r.mu.Lock()
	n := r.pop(x)
	clear(x[n:])
	r.lost += int64(len(x) - n)
	r.total += int64(len(x))
	now := time.Now()
	r.due.bite(now, len(x), n < len(x))
	wanted := r.due.in(now, r.fill) < r.due.period // before the next bite
	r.mu.Unlock()
	if wanted {
		r.ring()
	}
}

// bite notes that the device took n samples of what out was given, just now.
func (r *ring) bite(n int) { r.bit((*due).bite, n) }

// bitten notes the same of some moment since looked.
func (r *ring) bitten(n int) { r.bit((*due).bitten, n) }

func (r *ring) bit(note func(d *due, now time.Time, n int, missing bool), n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fill -= n
	r.total += int64(n)
	note(&r.due, time.Now(), n, r.fill < 0)
}

// looked notes that what the device took until now is known.
func (r *ring) looked() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due.looked = time.Now()
}

func (r *ring) ring() {
	select {
	case r.moved <- struct{}{}:
	default:
	}
}

// read fills one tick or does nothing.
func (r *ring) read(tick []float32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fill < len(tick) {
		return false
	}
	r.pop(tick)
	return true
}

// write appends one tick if it is time for it, else it says how long to wait.
func (r *ring) write(tick []float32) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if wait := r.due.in(time.Now(), r.fill); wait > 0 {
		return wait
	}
	r.hold.begun = false
	r.layLocked(tick)
	return 0
}

func (r *ring) layLocked(tick []float32) {
	r.due.begun = true
	if r.out == nil {
		r.append(tick)
	} else {
		r.hand(tick)
	}
}

// driven says whether who comes by every 10 ms is enough to keep the device going.
func (r *ring) driven() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.due.driven(time.Now())
}

// wants says how many ticks are to be laid down by who comes by every 10 ms.
func (r *ring) wants() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hold.visit(time.Now(), &r.due, r.fill)
}

// lay appends one tick.
func (r *ring) lay(tick []float32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.layLocked(tick)
}

// hand gives tick to out. What was missing until now, the device has played as
// silence. An error shows as a device that is gone.
func (r *ring) hand(tick []float32) {
	gap := max(-r.fill, 0)
	_ = r.out(gap, tick)
	r.fill += gap + len(tick)
	r.lost += int64(gap)
}

// skipped is what was lost since it was asked last.
func (r *ring) skipped() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	lost := r.lost + int64(max(-r.fill, 0))
	n := lost - r.told
	r.told = lost
	return int(n)
}

// wanted says how long to wait until write would take a tick.
func (r *ring) wanted() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.due.in(time.Now(), r.fill)
}

// lead is how long before it is taken a tick is laid down.
func (r *ring) lead() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hold.begun {
		return r.hold.lead
	}
	return r.due.lead
}

func (r *ring) append(x []float32) {
	if over := r.fill + len(x) - len(r.buf); over > 0 {
		drop := min(over, r.fill)
		r.start = (r.start + drop) % len(r.buf)
		r.fill -= drop
		x = x[max(0, len(x)-len(r.buf)):]
		r.lost += int64(over)
	}
	for len(x) > 0 {
		end := (r.start + r.fill) % len(r.buf)
		n := copy(r.buf[end:], x)
		r.fill += n
		x = x[n:]
	}
}

func (r *ring) pop(x []float32) int {
	n := 0
	for n < len(x) && r.fill > 0 {
		stop := min(len(r.buf), r.start+r.fill)
		k := copy(x[n:], r.buf[r.start:stop])
		r.start = (r.start + k) % len(r.buf)
		r.fill -= k
		n += k
	}
	return n
}

// moves is how many samples the device's thread has moved: it stands still when the device is gone.
func (r *ring) moves() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

const ringSize = 10 * media.Tick // 100 ms
