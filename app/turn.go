package app

import (
	"context"
	"errors"

	"github.com/entrenous/entrenous/app/node"
)

// turn is one run of a profile's node, until the daemon ends or a setting of
// the network asks for a node that begins anew with it.
type turn struct {
	node *node.Node
	end  chan struct{} // closed when it has to end
	gone chan struct{} // closed when it has
}

// during gives a context that ends with the turn.
func (t *turn) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		select {
		case <-t.end:
			stop()
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

// turn is the one that runs now, nil when there is none.
func (p *profile) turn() *turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// beginLocked opens a node and hands it over to be run.
func (p *profile) beginLocked(ctx context.Context) error {
	if p.over {
		return errNotReady
	}
	cfg := p.node
	cfg.Dir, cfg.Vault, cfg.Log = p.dir, p.vault, p.log
	n, err := node.Open(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return err
	}
	p.now = &turn{node: n, end: make(chan struct{}), gone: make(chan struct{})}
	p.turns <- p.now
	select {
	case <-p.ready:
	default:
		close(p.ready)
	}
	return nil
}

// again ends the node and begins a new one, with what is set by now. Whoever
// asks for the node meanwhile waits.
func (p *profile) again(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil {
		return errNotReady
	}
	close(p.now.end)
	<-p.now.gone
	p.now = nil
	if err := p.beginLocked(ctx); err != nil {
		if !p.over {
			p.over, p.failed = true, err
			close(p.turns)
		}
		return err
	}
	return nil
}

// finish closes what was opened and never run. No turn follows.
func (p *profile) finish() error {
	var err error
	drop := func() {
		select {
		case t, ok := <-p.turns:
			if ok {
				err = errors.Join(err, t.node.Close())
				close(t.gone)
			}
		default:
		}
	}
	drop() // somebody may hold the lock and wait for its end
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	drop()
	return errors.Join(err, p.failed)
}
