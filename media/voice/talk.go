package voice

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/dsp"
	"github.com/entrenous/entrenous/media/opus"
)

// talker is the way from the microphone to the line. All but its meter and its
// counters belongs to the goroutine of run.
type talker struct {
	e     *Engine
	enc   *opus.Encoder
	plan  *plan
	red   opus.Redundancy
	gate  dsp.Volume
	tick  [media.Tick]float32
	part  []float32 // less than a frame
	coded [opus.MaxPacket]byte
	watch micWatch

	sequence  uint16
	timestamp uint32
	last      time.Time // of the last tick
	marker    bool      // the next packet begins anew (RFC 3551 §4.1)

	meter meter
	mu    sync.Mutex
	sent  sent
}

// sent are the counters of what went out.
type sent struct {
	packets, bytes, failed uint64
}

// hole is how late a tick must be for the line to be told that time has passed.
const hole = 200 * time.Millisecond

func newTalker(e *Engine) (*talker, error) {
	t := &talker{e: e, sequence: uint16(rand.Uint32()), timestamp: rand.Uint32(), marker: true}
	t.watch.tell = e.tell
	t.plan = e.plans.now.Load()
	return t, t.renew()
}

// renew begins with a new encoder.
func (t *talker) renew() (err error) {
	t.enc, err = opus.NewEncoder(opus.Config{
		Frame: t.plan.frame, Bitrate: t.plan.bitrate, Loss: t.plan.loss,
		SaveBandwidth: t.e.cfg.SaveBandwidth, LowDelay: t.plan.low,
	})
	return err
}

func (t *talker) run(ctx context.Context) {
	for ctx.Err() == nil {
		how := t.e.in.pass(t.tick[:], nil)
		if how == ended {
			return
		}
		now := time.Now()
		t.keepTime(now)
		if err := t.hear(how); err != nil {
			t.e.log.Warn("a tick of the microphone was lost", "err", err)
		}
		t.e.listen.visit(now)
	}
}

// keepTime moves the timestamp on by what the microphone left out.
func (t *talker) keepTime(now time.Time) {
	if gap := now.Sub(t.last); gap > hole && !t.last.IsZero() {
		t.timestamp += uint32(media.Samples(gap)) - media.Tick
		t.part = t.part[:0]
		t.marker = true
	}
	t.last = now
}

// hear takes one tick from the microphone to the line.
func (t *talker) hear(how passed) error {
	tick := t.tick[:]
	set := t.e.settings()
	if how == fresh {
		t.e.realign()
	}
	if how != absent {
		t.e.chain.Skipped(0, t.e.in.skipped())
		t.watch.look(tick)
		if err := t.e.chain.Near(tick); err != nil {
			return err
		}
		t.watch.listen(t.e.chain.Speech(), set.muted && !set.held)
	}
	t.meter.add(tick)
	t.gate.Mute(!set.open(t.last))
	t.gate.Apply(tick)
	t.e.tape.mine(tick)
	t.part = append(t.part, tick...)
	if len(t.part) < t.enc.Frame() {
		return nil
	}
	return t.frame()
}

// frame encodes and sends what is gathered.
func (t *talker) frame() error {
	pcm := t.part[:t.enc.Frame()]
	stamp := t.timestamp
	t.timestamp += uint32(len(pcm))
	n, err := t.enc.Encode(pcm, t.coded[:])
	t.part = t.part[:copy(t.part, t.part[len(pcm):])]
	if err != nil {
		return fmt.Errorf("a frame: %w", err)
	}
	if n == 0 { // silence, and bandwidth is to be saved
		t.marker = true
	} else if err := t.send(stamp, t.coded[:n]); err != nil {
		return err
	}
	return t.follow()
}

func (t *talker) send(stamp uint32, packet []byte) error {
	p := &rtp.Packet{Header: rtp.Header{
		Version: 2, Marker: t.marker, PayloadType: t.e.cfg.PayloadType,
		SequenceNumber: t.sequence, Timestamp: stamp, SSRC: t.e.cfg.SSRC,
	}}
	if t.red.Depth > 0 {
		p.PayloadType = t.e.cfg.REDPayloadType
	}
	var err error
	if p.Payload, err = t.payload(stamp, packet); err != nil {
		return err
	}
	t.sequence++
	t.marker = false
	err = t.e.cfg.Send(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		if t.sent.failed++; t.sent.failed == 1 {
			t.e.log.Warn("a packet of sound was not sent", "err", err)
		}
		return nil
	}
	t.sent.packets++
	t.sent.bytes += uint64(len(p.Payload))
	return nil
}

// payload is packet, with what went before it where the plan says so.
func (t *talker) payload(stamp uint32, packet []byte) ([]byte, error) {
	if t.e.cfg.REDPayloadType == 0 {
		return append([]byte(nil), packet...), nil
	}
	room := make([]byte, 0, (1+t.red.Depth)*(len(packet)+4)+1)
	red, err := t.red.Pack(room, t.e.cfg.PayloadType, stamp, packet) // always, to remember what was sent
	if err != nil || t.red.Depth > 0 {
		return red, err
	}
	return red[1:], nil // alone it needs no header
}

// follow takes over a new plan between two frames.
func (t *talker) follow() error {
	next := t.e.plans.now.Load()
	if next == t.plan {
		return nil
	}
	before := t.plan
	t.plan = next
	t.red.Depth = next.copies
	if next.low != before.low {
		return t.renew()
	}
	for _, set := range []func() error{
		func() error { return t.enc.SetBitrate(next.bitrate) },
		func() error { return t.enc.SetLoss(next.loss) },
		func() error { return t.enc.SetFrame(next.frame) },
	} {
		if err := set(); err != nil {
			return err
		}
	}
	return nil
}

func (t *talker) counters() sent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sent
}

// micWatch notices what is wrong with a microphone, once for each time.
type micWatch struct {
	tell   func(Notice)
	zeros  int // ticks
	clips  int // ticks with clipping, less one for each 20 without
	spoken int // ticks of speech while muted
	clean  int
}

const (
	zerosTold  = 500  // ticks: 5 s
	clipsTold  = 50   // ticks: half a second of clipping
	clipsSpan  = 20   // clean ticks that make up for one
	spokenTold = 100  // ticks: 1 s of speech
	clipLevel  = -0.1 // dBFS
)

// look takes a raw tick.
func (w *micWatch) look(tick []float32) {
	peak := media.Peak(tick)
	if peak > media.Floor {
		w.zeros = 0
	} else if w.zeros++; w.zeros == zerosTold {
		w.tell(Notice{Kind: MicrophoneSilent})
	}
	if peak >= clipLevel {
		if w.clips++; w.clips == clipsTold {
			w.tell(Notice{Kind: MicrophoneClips})
		}
		return
	}
	if w.clean++; w.clean%clipsSpan == 0 {
		w.clips = max(w.clips-1, 0)
	}
}

// listen hears whether somebody speaks who is not heard.
func (w *micWatch) listen(speech, muted bool) {
	if !muted {
		w.spoken = 0
		return
	}
	if !speech {
		return
	}
	if w.spoken++; w.spoken == spokenTold {
		w.tell(Notice{Kind: MutedSpeech})
	}
}
