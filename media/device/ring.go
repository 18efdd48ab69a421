package device

import (
	"sync"

	"github.com/entrenous/entrenous/media"
)

// ring passes samples between a device's thread and a loop of ours. Neither
// side ever waits in it: the device's thread must not, and ours waits on
// moved. It holds at most its size, and states its fill as the delay it adds.
type ring struct {
	moved chan struct{} // one slot: rings whenever the device's thread put or took

	mu    sync.Mutex
	buf   []float32
	start int
	fill  int
	total int64 // samples that the device's thread moved
	slips int   // samples that were dropped or missing
}

func newRing(size int) *ring {
	return &ring{moved: make(chan struct{}, 1), buf: make([]float32, size)}
}

// put appends x and drops the oldest where there is no room. It is for the device's thread.
func (r *ring) put(x []float32) {
	r.mu.Lock()
	r.append(x)
	r.total += int64(len(x))
	r.mu.Unlock()
	r.ring()
}

// take fills x, with silence at its end where nothing is there. It is for the device's thread.
func (r *ring) take(x []float32) {
	r.mu.Lock()
	n := r.pop(x)
	clear(x[n:])
	r.slips += len(x) - n
	r.total += int64(len(x))
	r.mu.Unlock()
	r.ring()
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

// write appends one tick unless more than most samples lie there.
func (r *ring) write(tick []float32, most int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fill > most {
		return false
	}
	r.append(tick)
	return true
}

func (r *ring) append(x []float32) {
	if over := r.fill + len(x) - len(r.buf); over > 0 {
		drop := min(over, r.fill)
		r.start = (r.start + drop) % len(r.buf)
		r.fill -= drop
		r.slips += over
		x = x[max(0, len(x)-len(r.buf)):]
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
