package node

import "sync"

// crew counts what works for a node, so that Run can wait for all of it. Once
// it waits, nobody joins any more.
type crew struct {
	mu   sync.Mutex
	over bool
	wg   sync.WaitGroup
}

// join counts the caller in; it calls leave when it is through. False means
// that it is too late.
func (c *crew) join() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.wg.Add(1)
	return true
}

func (c *crew) leave() { c.wg.Done() }

// run calls f in a goroutine, unless it is too late.
func (c *crew) run(f func()) {
	if !c.join() {
		return
	}
	go func() {
		defer c.leave()
		f()
	}()
}

// wait returns when everybody has left.
func (c *crew) wait() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.wg.Wait()
}
