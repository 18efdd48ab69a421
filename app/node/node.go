// Package node is the core: one person's running account on one device. It
// hides how friends are found and kept connected, how events travel and heal,
// and what is stored when, behind verbs (Send, Add, Accept, …) and a stream of
// changes (Watch). It has no window and knows of none.
//
// A Node is made of workers with a state of their own: the people it knows
// (people), the live links to their devices (links), the keeper that opens
// links, and the watchers that are told what changed. Everything that another
// device sends comes in through one door, receive.
//
// Whoever is not to learn where this device is (Route) gets every address from
// one place, shownTo, is talked to through relays only, and called through the
// tunnel of such a link.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entrenous/entrenous/app/store"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/transport"
)

// Config says which account to run and how it meets the network.
type Config struct {
	Dir     string          // the profile folder
	Vault   *identity.Vault // opened
	Listen  []string        // multiaddrs; nil means every interface, on a port kept across restarts
	LANOnly bool            // talk only to addresses of local networks
	NoLAN   bool            // neither announce nor listen on the local network
	NoMap   bool            // do not ask the router to open a port
	// Bootstrap holds multiaddrs with /p2p/ where people are looked for besides
	// the addresses that their links and devices named.
	Bootstrap []string
	// DHT is the table by which friends who moved are found, if the settings allow it.
	DHT    *transport.DHT
	Relays []string         // multiaddrs with /p2p/ of relays to be reachable through
	World  *transport.World // nil is this machine
	Sound  Sound            // for calls; without Open there are none
	// AutoAnswer answers calls at once while no other goes on: for scripts.
	AutoAnswer bool
	Log        *slog.Logger     // nil discards
	Now        func() time.Time // the wall clock, for display only; nil is time.Now
}

// Node is one person's running account on one device. Its verbs are safe for
// concurrent use, from Open until Close.
type Node struct {
	cfg   Config
	log   *slog.Logger
	me    *account
	store *store.Store
	host  *transport.Host
	boot  [bootSize]byte // tells this run of the process from the one before

	changes  watchers
	people   people
	links    links
	keeper   keeper
	waits    waits
	guests   guests
	typing   typing
	around   around
	calls    calls
	choices  atomic.Pointer[Settings]
	network  Network // as stored when this node was opened
	lending  lending
	news     news
	presence presence
	finding  finding
	spent    spent
	gossip   gossip
	work     crew // the links that run
}

// Open opens the account's store and its place in the network. The caller runs
// Run, then Close.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	me, err := openAccount(cfg.Vault)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(cfg.Dir, storeName), Key: cfg.Vault.Key("db"), Self: me.id, Log: cfg.Log})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	n := &Node{cfg: cfg, log: cfg.Log, me: me, store: s, boot: newBoot()}
	n.keeper.wake, n.people.turn, n.gossip.wake = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)
	if err := n.load(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := n.listen(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := n.openCalls(); err != nil {
		return nil, errors.Join(err, n.host.Close(), s.Close())
	}
	return n, nil
}

// load reads what is kept in memory.
func (n *Node) load(ctx context.Context) error {
	choices, err := n.readSettings()
	if err != nil {
		return err
	}
	n.choices.Store(&choices)
	if err := errors.Join(n.readNetwork(), n.openBooks()); err != nil {
		return err
	}
	return n.reload(ctx)
}

// listen opens the host on the port used last time, where any port will do, so
// that friends find us at the address they know; on another one when that port
// is taken.
func (n *Node) listen(ctx context.Context) error {
	last := n.storedPort()
	again := onPort(n.cfg.Listen, last)
	free := len(n.cfg.Listen) == 0 || !slices.Equal(onPort(n.cfg.Listen, 1), n.cfg.Listen)
	cfg := transport.Config{
		Key: n.me.device.Peer, Listen: again, LANOnly: n.cfg.LANOnly, NoLAN: n.cfg.NoLAN, Relays: n.cfg.Relays,
		World: n.cfg.World, DHT: n.cfg.DHT, Log: n.log, Allow: n.allowPeer, Route: n.mayRoute, Punch: n.mayPunch, Lend: n.lendConfig(), Port: last,
		MapPort: !n.cfg.NoMap && len(n.cfg.Listen) == 0,
	}
	host, err := transport.Listen(ctx, cfg)
	if errors.Is(err, transport.ErrAddrInUse) && free && last != 0 {
		n.log.Info("last port is taken, using another", "port", last)
		cfg.Listen, cfg.Port = n.cfg.Listen, 0
		host, err = transport.Listen(ctx, cfg)
	}
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	n.host = host
	if port := host.Port(); free && port != 0 && port != last {
		return n.keepPort(ctx, port)
	}
	return nil
}

// onPort puts a port in the place of each that is 0, which means any.
func onPort(listen []string, port int) (out []string) {
	for _, a := range listen {
		for _, kind := range []string{"/udp/", "/tcp/"} {
			at, behind, ok := strings.Cut(a, kind+"0")
			if ok && (behind == "" || behind[0] == '/') {
				a = at + kind + strconv.Itoa(port) + behind
			}
		}
		out = append(out, a)
	}
	return out
}

// Run keeps the account alive until ctx ends: it answers, dials and carries.
// The links live on until the calls have ended, for these say goodbye by them.
// It returns after everything that it started has returned.
func (n *Node) Run(ctx context.Context) error {
	linked, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	n.serve(liveProtocol, func(s *transport.Stream) { n.answer(ctx, linked, s) })
	n.serve(tunnelProtocol, n.answerTunnel)
	n.serve(recordProtocol, func(s *transport.Stream) { n.giveRecord(ctx, s) })
	var group sync.WaitGroup
	group.Go(func() { n.keep(ctx, linked) })
	group.Go(func() { n.followNetwork(ctx) })
	group.Go(func() { n.discover(ctx) })
	group.Go(func() { n.findFar(ctx) })
	group.Go(func() { n.passOn(ctx) })
	group.Go(func() { n.operate(ctx) })
	group.Go(func() { n.keepBooks(ctx) })
	n.borrowAll(ctx)
	<-ctx.Done()
	group.Wait()
	n.links.part()
	cut()
	n.work.wait()
	n.typing.stop()
	n.around.hide()
	return nil
}

// serve answers streams of a protocol with f; Run waits for each.
func (n *Node) serve(protocol string, f func(*transport.Stream)) {
	n.host.Handle(protocol, func(s *transport.Stream) {
		if !n.work.join() {
			_ = s.Reset()
			return
		}
		defer n.work.leave()
		f(s)
	})
}

// Close lets go of the network and the store. Run has returned before.
func (n *Node) Close() error {
	return errors.Join(n.calls.port.Close(), n.host.Close(), n.store.Close())
}

// ID is the person.
func (n *Node) ID() identity.ID { return n.me.id }

// Device is this device.
func (n *Node) Device() identity.DeviceID { return n.me.device.ID() }

// Addrs are the multiaddrs this node listens on.
func (n *Node) Addrs() []string { return n.host.Addrs() }

// now is the wall clock in Unix milliseconds.
func (n *Node) now() int64 { return n.cfg.Now().UnixMilli() }

// Errors of the disk that a caller may want to tell apart; they come wrapped.
var (
	ErrDiskFull = store.ErrDiskFull
	ErrReadOnly = store.ErrReadOnly
)
