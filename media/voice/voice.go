// Package voice is one end of a call: it takes a microphone and a loudspeaker
// and turns them into RTP packets and back. It hides the codec, the jitter
// buffer, the echo canceller, devices that vanish, and how all of these are
// adapted to the line. It knows no network: packets leave by Config.Send and
// come in by Engine.Receive.
//
// Delay, from mouth to ear on one machine with real devices (every buffer
// between them, in the order of the way):
//
//	microphone   its own buffer and one tick (device.Mic.Latency), 12 to 30 ms;
//	             the tick is the first 10 ms of the frame
//	dsp          2 ms; with echo cancelling 9, with noise suppression 6 more (dsp.Chain.Delay)
//	frame        none beyond that tick on a good line, else 10 ms: a frame of two
//	codec        6.5 ms that the encoder looks ahead; 2.5 on a LAN or with LowLatency
//	network      half the round trip
//	jitter       what the line needs, at least 5 ms and up to one bite more
//	loudspeaker  5 to 16 ms in which a tick lies in a queue, and its own buffer,
//	             bites of 10 ms (device.Speaker.Latency), 15 to 36 ms; with bites
//	             of 5 ms (device.Spec.LowLatency) 5 and 5, 10 to 20 ms
//
// On a LAN the codec works without looking ahead for speech (CELT), at 64 kbit/s
// instead of 32 with in-band copies, and each frame goes twice. Measured for frames of 10 ms:
//
//	mode, effort, kbit/s   to encode   STOI     band   copies of lost frames
//	CELT 0, 64              54 µs      0.9955   20 kHz by RED
//	CELT 0, 48              47 µs      0.9928   20 kHz by RED
//	CELT 0, 32                         0.9846   20 kHz by RED
//	SILK 0, 32             154 µs      0.9931    6 kHz in-band
//	SILK 2, 32             309 µs      0.9916    8 kHz in-band
//	hybrid 2, 40           239 µs      0.9908   20 kHz in-band
//
// In-band copies at 32 kbit/s would cost three to six times the work, which is
// 1 to 2.5 % of a core, and more than half the band; bits cost nothing on a LAN.
// The size of packets stays constant.
//
// Elsewhere a packet is a frame of 20 ms at 32 kbit/s, of which the codec alone
// keeps a STOI of 0.9931 (hybrid, effort 6, told of 10 % loss so that in-band
// copies are in it). Without copies it would be 0.9939, with effort 2 or 10
// 0.9917 and 0.9934, in CELT 0.9865; and 0.9973 up to 8 kHz only, as STOI looks
// no higher than 4.3 kHz. People hear the difference, so that the band stays whole.
//
// What 10 ms of a call cost on the same machine, all of it hot in the caches:
// canceller, suppression and search 101 to 108 µs, encoder 54, decoder 29,
// jitter buffer 1. In a call of two daemons, where the processor sleeps between
// two ticks, the same took two to three times as long, and more than half of
// all was the runtime's, the network's and the system's.
//
// Being woken is dear: one packet in an empty program of Go cost 110 µs, of which
// 65 went to the runtime's watchman, whom every call of C and every system call
// that may wait wakes with it; a program of C took 36. So that a call wakes once
// in 10 ms, for the microphone, where the system allows it: its goroutine sees to
// the loudspeaker too, whose socket wakes nobody, and takes in what packets came.
//
// Volume, limiter and mute add none. A recording is written up to a second
// later and holds nothing up.
package voice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/dsp"
)

// Profile is what a call learns of a pair of devices: the delay of the echo
// and the skew of the two clocks. Keep it by the two names.
type Profile = dsp.Profile

// Config says what an Engine works with. Only Send and PayloadType must be set.
type Config struct {
	// Mic and Speaker are opened devices, closed by Run. A nil one is a device
	// that is not there: the call goes on without it until Swap brings one.
	Mic     device.Mic
	Speaker device.Speaker
	// Send takes each packet that is to go out, which is not touched
	// afterwards. It is called from one goroutine, the microphone's: while it
	// blocks, nothing is sent. Its errors are counted, and otherwise ignored.
	Send func(*rtp.Packet) error

	// Look is called before each tick for the loudspeaker is made, so that what
	// has arrived comes to Receive now. It may be nil and must not block.
	Look func()

	SSRC           uint32
	PayloadType    uint8 // of Opus, 1 to 127
	REDPayloadType uint8 // of RED around Opus; 0 where the other side knows none

	// Frame is how much sound a packet holds at first, 10 or 20 ms; 0 is 20.
	// Network changes it.
	Frame time.Duration
	// SaveBandwidth lets packets vary in size and stops them in silence. It
	// reveals to who watches the line when somebody speaks.
	SaveBandwidth bool

	// LowLatency gives up what helps on a bad line, to save 4 ms: the codec's look
	// ahead, as on a LAN, as long as Network tells of a good line. Devices opened
	// for it (device.Spec.LowLatency) save some 13 ms more.
	LowLatency bool

	Headphones       bool // no echo to cancel, which saves 7 ms
	NoiseSuppression bool // presses steady noise down, for 6 ms
	GainControl      bool // brings speech to an even loudness

	// Recall says what an earlier call learnt of two devices by these names.
	// It may be nil and must not block.
	Recall func(mic, speaker string) Profile
	// Worn says what a person said of two devices by these names: whether they
	// are headphones, and whether they said so at all; then Headphones counts.
	// It may be nil and must not block.
	Worn func(mic, speaker string) (on, known bool)
	// Log is told of what happens; nil is silence.
	Log *slog.Logger
}

// Engine is one end of one call. All its methods are safe for concurrent use;
// Run is called once.
type Engine struct {
	cfg     Config
	log     *slog.Logger
	begin   time.Time
	chain   *dsp.Chain
	in, out *port
	talk    *talker
	listen  *listener
	plans   *planner
	tape    *tape
	notices noticeboard
	bare    bool // as the Config said, nobody hears an echo

	mu     sync.Mutex // of what follows, and of cfg.Headphones
	set    settings
	hinted string // the headset that was told of last
}

// New returns an Engine that does nothing until Run.
func New(cfg Config) (*Engine, error) {
	if cfg.Send == nil || cfg.PayloadType == 0 || cfg.PayloadType > 127 || cfg.REDPayloadType > 127 {
		return nil, errors.New("new voice: no way to send, or no payload type")
	}
	if cfg.Frame == 0 {
		cfg.Frame = media.Duration(media.Frame)
	}
	if n := media.Samples(cfg.Frame); n != media.Frame && n != media.Tick {
		return nil, fmt.Errorf("new voice: frames of %v are neither 10 nor 20 ms", cfg.Frame)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{cfg: cfg, log: cfg.Log, begin: time.Now(), tape: newTape(), bare: cfg.Headphones}
	e.notices.init()
	e.in = newPort(device.Microphone, openedMic(cfg.Mic), e.tell)
	e.out = newPort(device.Loudspeaker, openedSpeaker(cfg.Speaker), e.tell)
	e.plans = newPlanner(cfg)
	var err error
	if e.listen, err = newListener(e); err != nil {
		return nil, fmt.Errorf("new voice: %w", err)
	}
	if e.talk, err = newTalker(e); err != nil {
		return nil, fmt.Errorf("new voice: %w", err)
	}
	if e.chain, err = dsp.New(e.chainConfig()); err != nil {
		return nil, fmt.Errorf("new voice: %w", err)
	}
	return e, nil
}

// Run speaks and listens until ctx ends, and returns nil then, after it has
// ended a recording and closed the devices. Devices that fail meanwhile are
// told of by Notices and do not end it.
func (e *Engine) Run(ctx context.Context) error {
	var loops, writer sync.WaitGroup
	writer.Go(e.tape.run)
	loops.Go(func() { e.talk.run(ctx) })
	loops.Go(func() { e.listen.run(ctx) })
	<-ctx.Done()
	err := errors.Join(e.in.close(), e.out.close())
	loops.Wait()
	err = errors.Join(err, e.StopRecord())
	e.tape.end()
	writer.Wait()
	e.notices.close()
	e.chain.Close()
	if err != nil {
		e.log.Warn("a call's sound ended badly", "err", err)
	}
	return nil
}

// Swap changes to other devices in the midst of a call and closes the old
// ones; a nil one leaves that side as it is. After Run has ended it closes
// what it is given and returns device.ErrClosed.
func (e *Engine) Swap(mic device.Mic, speaker device.Speaker) error {
	var errs []error
	if mic != nil {
		errs = append(errs, e.in.swap(openedMic(mic)))
	}
	if speaker != nil {
		errs = append(errs, e.out.swap(openedSpeaker(speaker)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("change the sound devices: %w", err)
	}
	return nil
}

// Learnt is what this call has learnt of the two devices it uses now, and
// whether it has learnt anything that is worth keeping.
func (e *Engine) Learnt() (mic, speaker string, p Profile, ok bool) {
	p, ok = e.chain.Profile()
	mic, speaker = e.in.name(), e.out.name()
	return mic, speaker, p, ok && mic != "" && speaker != ""
}

// since is the time on the engine's clock.
func (e *Engine) since(t time.Time) time.Duration { return t.Sub(e.begin) }

// chainConfig is what the dsp chain is to do now.
func (e *Engine) chainConfig() dsp.Config {
	c := dsp.Config{
		Headphones: e.cfg.Headphones,
		Gain:       e.cfg.GainControl,
		Latency:    e.in.latency() + e.out.latency(),
	}
	if e.cfg.NoiseSuppression {
		c.Noise = dsp.NoiseModerate
	}
	c.Known = e.recall()
	return c
}

func (e *Engine) recall() (p Profile) {
	mic, speaker := e.in.name(), e.out.name()
	if e.cfg.Recall != nil && mic != "" && speaker != "" {
		p = e.cfg.Recall(mic, speaker)
	}
	return p
}

// Devices names the microphone and the loudspeaker in use; empty where there is none.
func (e *Engine) Devices() (mic, speaker string) { return e.in.name(), e.out.name() }

// fit goes by what is known of the devices that are in use now. Of a headset
// of which nobody said anything it tells.
func (e *Engine) fit() {
	mic, speaker := e.Devices()
	if e.cfg.Worn == nil || mic == "" || speaker == "" {
		return
	}
	on, known := e.cfg.Worn(mic, speaker)
	if !known {
		on = e.bare
	}
	if err := e.Headphones(on); err != nil {
		e.log.Warn("adapt to headphones", "err", err)
	}
	if known || on || !e.out.worn() {
		return
	}
	e.mu.Lock()
	again := e.hinted == speaker
	e.hinted = speaker
	e.mu.Unlock()
	if !again {
		e.tell(Notice{Kind: HeadsetFound, Device: speaker})
	}
}

// realign tells the canceller that a device has begun anew.
func (e *Engine) realign() {
	e.fit()
	e.chain.Restart(e.in.latency()+e.out.latency(), e.recall())
}
