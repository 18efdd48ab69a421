// Package pulse speaks PulseAudio's native protocol, which PipeWire speaks as
// well: one connection for one stream of sound. It hides the wire. It starts
// no goroutine and no thread, which is what makes it cheap: a library that
// calls back from a thread of its own keeps the whole runtime awake.
//
// Delay: a fragment from the microphone is one piece. What is played waits in
// the server's queue until its next bite, at most one period after it was asked
// for, and then in the device's own buffer, which the server says (Latency).
package pulse

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// What can go wrong, for errors.Is.
var (
	ErrNoServer = errors.New("no sound server")       // none listens: another sound system may be there
	ErrNoDevice = errors.New("no such sound device")  // of that name
	ErrDenied   = errors.New("sound server refuses")  // to speak with us
	ErrBusy     = errors.New("sound device in use")   // by somebody who does not share it
	ErrKilled   = errors.New("sound device vanished") // the server has ended the stream
)

const (
	version    = 16 // of the protocol: the last one before formats
	oldest     = 15 // that a server may speak: it tells of no ports
	headerSize = 20 // length, channel, offset, flags (pstream.c)
	biggest    = 1 << 20
	backlog    = 64 << 10 // bytes taken in at once: a third of a second, of which who was late wants the end
	cookieSize = 256
)

// Conn is a connection to the sound server. List, Record, Play and
// Quiet are for one goroutine, before Hear or Look; Write and Close may be called from others.
type Conn struct {
	conn    wire
	in      *bufio.Reader
	tag     uint32
	body    []byte // of the last message
	last    values // of it
	patient time.Duration
	ports   bool // the server tells of sockets

	stream uint32    // its number at the server
	until  time.Time // when reading ends
	rest   []byte    // bytes of a sample that is not whole yet
	sound  []float32

	mu       sync.Mutex
	out      []byte
	writable time.Time // when writing ends
}

// wire is what a Conn needs of a socket.
type wire interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// source reads from the socket that a Conn has now.
type source struct{ *Conn }

func (s source) Read(p []byte) (int, error) { return s.conn.Read(p) }

// Dial reaches the server that this user's programs use. No answer may take
// longer than patience, nor may a later Write.
func Dial(patience time.Duration) (*Conn, error) {
	err := error(ErrNoServer)
	for _, path := range sockets() {
		raw, refused := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
		if refused != nil {
			err = fmt.Errorf("%w: %w", ErrNoServer, refused)
			continue
		}
		conn, refused := newSocket(raw)
		if refused != nil {
			err = fmt.Errorf("%w: %w", ErrNoServer, refused)
			_ = raw.Close()
			continue
		}
		c := &Conn{conn: conn, patient: patience}
		c.in = bufio.NewReaderSize(source{c}, backlog)
		if err = c.login(); err == nil {
			return c, nil
		}
		_ = raw.Close()
	}
	return nil, err
}

// sockets are the places where a server may listen, as PulseAudio's own
// library looks for them. Servers on other machines are left to that library.
func sockets() (paths []string) {
	if servers := os.Getenv("PULSE_SERVER"); servers != "" {
		for _, s := range strings.Fields(servers) {
			if path, ok := local(s); ok {
				paths = append(paths, path)
			}
		}
		return paths
	}
	if dir := os.Getenv("PULSE_RUNTIME_PATH"); dir != "" {
		return []string{filepath.Join(dir, "native")}
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		paths = append(paths, filepath.Join(dir, "pulse", "native"))
	}
	if os.Getuid() > 0 {
		paths = append(paths, fmt.Sprintf("/run/user/%d/pulse/native", os.Getuid()))
	}
	return append(paths, "/run/pulse/native", "/var/run/pulse/native")
}

// local is the path of a server on this machine, as PULSE_SERVER names it.
func local(server string) (path string, ok bool) {
	path, ok = strings.CutPrefix(server, "unix:")
	return path, ok || strings.HasPrefix(server, "/")
}

// Elsewhere says whether there may be a server that Dial does not look for: on
// another machine, or where the settings of PulseAudio's own library say.
func Elsewhere() bool {
	if servers := strings.Fields(os.Getenv("PULSE_SERVER")); len(servers) > 0 {
		return slices.ContainsFunc(servers, func(s string) bool { _, ok := local(s); return !ok })
	}
	settings := []string{os.Getenv("PULSE_CLIENTCONFIG"), "/etc/pulse/client.conf"}
	if dir, err := os.UserConfigDir(); err == nil {
		settings = append(settings, filepath.Join(dir, "pulse", "client.conf"))
	}
	return slices.ContainsFunc(settings, func(path string) bool {
		raw, err := os.ReadFile(path)
		return err == nil && slices.ContainsFunc(strings.Split(string(raw), "\n"), func(line string) bool {
			key, _, _ := strings.Cut(line, "=")
			return strings.TrimSpace(key) == "default-server"
		})
	})
}

// cookie is what proves to a server that we belong to its user, where the
// socket does not prove it.
func cookie() []byte {
	paths := []string{os.Getenv("PULSE_COOKIE")}
	if dir, err := os.UserConfigDir(); err == nil {
		paths = append(paths, filepath.Join(dir, "pulse", "cookie"))
	}
	for _, p := range paths {
		if raw, err := os.ReadFile(p); err == nil && len(raw) == cookieSize {
			return raw
		}
	}
	return make([]byte, cookieSize)
}

func (c *Conn) login() error {
	auth := c.command(opAuth)
	auth.u32(version)
	auth.bytes(cookie())
	reply, err := c.ask(auth)
	if err != nil {
		return fmt.Errorf("log in at the sound server: %w", err)
	}
	theirs := reply.u32() & 0xffff
	if reply.bad || theirs < oldest {
		return fmt.Errorf("%w: the sound server is too old", ErrNoServer)
	}
	c.ports = theirs >= version
	name := c.command(opSetClientName)
	name.props([2]string{"application.name", "Entrenous"}, [2]string{"application.icon_name", "entrenous"})
	if _, err := c.ask(name); err != nil {
		return fmt.Errorf("log in at the sound server: %w", err)
	}
	return nil
}

func (c *Conn) command(op uint32) *message {
	c.tag++
	return command(op, c.tag)
}

// ask sends m and waits for the reply to it.
func (c *Conn) ask(m *message) (*values, error) {
	deadline := time.Now().Add(c.patient)
	if err := c.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	header(m.b, none)
	if _, err := c.conn.Write(m.b); err != nil {
		return nil, err
	}
	for {
		channel, v, err := c.next()
		if err != nil {
			return nil, err
		}
		if channel != none {
			continue
		}
		op, tag := v.u32(), v.u32()
		switch {
		case v.bad:
			return nil, errMalformed
		case tag != c.tag:
		case op == opError:
			return nil, refusal(v.u32())
		case op == opReply:
			return v, c.conn.SetDeadline(time.Time{})
		}
	}
}

// refusal turns the server's error numbers (def.h) into errors.
func refusal(code uint32) error {
	const denied, noEntity, noKey, badState, busy = 1, 5, 9, 15, 26
	switch code {
	case denied, noKey:
		return ErrDenied
	case noEntity:
		return ErrNoDevice
	case busy, badState: // suspended: its hardware could not be opened, for another holds it
		return ErrBusy
	}
	return fmt.Errorf("the sound server answers with error %d", code)
}

// header fills in the first bytes of a packet.
func header(b []byte, channel uint32) {
	binary.BigEndian.PutUint32(b, uint32(len(b)-headerSize))
	binary.BigEndian.PutUint32(b[4:], channel)
}

// next reads one packet, which is valid until the one after.
func (c *Conn) next() (channel uint32, v *values, err error) {
	head, err := c.in.Peek(headerSize)
	if err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head)
	channel = binary.BigEndian.Uint32(head[4:])
	if size > biggest {
		return 0, nil, errMalformed
	}
	if _, err := c.in.Discard(headerSize); err != nil {
		return 0, nil, err
	}
	if cap(c.body) < int(size) {
		c.body = make([]byte, size)
	}
	c.body = c.body[:size]
	if _, err := io.ReadFull(c.in, c.body); err != nil {
		return 0, nil, err
	}
	c.last = values{b: c.body}
	return channel, &c.last, nil
}

// Close ends the stream and Hear.
func (c *Conn) Close() error { return c.conn.Close() }
