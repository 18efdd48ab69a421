package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/control/server"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/media/device"
)

// daemon is a node running without a window: its API, its tray icon and its
// notifications. A window is a client of it like any other.
type daemon struct {
	dir        string
	passphrase func() (string, error) // asked for when the profile needs one; nil waits for the API
	setup      bool                   // an empty profile waits for the API instead of being an error
	desktop    bool                   // show a tray icon and notifications where there is a desktop
	cfg        node.Config
	bell       func() (device.Speaker, error) // opens the loudspeaker that rings; nil for silence
	log        *slog.Logger
	ready      func(*node.Node) // called once the node runs
}

// run runs until ctx ends or a client asks for it.
func (d *daemon) run(ctx context.Context) error {
	// The window that started us reads what we log; when it is gone we live on.
	signal.Ignore(syscall.SIGPIPE)
	p := newProfile(d.dir, d.cfg, d.log)
	if state, _ := p.state(); state == control.Empty && !d.setup { // before anything is written
		return &control.Failure{Message: "There is no identity in " + d.dir + " yet", Hint: "Make one with “entrenous init --name NAME”", Code: control.CodeState}
	}
	l, err := takeLock(d.dir)
	if err != nil {
		return err
	}
	defer l.release()
	if err := d.open(ctx, p); err != nil {
		return err
	}
	listener, err := listenLocal(ctx, d.dir)
	if err != nil {
		if n := p.current(); n != nil {
			err = errors.Join(err, n.Close())
		}
		return err
	}
	return d.serve(ctx, p, listener)
}

// open unlocks the profile, if it can be without asking through the API.
func (d *daemon) open(ctx context.Context, p *profile) error {
	state, kept := p.state()
	switch {
	case state == control.Empty:
		return nil
	case kept != "passphrase":
		return p.unlock(ctx, "")
	case d.passphrase == nil:
		return nil
	}
	passphrase, err := d.passphrase()
	if err != nil {
		return err
	}
	return p.unlock(ctx, passphrase)
}

func (d *daemon) serve(ctx context.Context, p *profile, listener net.Listener) error {
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	s := server.New(server.Profile{
		Dir: d.dir, State: p.state, Node: p.current, Setup: p.setup, Unlock: p.unlock, Check: p.check, Backup: p.backup,
		Again: p.again, Quit: quit, PID: os.Getpid(),
	}, d.log)
	var work sync.WaitGroup
	var failed error
	work.Go(func() {
		failed = d.runNode(ctx, p, s, quit)
		quit()
	})
	work.Go(func() {
		if err := rest(ctx); err != nil {
			d.log.Debug("memory of the start not given back", "err", err)
		}
	})
	err := s.Serve(ctx, listener)
	_ = os.Remove(filepath.Join(d.dir, control.SocketName)) // a dead one is replaced all the same
	quit()
	work.Wait()
	return errors.Join(err, failed)
}

// runNode runs each node of the profile, with what belongs to it.
func (d *daemon) runNode(ctx context.Context, p *profile, s *server.Server, quit func()) error {
	var desk sync.WaitGroup
	defer desk.Wait()
	if d.desktop {
		desk.Go(func() { showDesktop(ctx, d.dir, p, quit, d.log) })
	}
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return p.finish()
		case t, ok := <-p.turns:
			if !ok {
				return p.finish()
			}
			s.Opened()
			if first && d.ready != nil {
				d.ready(t.node)
			}
			if err := d.runTurn(ctx, t); err != nil {
				return errors.Join(err, p.finish())
			}
		}
	}
}

// runTurn runs one node until its turn ends.
func (d *daemon) runTurn(ctx context.Context, t *turn) error {
	ctx, stop := t.during(ctx)
	defer stop()
	var bell sync.WaitGroup
	if d.bell != nil {
		bell.Go(func() { (&ringer{node: t.node, open: d.bell, log: d.log}).run(ctx) })
	}
	err := t.node.Run(ctx)
	bell.Wait()
	err = errors.Join(err, t.node.Close())
	close(t.gone)
	return err
}

// listenLocal opens the socket of the API. The lock is held: a socket that is
// there is a dead one's.
func listenLocal(ctx context.Context, dir string) (net.Listener, error) {
	path := filepath.Join(dir, control.SocketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, cannotWrite(dir, err)
	}
	l, err := control.Listen(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("open the local API: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(cannotWrite(dir, err), l.Close())
	}
	return l, nil
}
