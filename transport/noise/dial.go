package noise

import (
	"bufio"
	"context"
	"crypto/mlkem"
	"errors"
	"fmt"
	"io"
)

// dialler is the initiator's side of one handshake.
type dialler struct {
	conn    Conn
	r       *bufio.Reader
	cfg     Config
	fixed   fixed
	pair    *Pair
	x       *exchange
	kem     *mlkem.DecapsulationKey768
	theirs  payload
	hellos  [4]byte
	version byte
}

// Dial makes a channel as the initiator. PeerStatic is dk_noise of the device
// wanted, from its verified certificate; pair is nil when there is none. When
// it fails, also because ctx ends, the connection is closed or reset. A peer that does
// not know pair answers as if there were none, which is ErrAuth here.
func Dial(ctx context.Context, c Conn, cfg Config, peerStatic [32]byte, pair *Pair) (*Channel, error) {
	ch, err := within(ctx, c, func() (*Channel, error) {
		d, err := newDialler(c, cfg, peerStatic, pair)
		if err != nil {
			return nil, err
		}
		if err := d.call(); err != nil {
			return nil, err
		}
		if err := d.answer(); err != nil {
			return nil, err
		}
		return d.finish()
	})
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return ch, nil
}

func newDialler(c Conn, cfg Config, peer [32]byte, pair *Pair) (*dialler, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if len(cfg.Certificate) == 0 {
		return nil, errors.New("certificate is missing")
	}
	if [32]byte(cfg.Static.PublicKey().Bytes()) == peer {
		return nil, errors.New("both ends have one static key")
	}
	d := &dialler{conn: c, r: bufio.NewReaderSize(c, readBuffer), cfg: cfg, fixed: cfg.fixed.settled()}
	if pair != nil {
		if pair.Secret == [32]byte{} {
			return nil, errors.New("pair secret is all zeros")
		}
		p := *pair
		d.pair = &p
	}
	x, err := newExchange(cfg.Static, peer[:], prologue(d.fixed.hello, cfg.Local, cfg.Remote), d.fixed.random)
	d.x = x
	return d, err
}

// call sends the hello and message 1.
func (d *dialler) call() error {
	seed := make([]byte, mlkem.SeedSize)
	defer clear(seed)
	if _, err := io.ReadFull(d.fixed.random, seed); err != nil {
		return fmt.Errorf("draw kem key: %w", err)
	}
	kem, err := mlkem.NewDecapsulationKey768(seed)
	if err != nil {
		return fmt.Errorf("make kem key: %w", err)
	}
	d.kem = kem
	ek := kem.EncapsulationKey().Bytes()
	h := make([]byte, hintSize)
	if d.pair != nil {
		h = hint(d.pair.Secret, ek)
	} else if _, err := io.ReadFull(d.fixed.random, h); err != nil {
		return fmt.Errorf("draw hint: %w", err)
	}
	msg, err := d.x.write(append(ek, h...))
	if err != nil {
		return err
	}
	if _, err := d.conn.Write(append(d.fixed.hello[:], msg...)); err != nil {
		return fmt.Errorf("write message 1: %w", err)
	}
	return nil
}

// answer reads the responder's hello and message 2.
func (d *dialler) answer() error {
	var theirs hello
	if _, err := io.ReadFull(d.r, theirs[:]); err != nil {
		return fmt.Errorf("read hello: %w", err)
	}
	if d.version = d.fixed.hello.common(theirs); d.version == 0 {
		return fmt.Errorf("we speak %d to %d, they %d to %d: %w", d.fixed.hello[0], d.fixed.hello[1], theirs[0], theirs[1], ErrVersion)
	}
	copy(d.hellos[:], append(d.fixed.hello[:], theirs[:]...))
	ct := make([]byte, mlkem.CiphertextSize768)
	if _, err := io.ReadFull(d.r, ct); err != nil {
		return fmt.Errorf("read kem ciphertext: %w", err)
	}
	msg, err := readPrefixed(d.r, 32+maxPayload+tagSize)
	if err != nil {
		return fmt.Errorf("read message 2: %w", err)
	}
	if err := d.decapsulate(ct); err != nil {
		return err
	}
	body, err := d.x.read(msg)
	if err != nil {
		return err
	}
	if d.theirs, err = parsePayload(body); err != nil {
		return err
	}
	if string(d.theirs.head) != string(theirs[:]) {
		return fmt.Errorf("their hello was changed on the way: %w", ErrAuth)
	}
	return nil
}

// decapsulate takes the KEM's secret out of ct and makes the psk.
func (d *dialler) decapsulate(ct []byte) error {
	ss, err := d.kem.Decapsulate(ct)
	if err != nil {
		return fmt.Errorf("decapsulate: %w: %w", ErrAuth, err)
	}
	defer clear(ss)
	var pair [32]byte
	if d.pair != nil {
		pair = d.pair.Secret
	}
	key, err := psk(ss, d.kem.EncapsulationKey().Bytes(), ct, pair)
	if err != nil {
		return fmt.Errorf("derive psk: %w", err)
	}
	d.kem = nil
	return d.x.setPSK(key)
}

// finish sends message 3 and stirs the pair.
func (d *dialler) finish() (*Channel, error) {
	msg, err := d.x.write(payload{head: d.cfg.Certificate, epoch: d.cfg.Epoch, caps: d.cfg.Caps}.encode())
	if err != nil {
		return nil, err
	}
	c := newChannel(d.conn, d.r, d.x, true, d.fixed)
	c.version, c.epoch, c.caps, c.used = d.version, d.theirs.epoch, d.theirs.caps, d.pair
	c.link.prefix = withPrefix(msg)
	return c, c.stir(d.hellos)
}
