package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entrenous/entrenous/transport"
)

const (
	ledgerName = "relay.ledger"
	bookEvery  = time.Minute
)

// relayBooks are what a relay passed on, kept in a file of its profile, and
// shown to a monitoring program.
type relayBooks struct {
	file  string
	month int64 // bytes a month, 0 is no limit
	meter *transport.Meter
	log   *slog.Logger

	mu     sync.Mutex
	ledger transport.Ledger
	booked int64
}

func openBooks(dir string, month int64, m *transport.Meter, log *slog.Logger) (*relayBooks, error) {
	b := &relayBooks{file: filepath.Join(dir, ledgerName), month: month, meter: m, log: log}
	text, err := os.ReadFile(b.file)
	if err == nil {
		err = json.Unmarshal(text, &b.ledger)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read what was passed on: %w", err)
	}
	return b, b.book(time.Now())
}

// book writes down what was passed on since the last time, and lets no more
// through than the month has left.
func (b *relayBooks) book(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	each := map[string]int64{}
	for p, n := range b.meter.Take() {
		each[string(p)] = n
	}
	total := b.meter.Read().Bytes
	more := total - b.booked
	b.ledger.Add(now, more, each)
	b.meter.Allow(b.ledger.Left(now, b.month))
	if more == 0 {
		return nil
	}
	text, err := json.Marshal(b.ledger)
	if err != nil {
		return fmt.Errorf("encode what was passed on: %w", err)
	}
	next := b.file + ".new"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("keep what was passed on: %w", err)
	}
	if err := os.Rename(next, b.file); err != nil {
		return fmt.Errorf("keep what was passed on: %w", err)
	}
	b.booked = total
	return nil
}

// run keeps the books until ctx ends.
func (b *relayBooks) run(ctx context.Context) {
	tick := time.NewTicker(bookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		if err := b.book(time.Now()); err != nil {
			b.log.Warn("relay", "err", err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// metrics writes the state in Prometheus' text format, version 0.0.4.
func (b *relayBooks) metrics(w io.Writer) {
	if err := b.book(time.Now()); err != nil {
		b.log.Warn("relay", "err", err)
	}
	r := b.meter.Read()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range []struct {
		name, kind, help string
		value            int64
	}{
		{"bytes_total", "counter", "Bytes passed on since the start.", r.Bytes},
		{"circuits", "gauge", "Connections passed on now.", r.Circuits},
		{"circuits_total", "counter", "Connections passed on since the start.", r.Opened},
		{"reservations", "gauge", "Devices that can be reached through the relay now.", r.Reservations},
		{"refused_total", "counter", "Requests refused since the start.", r.Refused},
		{"month_bytes", "gauge", "Bytes passed on this month.", b.ledger.Bytes},
		{"month_limit_bytes", "gauge", "Bytes that may be passed on a month; 0 is no limit.", b.month},
	} {
		fmt.Fprintf(w, "# HELP entrenous_relay_%s %s\n# TYPE entrenous_relay_%s %s\nentrenous_relay_%s %d\n", m.name, m.help, m.name, m.kind, m.name, m.value)
	}
	fmt.Fprint(w, "# HELP entrenous_relay_week_bytes Bytes to and from a device since Monday.\n# TYPE entrenous_relay_week_bytes gauge\n")
	var peers []string
	for p := range b.ledger.Each {
		peers = append(peers, p)
	}
	slices.Sort(peers)
	for _, p := range peers {
		fmt.Fprintf(w, "entrenous_relay_week_bytes{peer=%q} %d\n", p, b.ledger.Each[p])
	}
}

// serve answers a monitoring program on this machine until ctx ends.
func (b *relayBooks) serve(ctx context.Context, at string) (addr string, wait func() error, err error) {
	host, _, err := net.SplitHostPort(at)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", nil, &usageError{fmt.Errorf("--metrics %s: not an address of this machine such as 127.0.0.1:9464", at)}
	}
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", at)
	if err != nil {
		return "", nil, fmt.Errorf("open the metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		b.metrics(w)
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	return l.Addr().String(), func() error {
		err := s.Close()
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}, nil
}

// only gives a check whether a peer is among those named; nil for nobody named.
func only(peers []string) (func(transport.Peer) bool, error) {
	if len(peers) == 0 {
		return nil, nil
	}
	named := map[transport.Peer]bool{}
	for _, text := range peers {
		_, id, found := strings.Cut(text, "/p2p/")
		if !found {
			id = text
		}
		p, err := transport.ParsePeer(id)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--for %s: not a peer id, nor an address with one", text)}
		}
		named[p] = true
	}
	return func(p transport.Peer) bool { return named[p] }, nil
}
