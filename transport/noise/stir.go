package noise

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
)

// stirring is what both ends mix into the channel secret and the next pair
// secret once the handshake is done.
type stirring struct {
	i, r    [32]byte // the fresh secrets of initiator and responder
	pair    [32]byte // the pair secret used, zeros if none
	binding [32]byte
	hellos  [4]byte // initiator's and responder's
	version byte
}

// secrets derives the channel secret and the next pair secret.
func (s *stirring) secrets() (channel, next [32]byte, err error) {
	fresh := append(append(make([]byte, 0, 96), s.i[:]...), s.r[:]...)
	ikm := append(fresh, s.pair[:]...)
	defer clear(ikm)
	if channel, err = derive(fresh, s.binding[:], labelChannel); err != nil {
		return channel, next, err
	}
	next, err = derive(ikm, s.binding[:], labelPair)
	return channel, next, err
}

// confirm is an end's proof that it has the next pair secret and saw the same
// handshake; role is 'i' or 'r', so that neither proof serves as the other.
func (s *stirring) confirm(next [32]byte, role byte) ([]byte, error) {
	key, err := derive(next[:], nil, labelConfirm)
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, key[:])
	m.Write([]byte{role, s.version})
	m.Write(s.hellos[:])
	m.Write(s.binding[:])
	return m.Sum(nil), nil
}

// wipe forgets the secrets.
func (s *stirring) wipe() {
	clear(s.i[:])
	clear(s.r[:])
	clear(s.pair[:])
}

// stir exchanges fresh secrets and proofs: initiator's secret, responder's
// secret and proof, initiator's proof.
func (c *Channel) stir(hellos [4]byte) error {
	s := stirring{binding: c.binding, hellos: hellos, version: c.version}
	defer s.wipe()
	if c.used != nil {
		s.pair = c.used.Secret
	}
	mine := &s.r
	if c.initiator {
		mine = &s.i
	}
	if _, err := io.ReadFull(c.random, mine[:]); err != nil {
		return fmt.Errorf("draw secret: %w", err)
	}
	rest := c.stirSecond
	if c.initiator {
		rest = c.stirFirst
	}
	if err := rest(&s); err != nil {
		return err
	}
	c.link.patience = SendTimeout // until here the handshake's deadline holds
	return nil
}

func (c *Channel) stirFirst(s *stirring) error {
	if err := c.link.out.single(s.i[:], 0); err != nil {
		return fmt.Errorf("send secret: %w", err)
	}
	got, err := c.link.exactly(64)
	if err != nil {
		return fmt.Errorf("receive secret: %w", err)
	}
	copy(s.r[:], got)
	mine, theirs, err := c.derive(s)
	if err != nil {
		return err
	}
	if !hmac.Equal(theirs, got[32:]) {
		return fmt.Errorf("proof of the next pair secret: %w", ErrAuth)
	}
	if err := c.link.out.single(mine, 0); err != nil {
		return fmt.Errorf("send proof: %w", err)
	}
	return nil
}

func (c *Channel) stirSecond(s *stirring) error {
	got, err := c.link.exactly(32)
	if err != nil {
		return fmt.Errorf("receive secret: %w", err)
	}
	copy(s.i[:], got)
	mine, theirs, err := c.derive(s)
	if err != nil {
		return err
	}
	if err := c.link.out.single(append(s.r[:], mine...), 0); err != nil {
		return fmt.Errorf("send secret: %w", err)
	}
	if got, err = c.link.exactly(32); err != nil {
		return fmt.Errorf("receive proof: %w", err)
	}
	if !hmac.Equal(theirs, got) {
		return fmt.Errorf("proof of the next pair secret: %w", ErrAuth)
	}
	return nil
}

// derive sets the channel's secrets and gives both ends' proofs of them.
func (c *Channel) derive(s *stirring) (mine, theirs []byte, err error) {
	if c.secret, c.next, err = s.secrets(); err != nil {
		return nil, nil, fmt.Errorf("derive secrets: %w", err)
	}
	i, err := s.confirm(c.next, 'i')
	if err != nil {
		return nil, nil, fmt.Errorf("derive proof: %w", err)
	}
	r, err := s.confirm(c.next, 'r')
	if err != nil {
		return nil, nil, fmt.Errorf("derive proof: %w", err)
	}
	if c.initiator {
		return i, r, nil
	}
	return r, i, nil
}
