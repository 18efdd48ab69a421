package voice

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/opus"
)

// ErrRecording is what Record returns while a recording runs already.
var ErrRecording = errors.New("this call is being recorded already")

// tape mixes both voices into a file. The loops of sound only lay ticks down;
// a goroutine of its own mixes, encodes and writes them, so that a slow disk
// holds nobody up.
type tape struct {
	wake chan struct{} // one slot
	quit chan struct{}

	mu      sync.Mutex // of the ticks that wait
	running bool
	sides   [2][]float32 // mine and theirs

	file     sync.Mutex // held while writing
	recorder *opus.Recorder
	failed   func(error)
	mix      []float32
}

const (
	tapeApart = media.Rate / 2  // samples that one side may be ahead until the other counts as silent
	tapeMost  = 10 * media.Rate // samples that may wait for the disk
)

func newTape() *tape { return &tape{wake: make(chan struct{}, 1), quit: make(chan struct{})} }

// Record writes what both say from now on into w, as an Ogg Opus file, until
// StopRecord or the end of the call, which complete it. w is not closed.
// Notices tells when writing fails. Tell the other side first: it is their voice too.
func (e *Engine) Record(w io.Writer) error {
	return e.tape.begin(w, func(err error) { e.tell(Notice{Kind: RecordingEnded, Err: err}) })
}

// StopRecord completes the file. Without a recording it does nothing.
func (e *Engine) StopRecord() error { return e.tape.stop() }

// Recording says whether a recording runs: not when writing it has failed.
func (e *Engine) Recording() bool {
	e.tape.mu.Lock()
	defer e.tape.mu.Unlock()
	return e.tape.running
}

func (t *tape) begin(w io.Writer, failed func(error)) error {
	t.file.Lock()
	defer t.file.Unlock()
	if t.recorder != nil {
		return ErrRecording
	}
	recorder, err := opus.NewRecorder(w)
	if err != nil {
		return fmt.Errorf("record the call: %w", err)
	}
	t.recorder, t.failed = recorder, failed
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = true
	t.sides = [2][]float32{}
	return nil
}

func (t *tape) stop() error {
	t.file.Lock()
	defer t.file.Unlock()
	if t.recorder == nil {
		return nil
	}
	err := t.write(1)
	t.halt()
	err = errors.Join(err, t.recorder.Close())
	t.recorder = nil
	if err != nil {
		return fmt.Errorf("complete the recording: %w", err)
	}
	return nil
}

func (t *tape) halt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = false
}

func (t *tape) mine(tick []float32)   { t.lay(0, tick) }
func (t *tape) theirs(tick []float32) { t.lay(1, tick) }

func (t *tape) lay(side int, tick []float32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.running {
		return
	}
	if len(t.sides[side]) >= tapeMost { // the disk is stuck: both lose the same second, and stay together
		for i, s := range t.sides {
			t.sides[i] = s[:copy(s, s[min(media.Rate, len(s)):])]
		}
	}
	t.sides[side] = append(t.sides[side], tick...)
	if len(t.sides[side]) < media.Rate/10 {
		return
	}
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run writes until end.
func (t *tape) run() {
	for {
		select {
		case <-t.quit:
			return
		case <-t.wake:
		}
		t.file.Lock()
		if t.recorder != nil {
			if err := t.write(tapeApart); err != nil {
				t.halt()
				t.recorder = nil
				t.failed(err)
			}
		}
		t.file.Unlock()
	}
}

func (t *tape) end() { close(t.quit) }

// write takes what both sides have laid down, and what one side has more than
// `apart` samples ahead of the other, and records it.
func (t *tape) write(apart int) error {
	t.take(apart)
	if err := t.recorder.Write(t.mix); err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	return nil
}

func (t *tape) take(apart int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	short, long := len(t.sides[0]), len(t.sides[1])
	if short > long {
		short, long = long, short
	}
	n := short
	if long-short >= apart {
		n = long
	}
	t.mix = append(t.mix[:0], make([]float32, n)...)
	for i, side := range t.sides {
		k := min(n, len(side))
		for j, v := range side[:k] {
			t.mix[j] += v
		}
		t.sides[i] = side[:copy(side, side[k:])]
	}
}
