package noise

import (
	"bufio"
	"crypto/rand"
	"errors"
	"net"
	"testing"

	flynn "github.com/flynn/noise"
)

// stirred runs the end of a handshake between two ends that may believe
// different things about it.
func stirred(t *testing.T, change func(i, r *Channel)) (i, r *Channel, iErr, rErr error) {
	t.Helper()
	p, q := net.Pipe()
	end := func(conn Conn, out, in byte) *Channel {
		key := func(b byte) *flynn.CipherState { return flynn.UnsafeNewCipherState(suite(), [32]byte{b}, 0) }
		return &Channel{version: 1, random: rand.Reader, link: newDuplex(conn, bufio.NewReader(conn), key(out), key(in), standardLimits())}
	}
	i, r = end(p, 1, 2), end(q, 2, 1)
	i.initiator = true
	change(i, r)
	done := make(chan error, 1)
	go func() {
		err := r.stir([4]byte{1, 1, 1, 1})
		if err != nil {
			_ = q.Close()
		}
		done <- err
	}()
	if iErr = i.stir([4]byte{1, 1, 1, 1}); iErr != nil {
		_ = p.Close()
	}
	return i, r, iErr, <-done
}

func TestStirringAgreesOrFails(t *testing.T) {
	i, r, iErr, rErr := stirred(t, func(_, _ *Channel) {})
	if iErr != nil || rErr != nil || i.next != r.next || i.secret != r.secret || i.next == i.secret {
		t.Errorf("honest ends: %v, %v", iErr, rErr)
	}
	for name, change := range map[string]func(i, r *Channel){
		"another pair":      func(i, _ *Channel) { i.used = &Pair{Secret: [32]byte{7}} },
		"another version":   func(i, _ *Channel) { i.version = 2 },
		"another handshake": func(i, _ *Channel) { i.binding[0] = 1 },
	} {
		if _, _, iErr, rErr := stirred(t, change); rErr == nil || !errors.Is(iErr, ErrAuth) {
			t.Errorf("%s: %v, %v", name, iErr, rErr)
		}
	}
}
