package transport

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Beacon is what Discover says and hears on the local network.
type Beacon struct {
	// Tags returns the tags to announce during hour (hours since 1970): one for
	// each contact, made with LANTag. Discover shuffles and pads them. Of more
	// than 256 the rest is left out.
	Tags func(hour int64) [][8]byte
	// Seen is called for each announcement heard: where somebody listens
	// (multiaddrs without /p2p/) and the tags they announced. Whose they are is
	// for the caller to find out; they may be anybody's copy. It must not block.
	Seen func(addrs []string, tags [][8]byte)
	// Card is what to tell everybody on the network about us, up to MaxCard bytes;
	// nil or an empty answer tells nothing. Refresh makes a change known.
	Card func() string
	// Met is called for each card heard, with where its sender listens. Anybody
	// may have written it. It must not block; nil ignores cards.
	Met func(addrs []string, card string)
}

const (
	hourLength = int64(time.Hour / time.Second)

	// Strangers on the network may make us work no more than this, all together
	// and each address of theirs.
	heardPerSecond, heardBurst        = 100, 400
	heardPerNeighbour, neighbourBurst = 5, 20
	maxNeighbours                     = 1024
	// Answers to queries wait for more queries and keep apart, RFC 6762 §6.
	answerMin, answerSpread = 20 * time.Millisecond, 100 * time.Millisecond
	answerApart             = time.Second
	// hourSpread keeps a network's hosts from all announcing as the clock strikes.
	hourSpread = 20 * time.Second
)

// announceAt are the pauses before a new announcement is repeated, in case one
// is lost. After that there is silence until something changes or somebody asks.
func announceAt() []time.Duration { return []time.Duration{0, time.Second, 2 * time.Second} }

// Refresh makes Discover announce again, with the tags that hold now.
func (h *Host) Refresh() {
	select {
	case h.refresh <- struct{}{}:
	default:
	}
}

// Discover announces this host on the local networks and listens for others
// until ctx or the host ends; then it returns nil. It speaks when it starts,
// when asked, and when tags, hour or network change. A host with NoLAN or in a
// World stays silent.
func (h *Host) Discover(ctx context.Context, b Beacon) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !h.begin() {
		return fmt.Errorf("discover: %w", ErrClosed)
	}
	defer h.wg.Done()
	changes, stop := h.Watch()
	moved := make(chan struct{}, 1)
	var wg sync.WaitGroup
	wg.Go(func() { // ends with the watch, which ends with this call or the host
		for e := range changes {
			if e.Kind == NetworkChanged {
				stir(moved)
			}
		}
		cancel()
	})
	defer wg.Wait()
	defer stop()
	for ctx.Err() == nil {
		if err := h.discoverHere(ctx, b, moved); err != nil {
			h.log.Warn("local network discovery pauses until the network changes", "err", err)
		}
	}
	return nil
}

// discoverHere works on the networks there are now, and returns when they change or ctx ends.
func (h *Host) discoverHere(ctx context.Context, b Beacon, moved <-chan struct{}) error {
	wait := func() {
		select {
		case <-ctx.Done():
		case <-moved:
		}
	}
	if h.cfg.NoLAN || h.cfg.World != nil {
		<-ctx.Done()
		return nil
	}
	on, err := links()
	if err != nil || len(on) == 0 {
		wait()
		return err
	}
	m, err := joinMDNS(on)
	if err != nil {
		wait()
		return err
	}
	f := &finder{
		host: h, mdns: m, beacon: b, asked: make(chan struct{}, 1),
		limits: newHearing(),
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer m.close()
	if m.v4 != nil {
		wg.Go(func() { m.receive4(f.hear) })
	}
	if m.v6 != nil {
		wg.Go(func() { m.receive6(f.hear) })
	}
	f.run(ctx, moved)
	return nil
}

// finder announces and listens on one set of links.
type finder struct {
	host   *Host
	mdns   *mdns
	beacon Beacon
	limits *hearing
	asked  chan struct{} // a token: somebody wants an announcement

	mu  sync.Mutex
	own []beacon // as announced, without addresses
}

// run speaks until the network moves or ctx ends, and takes its leave.
func (f *finder) run(ctx context.Context, moved <-chan struct{}) {
	defer func() { f.announce(0) }()
	for {
		f.renew()
		hour := time.NewTimer(untilNextHour(time.Now()))
		again := f.speak(ctx, hour.C, moved)
		hour.Stop()
		if !again {
			return
		}
		f.announce(0) // what was said does not hold any more
	}
}

// speak announces, repeats and answers. It returns true when there is
// something new to announce, false when the network moves or ctx ends.
func (f *finder) speak(ctx context.Context, hour <-chan time.Time, moved <-chan struct{}) bool {
	plan := announceAt()
	repeat := time.NewTimer(plan[0] + jitter(answerSpread))
	defer repeat.Stop()
	answer := time.NewTimer(0)
	answer.Stop()
	defer answer.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return false
		case <-moved:
			return false
		case <-hour:
			return true
		case <-f.host.refresh:
			return true
		case <-repeat.C:
			f.ask()
			f.announce(recordTTL)
			last = time.Now()
			if plan = plan[1:]; len(plan) > 0 {
				repeat.Reset(plan[0])
			}
		case <-f.asked:
			answer.Reset(max(answerMin+jitter(answerSpread), answerApart-time.Since(last)))
		case <-answer.C:
			f.announce(recordTTL)
			last = time.Now()
		}
	}
}

func jitter(spread time.Duration) time.Duration { return mathrand.N(spread) }

func untilNextHour(now time.Time) time.Duration {
	next := time.Unix((now.Unix()/hourLength+1)*hourLength, 0)
	return next.Sub(now) + jitter(hourSpread)
}

// renew makes new announcements from the tags that hold now.
func (f *finder) renew() {
	own := newBeacons(f.beacon.Tags(time.Now().Unix() / hourLength))
	if f.beacon.Card != nil {
		own[0].card = f.beacon.Card()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.own = own
}

// ask multicasts a query on every link.
func (f *finder) ask() {
	q, err := lanQuery()
	if err != nil {
		return
	}
	for _, l := range f.mdns.links {
		f.mdns.send(l, q)
	}
}

// announce multicasts our announcements, on each link with our addresses there
// and no others. A ttl of 0 takes them back.
func (f *finder) announce(ttl uint32) {
	f.mu.Lock()
	own := f.own
	f.mu.Unlock()
	for _, l := range f.mdns.links {
		here := f.host.listeningOn(l)
		if len(here.ips) == 0 {
			continue
		}
		for _, b := range own {
			b.udp, b.tcp, b.ips = here.udp, here.tcp, here.ips
			packet, err := b.encode(ttl)
			if err != nil {
				f.host.log.Debug("announce on the local network", "err", err)
				return
			}
			f.mdns.send(l, packet)
		}
	}
}

// hear takes a packet that a neighbour sent over l.
func (f *finder) hear(l link, from netip.Addr, packet []byte) {
	if !concernsUs(packet) || !f.limits.allow(from) {
		return
	}
	got, err := parseLAN(packet)
	if err != nil {
		return
	}
	if got.asked {
		stir(f.asked)
	}
	if got.told == nil || f.isOwn(got.told.instance) {
		return
	}
	if addrs := got.told.addrs(l.onLink); len(addrs) > 0 {
		f.beacon.Seen(addrs, got.told.tags)
		if got.told.card != "" && f.beacon.Met != nil {
			f.beacon.Met(addrs, got.told.card)
		}
	}
}

func (f *finder) isOwn(instance string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.own {
		if b.instance == instance {
			return true
		}
	}
	return false
}

// listeningOn returns where this host can be dialled on a link.
func (h *Host) listeningOn(l link) beacon {
	var here beacon
	seen := map[netip.Addr]bool{}
	for _, a := range h.listening() {
		ip, ok := addrIP(a)
		if !ok || !l.onLink(ip) {
			continue
		}
		here.takePort(a)
		if !seen[ip] && len(here.ips) < maxLANIPs {
			seen[ip] = true
			here.ips = append(here.ips, ip)
		}
	}
	return here
}

// hearing bounds how many packets are looked at, so that one neighbour who
// shouts does not drown the others.
type hearing struct {
	all *rate.Limiter

	mu   sync.Mutex
	each map[netip.Addr]*rate.Limiter
}

func newHearing() *hearing {
	return &hearing{all: rate.NewLimiter(heardPerSecond, heardBurst), each: map[netip.Addr]*rate.Limiter{}}
}

func (h *hearing) allow(from netip.Addr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.each[from]
	if one == nil {
		if len(h.each) >= maxNeighbours {
			clear(h.each)
		}
		one = rate.NewLimiter(heardPerNeighbour, neighbourBurst)
		h.each[from] = one
	}
	return one.Allow() && h.all.Allow()
}
