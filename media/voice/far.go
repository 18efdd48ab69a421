package voice

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/opus"
)

// Line is a way to a machine that sends back what it receives.
type Line struct {
	// Send sends a packet on its way; its errors are losses.
	Send func(*rtp.Packet) error
	// Receive waits for the next packet that came back, and says when it did.
	Receive func(context.Context) (*rtp.Packet, time.Time, error)
	// Network is the share of packets lost on the way there, and the round trip.
	Network func() (loss float64, rtt time.Duration)
}

// far is an echo test's end of a Line: packets leave evenly, silence where
// nothing is played, so that the jitter buffers at both ends have settled.
type far struct {
	line   *Line
	engine *Engine
	quiet  []byte // a frame of silence

	mu      sync.Mutex
	queue   []*rtp.Packet
	empty   chan struct{} // closed when the queue has been sent
	started time.Time     // when the first packet of the queue left, zero before
}

func newFar(line *Line, e *Engine) (*far, error) {
	enc, err := opus.NewEncoder(opus.Config{})
	if err != nil {
		return nil, err
	}
	buf := make([]byte, opus.MaxPacket)
	n, err := enc.Encode(make([]float32, enc.Frame()), buf)
	if err != nil {
		return nil, fmt.Errorf("encode silence: %w", err)
	}
	return &far{line: line, engine: e, quiet: buf[:n]}, nil
}

// run sends and receives until ctx ends.
func (f *far) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { f.receive(ctx) })
	var due clock
	for i := uint16(0); ; i++ {
		for range media.Frame / media.Tick {
			if !due.wait(ctx.Done()) {
				return
			}
		}
		_ = f.line.Send(&rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: loopType, SequenceNumber: i, Timestamp: uint32(i) * media.Frame},
			Payload: f.next(),
		})
		if i%(ticksASecond/2) == 0 {
			loss, rtt := f.line.Network()
			f.engine.Network(loss, rtt, false)
		}
	}
}

func (f *far) receive(ctx context.Context) {
	for {
		p, at, err := f.line.Receive(ctx)
		if err != nil {
			return
		}
		p.PayloadType = loopType
		f.engine.Receive(p, at)
	}
}

// next is what is to be sent now.
func (f *far) next() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 {
		return f.quiet
	}
	if f.started.IsZero() {
		f.started = time.Now()
	}
	p := f.queue[0]
	if f.queue = f.queue[1:]; len(f.queue) == 0 {
		close(f.empty)
	}
	return p.Payload
}

// play sends packets and waits until the last one has left.
func (f *far) play(ctx context.Context, packets []*rtp.Packet) error {
	if len(packets) == 0 {
		return nil
	}
	empty := make(chan struct{})
	f.mu.Lock()
	f.queue, f.empty, f.started = packets, empty, time.Time{}
	f.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// audible is the level in dBFS from which on the sound that is played counts
// as heard; the silence before it is far below.
const audible = -45

// roundTrip waits for the first sound of what is played to come back, and says
// how long it was under way: through both machines, without the devices here.
func (f *far) roundTrip(ctx context.Context) time.Duration {
	var due clock
	for due.wait(ctx.Done()) {
		f.mu.Lock()
		began := f.started
		f.mu.Unlock()
		if !began.IsZero() && f.engine.listen.meter.level() >= audible {
			return time.Since(began) + media.Duration(media.Frame) // the frame was spoken before it left
		}
	}
	return 0
}
