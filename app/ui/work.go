package ui

import (
	"context"
	"sync"
	"time"
)

// lastWords is how long a closing window waits for what was already said:
// messages sent, drafts kept.
const lastWords = 2 * time.Second

// A job asks or tells the node something. It runs outside Fyne's thread.
type job func(context.Context)

// work is what the window has handed off Fyne's thread: jobs that run side by
// side, and jobs that run one after the other in the order they were given. It
// is safe for concurrent use; run owns every goroutine.
type work struct {
	bell chan struct{} // rung when a list below grew

	mu   sync.Mutex
	free []job
	line []job
}

func newWork() *work { return &work{bell: make(chan struct{}, 1)} }

// do runs a job beside the others.
func (w *work) do(j job) {
	w.mu.Lock()
	w.free = append(w.free, j)
	w.mu.Unlock()
	w.ring()
}

// inOrder runs a job after all that were given before it.
func (w *work) inOrder(j job) {
	w.mu.Lock()
	w.line = append(w.line, j)
	w.mu.Unlock()
	w.ring()
}

func (w *work) ring() {
	select {
	case w.bell <- struct{}{}:
	default: // it already rings
	}
}

// run works until ctx ends and everything it started has returned. The jobs
// that wait in line then still get their turn, for a short while.
func (w *work) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	next := make(chan struct{}, 1)
	wg.Go(func() { w.runLine(ctx, next) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.bell:
		}
		w.mu.Lock()
		free := w.free
		w.free = nil
		w.mu.Unlock()
		for _, j := range free {
			wg.Go(func() { j(ctx) })
		}
		select {
		case next <- struct{}{}:
		default:
		}
	}
}

func (w *work) runLine(ctx context.Context, next <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
			w.drain(end)
			cancel()
			return
		case <-next:
			w.drain(ctx)
		}
	}
}

// drain runs the line until it is empty or ctx ends.
func (w *work) drain(ctx context.Context) {
	for ctx.Err() == nil {
		w.mu.Lock()
		if len(w.line) == 0 {
			w.mu.Unlock()
			return
		}
		j := w.line[0]
		w.line = w.line[1:]
		w.mu.Unlock()
		j(ctx)
	}
}
