package noise

import (
	"bufio"
	"context"
	"crypto/mlkem"
	"errors"
	"fmt"
	"io"

	"github.com/entrenous/entrenous/identity"
)

// answerer is the responder's side of one handshake.
type answerer struct {
	conn    Conn
	r       *bufio.Reader
	cfg     Config
	fixed   fixed
	with    Accepting
	x       *exchange
	ek      []byte
	used    *Pair
	hellos  [4]byte
	version byte
}

// Accept makes a channel as the responder with whoever calls, if a.Admit lets
// them. When it fails, also because ctx ends, the connection is closed or
// reset.
func Accept(ctx context.Context, c Conn, cfg Config, a Accepting) (*Channel, error) {
	ch, err := within(ctx, c, func() (*Channel, error) {
		if err := cfg.check(); err != nil {
			return nil, err
		}
		if a.Admit == nil {
			return nil, errors.New("nobody decides whom to admit")
		}
		s := &answerer{conn: c, r: bufio.NewReaderSize(c, readBuffer), cfg: cfg, fixed: cfg.fixed.settled(), with: a}
		if err := s.listen(); err != nil {
			return nil, err
		}
		if err := s.reply(); err != nil {
			return nil, err
		}
		return s.finish()
	})
	if err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	return ch, nil
}

// listen reads the initiator's hello and message 1.
func (s *answerer) listen() error {
	var theirs hello
	if _, err := io.ReadFull(s.r, theirs[:]); err != nil {
		return fmt.Errorf("read hello: %w", err)
	}
	if s.version = s.fixed.hello.common(theirs); s.version == 0 {
		_, _ = s.conn.Write(s.fixed.hello[:]) // so that they can tell their person; we are done either way
		return fmt.Errorf("we speak %d to %d, they %d to %d: %w", s.fixed.hello[0], s.fixed.hello[1], theirs[0], theirs[1], ErrVersion)
	}
	copy(s.hellos[:], append(theirs[:], s.fixed.hello[:]...))
	msg := make([]byte, msg1Size)
	if _, err := io.ReadFull(s.r, msg); err != nil {
		return fmt.Errorf("read message 1: %w", err)
	}
	x, err := newExchange(s.cfg.Static, nil, prologue(theirs, s.cfg.Remote, s.cfg.Local), s.fixed.random)
	if err != nil {
		return err
	}
	body, err := x.read(msg)
	if err != nil {
		return err
	}
	s.x, s.ek = x, body[:mlkem.EncapsulationKeySize768]
	if s.with.Pairs != nil {
		s.used = match(s.with.Pairs(), s.ek, body[mlkem.EncapsulationKeySize768:])
	}
	return nil
}

// reply sends the hello and message 2.
func (s *answerer) reply() error {
	ek, err := mlkem.NewEncapsulationKey768(s.ek)
	if err != nil {
		return fmt.Errorf("kem key: %w: %w", ErrAuth, err)
	}
	ss, ct := s.fixed.encapsulate(ek)
	defer clear(ss)
	var pair [32]byte
	if s.used != nil {
		pair = s.used.Secret
	}
	key, err := psk(ss, s.ek, ct, pair)
	if err != nil {
		return fmt.Errorf("derive psk: %w", err)
	}
	if err := s.x.setPSK(key); err != nil {
		return err
	}
	msg, err := s.x.write(payload{head: s.fixed.hello[:], epoch: s.cfg.Epoch, caps: s.cfg.Caps}.encode())
	if err != nil {
		return err
	}
	b := append(append(s.fixed.hello[:], ct...), withPrefix(msg)...)
	if _, err := s.conn.Write(b); err != nil {
		return fmt.Errorf("write message 2: %w", err)
	}
	return nil
}

// finish reads message 3, decides about the caller and stirs the pair.
func (s *answerer) finish() (*Channel, error) {
	msg, err := readPrefixed(s.r, 32+tagSize+maxPayload+tagSize)
	if err != nil {
		return nil, fmt.Errorf("read message 3: %w", err)
	}
	body, err := s.x.read(msg)
	if err != nil {
		return nil, err
	}
	theirs, err := parsePayload(body)
	if err != nil {
		return nil, err
	}
	cert, err := s.caller(theirs.head)
	if err != nil {
		return nil, err
	}
	if err := s.with.Admit(cert, s.used); err != nil {
		return nil, fmt.Errorf("admit: %w", err)
	}
	c := newChannel(s.conn, s.r, s.x, false, s.fixed)
	c.version, c.cert, c.epoch, c.caps, c.used = s.version, cert, theirs.epoch, theirs.caps, s.used
	return c, c.stir(s.hellos)
}

// caller checks that the certificate is whole, valid now and for the key that
// the handshake proved.
func (s *answerer) caller(b []byte) (identity.Certificate, error) {
	cert, err := identity.ParseCertificate(b)
	if err != nil {
		return cert, fmt.Errorf("caller's certificate: %w: %w", ErrAuth, err)
	}
	if cert.Device.Noise != s.x.peer() {
		return cert, fmt.Errorf("caller's certificate is for another key: %w", ErrAuth)
	}
	if err := cert.ValidAt(s.cfg.now()); err != nil {
		return cert, fmt.Errorf("caller's certificate: %w", err)
	}
	return cert, nil
}
