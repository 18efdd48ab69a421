package rtc

import (
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/ice/v4"
)

const (
	// steerEvery is the pause between two looks at the paths there are.
	steerEvery = 200 * time.Millisecond
	// stale is how long a path may bring nothing while another one answers.
	stale = 600 * time.Millisecond
	// quiet is how long no sound may come before the other end is told once more
	// which path is in use: it may have missed that.
	quiet = 300 * time.Millisecond
	// anew is how long after a change of addresses both ends work on new paths.
	anew = 5 * time.Second
)

// steer keeps the leg on the best path that answers until it ends. ICE chooses
// once; here the end that made the offer chooses again, as long as the call
// lasts (draft-thatcher-ice-renomination). The path in use stays until another
// one has answered, so nothing is lost on the way from one to the other.
func (l *Leg) steer() {
	tick := time.NewTicker(steerEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case now := <-tick.C:
			l.cfg.Port.shortcut.lookAgain(now, steerEvery)
			l.judge(now)
			l.mu.Lock()
			fresh, heard, remote := now.Sub(l.described) < anew, l.heard, l.remote.Candidates
			l.mu.Unlock()
			if fresh {
				l.punch(remote)
			}
			if l.offerer {
				l.choose(now, fresh || now.Sub(heard) > quiet)
			}
		}
	}
}

// choose nominates the best path that answers, if it is not the one in use or
// if the other end may not know.
func (l *Leg) choose(now time.Time, repeat bool) {
	using, err := l.agent.GetSelectedCandidatePair()
	if err != nil || using == nil {
		return
	}
	best, current := l.paths(now, using)
	if best == nil || best.same(current) && !repeat {
		return
	}
	if current != nil && !best.same(current) {
		l.log.Debug("another path", "from", addrOf(current.remote), "to", addrOf(best.remote))
		l.tunnel.hope()
	}
	// As an option, for ICE does not guard RenominateCandidate by itself. Where it
	// fails the next look tries again.
	_ = l.agent.UpdateOptions(func(a *ice.Agent) error { return a.RenominateCandidate(best.local, best.remote) })
}

// way is a pair of candidates.
type way struct {
	local, remote ice.Candidate
	answered      time.Time
	alive         bool
}

func (w *way) same(o *way) bool {
	return o != nil && w.local.Equal(o.local) && w.remote.Equal(o.remote)
}

// better compares two ways: the lower of the two ends' priorities decides, then
// the higher (RFC 8445 §6.1.2.3).
func (w *way) better(o *way) bool {
	a, b := w.local.Priority(), w.remote.Priority()
	c, d := o.local.Priority(), o.remote.Priority()
	if min(a, b) != min(c, d) {
		return min(a, b) > min(c, d)
	}
	return max(a, b) > max(c, d)
}

// paths finds the best way that is alive, and the one in use. The one in use is
// alive as long as anything comes from its far end.
func (l *Leg) paths(now time.Time, using *ice.CandidatePair) (best, current *way) {
	ends := map[string]ice.Candidate{}
	local, err := l.agent.GetLocalCandidates()
	if err != nil {
		return nil, nil
	}
	remote, err := l.agent.GetRemoteCandidates()
	if err != nil {
		return nil, nil
	}
	for _, c := range append(local, remote...) {
		ends[c.ID()] = c
	}
	for _, s := range l.agent.GetCandidatePairsStats() {
		w := &way{local: ends[s.LocalCandidateID], remote: ends[s.RemoteCandidateID], answered: s.LastResponseTimestamp}
		if w.local == nil || w.remote == nil {
			continue
		}
		limit := stale
		if w.local.Address() == dummy().String() {
			limit = stale + 2*thrift
		}
		w.alive = now.Sub(w.answered) < limit
		if w.local.Equal(using.Local) && w.remote.Equal(using.Remote) {
			current = w
			w.alive = w.alive || now.Sub(w.remote.LastReceived()) < stale || l.brings(addrOf(w.remote), now)
		}
		if !l.listed(w.remote) {
			w.alive = false
		}
		if w.alive && (best == nil || w.better(best)) {
			best = w
		}
	}
	return best, current
}

// brings says whether sound comes from an address.
func (l *Leg) brings(a netip.AddrPort, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bringsLocked(a, now, stale)
}

// listed says whether the other end still names an address of its own. One that
// was found by its packets alone is never named.
func (l *Leg) listed(c ice.Candidate) bool {
	if c.Type() == ice.CandidateTypePeerReflexive {
		return true
	}
	a := addrOf(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.remote.Candidates, func(r Candidate) bool { return r.Addr == a })
}

// punch opens our router for checks of the other end, which asks from the
// addresses that it described: while a path is in use ICE at the answering end
// sends nothing to others. An indication wants no answer (RFC 8445 §11).
func (l *Leg) punch(remote []Candidate) {
	var b [stunHeader]byte
	binary.BigEndian.PutUint16(b[:], stunIndication)
	binary.BigEndian.PutUint32(b[4:], stunCookie)
	rand.Read(b[8:])
	for _, c := range remote {
		if c.Kind == Relayed || !l.mayTry(c) {
			continue
		}
		l.cfg.Port.write(b[:], c.Addr)
	}
}

// write sends b to an address from every socket of its family.
func (p *Port) write(b []byte, to netip.AddrPort) {
	for _, s := range p.sockets {
		if local, ok := netip.AddrFromSlice(s.local.IP); ok && local.Unmap().Is4() == to.Addr().Is4() {
			_, _ = s.conn.WriteTo(b, net.UDPAddrFromAddrPort(to)) // one of several tries
		}
	}
}
