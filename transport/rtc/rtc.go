// Package rtc is one leg of a call: RTP between two devices, by the best path
// that ICE finds (RFC 8445), keyed by DTLS (RFC 5764) and carried as SRTP with
// AES-GCM only (RFC 7714). It hides pion. It knows neither sound nor people:
// whoever carries a Description to the other end vouches for it.
//
// It is WebRTC without its session descriptions: pion's certificates, ICE, DTLS
// and SRTP, put together as PeerConnection does, with a strict format of 0.5 KiB
// in the place of SDP. A friend's text is never parsed as SDP, and sources that
// were not announced cost no state.
//
// A leg opens no socket. It shares those of a Port, which stand on the host's
// own UDP port, so that a call needs no other hole in a NAT than chat does.
package rtc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

const (
	// silence is how long nothing may arrive before a leg is Interrupted.
	silence = 1500 * time.Millisecond
	// keepAlive is the pause between two checks of the paths there are (RFC 7675):
	// short, so that another one is in use before anybody hears that one is gone.
	keepAlive = 250 * time.Millisecond
	// checkEvery is the pause between two rounds of checks while connecting.
	checkEvery = 50 * time.Millisecond
	// patience is how long a leg may be Interrupted before it has Failed.
	patience = time.Minute
	// inbox is how many packets may wait for Receive: a quarter of a second at
	// ten times the usual rate. What comes on top is dropped; it adds no delay
	// to a reader that keeps up.
	inbox = 256
)

// Config says how a leg stands in the network.
type Config struct {
	Port *Port // required
	// Reflexive lists our addresses as others see them now, offered beside our
	// own; nil is none.
	Reflexive func() []netip.AddrPort
	// Tunnelled tells no address to the other end and tries none of its own: all
	// goes through the streams lent by Carry.
	Tunnelled bool
	// Allow says whether an address of the other end may be tried; nil is all.
	Allow func(netip.Addr) bool
	// Log is where the leg writes; nil discards.
	Log *slog.Logger
}

// State is how a leg is doing.
type State string

// The states of a leg.
const (
	New         State = "new"
	Connecting  State = "connecting"
	Connected   State = "connected"
	Interrupted State = "interrupted" // nothing arrives; it may come back, or be restarted
	Failed      State = "failed"      // final, except for Restart after a lost path
	Closed      State = "closed"      // by Close, or by the other end
)

// Errors of a leg.
var (
	// ErrClosed means that the leg is closed.
	ErrClosed = errors.New("leg closed")
	// ErrNotConnected means that there is no path or no key yet.
	ErrNotConnected = errors.New("leg not connected")
	// ErrFingerprint means that the other end has not the certificate it was described with.
	ErrFingerprint = errors.New("certificate does not fit the fingerprint")
	// ErrOrder means that Offer, Answer and Accept came in an order that makes no sense.
	ErrOrder = errors.New("out of order")
)

// Leg is one end of a call. Its methods are safe for concurrent use, except
// that Offer, Answer, Accept and Restart are called by one goroutine.
type Leg struct {
	cfg   Config
	log   *slog.Logger
	agent *ice.Agent
	cert  tls.Certificate
	local Description // without candidates
	in    chan Arrival
	quiet chan struct{} // holds a token when State may have changed
	done  chan struct{} // closed by Close
	stop  context.CancelFunc
	work  sync.WaitGroup
	once  sync.Once
	found chan struct{} // a token: gathering is complete

	tunnel *tunnel
	door   *door

	mu        sync.Mutex
	state     State
	why       error
	path      bool // ICE has one
	doubted   bool // ICE has heard nothing for long
	failed    bool // ICE has given up, and has to begin again
	remote    Description
	described time.Time               // when remote came
	tried     map[netip.AddrPort]bool // where ICE was told that the other end may be reached
	heard     time.Time               // when sound came last
	from      netip.AddrPort          // where sound came from last that ICE does not know of
	came      time.Time               // when that was
	using     netip.AddrPort          // the far end of the path in use
	straight  parter                  // by which sound may go there at once; nil: through ICE
	leaving   rtp.Packet              // the last one sent
	sealed    []byte                  // of it
	started   bool
	offerer   bool
	conn      *ice.Conn
	secure    *dtls.Conn
	out       *srtp.Context // under mu, as SRTP counts packets
	inward    *srtp.Context // under opening
	long      time.Time     // when a packet last had to come through ICE
	meter     meter

	opening sync.Mutex      // held before mu
	to      func(Arrival)   // under opening; nil: packets wait for Receive
	opened  [maxPacket]byte // under opening, as packet: of one that is handed on
	packet  rtp.Packet
}

// NewLeg makes a leg with a certificate of its own. The caller closes it.
func NewLeg(cfg Config) (*Leg, error) {
	l := &Leg{
		cfg: cfg, log: cfg.Log, state: New, in: make(chan Arrival, inbox), quiet: make(chan struct{}, 1),
		done: make(chan struct{}), found: make(chan struct{}, 1),
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if l.cert, l.local.Fingerprint, err = newCertificate(); err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	l.local.SSRC = newSSRC()
	l.meter.ssrc = l.local.SSRC
	l.tunnel = newTunnel()
	l.door = &door{port: cfg.Port, tunnel: l.tunnel, only: cfg.Tunnelled, known: map[netip.AddrPort]*checks{}, ends: map[netip.AddrPort]bool{}}
	if l.agent, err = newAgent(l.door); err != nil {
		return nil, fmt.Errorf("start ICE: %w", err)
	}
	err = errors.Join(l.agent.OnCandidate(l.gathered), l.agent.OnConnectionStateChange(l.pathChanged),
		l.agent.OnSelectedCandidatePairChange(func(_, _ ice.Candidate) { l.pathChosen() }))
	if err != nil {
		return nil, errors.Join(err, l.agent.Close())
	}
	return l, nil
}

func newAgent(d *door) (*ice.Agent, error) {
	return ice.NewAgentWithOptions(
		ice.WithUDPMux(d),
		ice.WithNetworkTypes([]ice.NetworkType{ice.NetworkTypeUDP4, ice.NetworkTypeUDP6}),
		ice.WithCandidateTypes([]ice.CandidateType{ice.CandidateTypeHost}),
		ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled),
		ice.WithIncludeLoopback(),
		ice.WithDisconnectedTimeout(silence),
		ice.WithFailedTimeout(patience),
		ice.WithKeepaliveInterval(keepAlive),
		ice.WithCheckInterval(checkEvery),
		ice.WithMaxBindingRequests(200), // the other end may answer seconds after the offer
		ice.WithPrflxAcceptanceMinWait(100*time.Millisecond),
		ice.WithSrflxAcceptanceMinWait(100*time.Millisecond),
		ice.WithRelayAcceptanceMinWait(200*time.Millisecond),
		ice.WithRenomination(ice.DefaultNominationValueGenerator()),
		ice.WithAutomaticRenomination(never), // steer does it; this makes ICE check all pairs
		ice.WithLoggerFactory(mute{}),
	)
}

// never is longer than any call.
const never = 1000 * 24 * time.Hour

// Offer begins a call: the Description is for the other end's Answer.
func (l *Leg) Offer(ctx context.Context) (Description, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started || l.offerer {
		return Description{}, fmt.Errorf("offer: %w", ErrOrder)
	}
	l.offerer = true
	l.tunnel.as(true)
	return l.describeLocked(ctx)
}

// Answer takes an offer, and begins to connect. The Description is for the
// other end's Accept. On a leg that was connected it takes the offer of a Restart.
func (l *Leg) Answer(ctx context.Context, offer Description) (Description, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.offerer {
		return Description{}, fmt.Errorf("answer: %w", ErrOrder)
	}
	if l.started {
		return l.followLocked(ctx, offer)
	}
	l.tunnel.as(false)
	d, err := l.describeLocked(ctx)
	if err != nil {
		return d, err
	}
	return d, l.startLocked(offer)
}

// Accept takes the answer to an offer or to a Restart, and begins to connect.
func (l *Leg) Accept(_ context.Context, answer Description) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.offerer {
		return fmt.Errorf("accept: %w", ErrOrder)
	}
	if l.started {
		return l.renewLocked(answer)
	}
	return l.startLocked(answer)
}

// Restart looks for paths anew, from the addresses we have now; the keys and
// the call stay, and so does the path in use until there is a better one. Only
// the end that made the offer restarts.
func (l *Leg) Restart(ctx context.Context) (Description, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.offerer || !l.started {
		return Description{}, fmt.Errorf("restart: %w", ErrOrder)
	}
	return l.againLocked(ctx, l.failed)
}

// State is how the leg is doing, with the reason where it is Failed or Closed.
func (l *Leg) State() (State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, l.why
}

// Changes carries a token after each change of State.
func (l *Leg) Changes() <-chan struct{} { return l.quiet }

// become notes a new state. Failed by a refused key, and Closed, are final.
func (l *Leg) become(s State, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.becomeLocked(s, why)
}

func (l *Leg) becomeLocked(s State, why error) {
	if l.state == s || l.state == Closed || l.state == Failed && l.why != nil && s != Closed {
		return
	}
	l.log.Debug("leg changed", "state", string(s), "err", why)
	l.state, l.why = s, why
	select {
	case l.quiet <- struct{}{}:
	default:
	}
}

// Close ends the leg, tells the other end where that is possible, and waits
// for everything the leg has started. Further calls wait likewise.
func (l *Leg) Close() error {
	var err error
	l.once.Do(func() {
		l.mu.Lock()
		l.becomeLocked(Closed, nil)
		secure, stop, ssrc := l.secure, l.stop, l.remote.SSRC
		l.mu.Unlock()
		l.cfg.Port.shortcut.shut(ssrc, l) // hands over what others get, and so takes their mu
		l.cfg.Port.leaving.RLock()        // never before mu: startLocked takes it behind mu
		defer l.cfg.Port.leaving.RUnlock()
		close(l.done)
		if secure != nil {
			_ = secure.Close() // says goodbye; the path may be gone already
		}
		if stop != nil {
			stop()
		}
		if err = l.agent.GracefulClose(); errors.Is(err, io.EOF) || errors.Is(err, ice.ErrClosed) {
			err = nil
		}
	})
	l.work.Wait()
	return err
}
