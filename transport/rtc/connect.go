package rtc

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/pion/ice/v4"
)

// gathered is told of each address that ICE found; nil is the end.
func (l *Leg) gathered(c ice.Candidate) {
	if c != nil {
		return
	}
	select {
	case l.found <- struct{}{}:
	default:
	}
}

// describeLocked gathers, and says how this end is reached.
func (l *Leg) describeLocked(ctx context.Context) (Description, error) {
	if l.state == Closed {
		return Description{}, ErrClosed
	}
	if err := l.agent.GatherCandidates(); err != nil {
		return Description{}, fmt.Errorf("gather addresses: %w", err)
	}
	select {
	case <-l.found:
	case <-l.done:
		return Description{}, ErrClosed
	case <-ctx.Done():
		return Description{}, ctx.Err()
	}
	return l.presentLocked()
}

// presentLocked says how this end is reached now.
func (l *Leg) presentLocked() (Description, error) {
	var err error
	d := l.local
	if d.Ufrag, d.Password, err = l.agent.GetLocalUserCredentials(); err != nil {
		return d, fmt.Errorf("gather addresses: %w", err)
	}
	d.Candidates = l.candidates()
	return d, nil
}

// Preferences of kinds (RFC 8445 §5.1.2.2).
const (
	preferHost      = 126
	preferReflexive = 100
	preferTunnel    = 0
)

// candidates lists where this end may be reached. ICE has one of its own for
// each socket; which of our addresses a packet was sent to makes no difference
// to it.
func (l *Leg) candidates() []Candidate {
	var out []Candidate
	add := func(k Kind, preference uint32, addrs []netip.AddrPort) {
		for _, a := range addrs {
			if len(out) == maxCandidates-1 { // the tunnel's is the last
				return
			}
			a = netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
			local := uint32(65535 - len(out))
			if a.Addr().Is4() {
				local -= 1 << 10 // IPv6 first: no NAT
			}
			out = append(out, Candidate{Kind: k, Addr: a, Priority: preference<<24 | local<<8 | 255})
		}
	}
	if !l.cfg.Tunnelled {
		add(Host, preferHost, l.cfg.Port.addrs())
		if l.cfg.Reflexive != nil {
			add(Reflexive, preferReflexive, l.cfg.Reflexive())
		}
	}
	return append(out, Candidate{Kind: Relayed, Addr: l.tunnel.local.AddrPort(), Priority: preferTunnel<<24 | 255<<8 | 255})
}

// startLocked begins to connect to the end that remote describes.
func (l *Leg) startLocked(remote Description) error {
	if l.state == Closed {
		return ErrClosed
	}
	l.cfg.Port.leaving.Lock()
	defer l.cfg.Port.leaving.Unlock()
	l.remote, l.described, l.started = remote, time.Now(), true
	l.door.hope()
	if err := l.addRemoteLocked(remote); err != nil {
		return err
	}
	connect := l.agent.StartAccept
	if l.offerer {
		connect = l.agent.StartDial
	}
	conn, err := connect(remote.Ufrag, remote.Password)
	if err != nil {
		return fmt.Errorf("start ICE: %w", err)
	}
	l.conn = conn
	l.becomeLocked(Connecting, nil)
	ctx, stop := context.WithCancel(context.Background()) // ends with Close
	l.stop = stop
	shake := newHandshake(conn)
	l.work.Go(func() { l.read(conn, shake) })
	l.work.Go(func() { l.establish(ctx, shake, remote) })
	l.work.Go(l.steer)
	return nil
}

// maxTried is how many addresses of the other end ICE tries until it begins from
// nothing. It pairs each with each of ours, looks through all pairs for each new
// one, and has no bound of its own.
const maxTried = 4 * maxCandidates

// addRemoteLocked tells ICE where the other end may be reached.
func (l *Leg) addRemoteLocked(remote Description) error {
	for _, c := range remote.Candidates {
		if !l.mayTry(c) || len(l.tried) >= maxTried && !l.tried[c.Addr] {
			continue
		}
		if l.tried == nil {
			l.tried = map[netip.AddrPort]bool{}
		}
		l.tried[c.Addr] = true
		l.door.expect(c.Addr)
		cand, err := iceCandidate(c)
		if err == nil {
			err = l.agent.AddRemoteCandidate(cand)
		}
		if err != nil {
			return fmt.Errorf("address %v: %w", c.Addr, err)
		}
	}
	return nil
}

// mayTry says whether a candidate of the other end is for us.
func (l *Leg) mayTry(c Candidate) bool {
	if tunnelled(c.Addr.Addr()) {
		return c.Kind == Relayed
	}
	return !l.cfg.Tunnelled && (l.cfg.Allow == nil || l.cfg.Allow(c.Addr.Addr()))
}

func iceCandidate(c Candidate) (ice.Candidate, error) {
	ip, port := c.Addr.Addr().String(), int(c.Addr.Port())
	switch c.Kind {
	case Reflexive:
		return ice.NewCandidateServerReflexive(&ice.CandidateServerReflexiveConfig{
			Network: "udp", Address: ip, Port: port, Component: ice.ComponentRTP, Priority: c.Priority, RelAddr: "0.0.0.0",
		})
	case Relayed:
		return ice.NewCandidateRelay(&ice.CandidateRelayConfig{
			Network: "udp", Address: ip, Port: port, Component: ice.ComponentRTP, Priority: c.Priority, RelAddr: "0.0.0.0",
		})
	case Host:
	}
	return ice.NewCandidateHost(&ice.CandidateHostConfig{
		Network: "udp", Address: ip, Port: port, Component: ice.ComponentRTP, Priority: c.Priority,
	})
}

// errOther means that a restart describes another end than the one we talk to.
var errOther = errors.New("another end than before")

func (l *Leg) sameLocked(d Description) error {
	if d.Fingerprint != l.remote.Fingerprint || d.SSRC != l.remote.SSRC {
		return fmt.Errorf("restart: %w: %w", errOther, ErrFingerprint)
	}
	return nil
}

// againLocked describes this end anew. Where ICE has given up it begins from
// nothing (RFC 8445 §9, ICE restart); else what it knows and the path in use
// stay, and new addresses come beside the old (RFC 8838 §14).
func (l *Leg) againLocked(ctx context.Context, fromNothing bool) (Description, error) {
	l.door.hope()
	if !fromNothing {
		return l.presentLocked()
	}
	if err := l.agent.Restart("", ""); err != nil {
		return Description{}, fmt.Errorf("restart ICE: %w", err)
	}
	l.failed, l.tried = false, nil // ICE forgets them
	l.door.forget()
	return l.describeLocked(ctx)
}

// followLocked answers the other end's restart.
func (l *Leg) followLocked(ctx context.Context, offer Description) (Description, error) {
	if err := l.sameLocked(offer); err != nil {
		return Description{}, err
	}
	d, err := l.againLocked(ctx, l.failed || offer.Ufrag != l.remote.Ufrag)
	if err != nil {
		return d, err
	}
	return d, l.renewLocked(offer)
}

// renewLocked takes the addresses that the other end has now.
func (l *Leg) renewLocked(d Description) error {
	if err := l.sameLocked(d); err != nil {
		return err
	}
	other := d.Ufrag != l.remote.Ufrag || d.Password != l.remote.Password
	l.remote, l.described = d, time.Now()
	if other {
		if err := l.agent.SetRemoteCredentials(d.Ufrag, d.Password); err != nil {
			return fmt.Errorf("restart ICE: %w", err)
		}
	}
	l.door.hope()
	return l.addRemoteLocked(d)
}

// pathChanged is told how ICE is doing.
func (l *Leg) pathChanged(s ice.ConnectionState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s {
	case ice.ConnectionStateConnected, ice.ConnectionStateCompleted:
		l.path, l.failed, l.doubted = true, false, false
		l.chosenLocked()
		if l.out != nil {
			l.becomeLocked(Connected, nil)
		}
	case ice.ConnectionStateDisconnected: // sending goes on: it may be one direction only
		l.doubted = true
		l.judgeLocked(time.Now())
	case ice.ConnectionStateFailed:
		l.path, l.failed = false, true
		l.becomeLocked(Failed, nil)
	case ice.ConnectionStateChecking:
		if l.path { // a restart begins
			l.path = false
			l.becomeLocked(Interrupted, nil)
		}
	case ice.ConnectionStateUnknown, ice.ConnectionStateNew, ice.ConnectionStateClosed:
	}
}

// pathChosen is told when ICE has chosen another path.
func (l *Leg) pathChosen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chosenLocked()
}

func (l *Leg) chosenLocked() {
	l.using, l.straight = netip.AddrPort{}, nil
	pair, err := l.agent.GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return
	}
	l.using = addrOf(pair.Remote)
	if !tunnelled(l.using.Addr()) && !tunnelled(addrOf(pair.Local).Addr()) {
		l.straight = l.cfg.Port.straight(addrOf(pair.Local))
	}
}

// judge decides whether a leg is Interrupted of which ICE heard nothing for long.
func (l *Leg) judge(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.judgeLocked(now)
}

func (l *Leg) judgeLocked(now time.Time) {
	switch {
	case !l.doubted || !l.path || l.out == nil:
	case l.bringsLocked(l.using, now, silence):
		l.becomeLocked(Connected, nil)
	default:
		l.becomeLocked(Interrupted, nil)
	}
}

// bringsLocked says whether sound came from an address within a time, which ICE does
// not know where sound is kept apart.
func (l *Leg) bringsLocked(a netip.AddrPort, now time.Time, within time.Duration) bool {
	return l.from == netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port()) && now.Sub(l.came) < within
}

// Path is how packets travel now.
type Path struct {
	Kind          Kind // of the farther end; 0 while there is no path
	Local, Remote netip.AddrPort
}

// Path says how packets travel now.
func (l *Leg) Path() Path {
	pair, err := l.agent.GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return Path{}
	}
	p := Path{Kind: Host, Local: addrOf(pair.Local), Remote: addrOf(pair.Remote)}
	switch pair.Remote.Type() {
	case ice.CandidateTypeServerReflexive, ice.CandidateTypePeerReflexive:
		p.Kind = Reflexive
	case ice.CandidateTypeRelay:
		p.Kind = Relayed
	case ice.CandidateTypeHost, ice.CandidateTypeUnspecified:
	}
	return p
}

func addrOf(c ice.Candidate) netip.AddrPort {
	ip, err := netip.ParseAddr(c.Address())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, uint16(c.Port()))
}
