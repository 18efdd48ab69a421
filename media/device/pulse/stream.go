package pulse

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"time"
)

// Device is a microphone (source) or a loudspeaker (sink).
type Device struct {
	Name    string // for the server
	Text    string // for people
	Form    string // "headset", "speaker" and the like; empty where the server does not know
	Port    string // which of its sockets is in use, "analog-output-headphones" and the like; empty where the server does not know
	Default bool
	Monitor bool // a source of what a loudspeaker plays, and no microphone
}

// Sources lists what can be recorded, monitors of loudspeakers too.
func (c *Conn) Sources() ([]Device, error) { return c.list(opSourceList) }

// Sinks lists where sound can be played.
func (c *Conn) Sinks() ([]Device, error) { return c.list(opSinkList) }

func (c *Conn) list(op uint32) ([]Device, error) {
	info, err := c.ask(c.command(opServerInfo))
	if err != nil {
		return nil, fmt.Errorf("ask the sound server: %w", err)
	}
	info.skip(tagString, tagString, tagString, tagString, tagSpec)
	sink, source := info.text(), info.text()
	chosen := sink
	if op == opSourceList {
		chosen = source
	}
	v, err := c.ask(c.command(op))
	if err != nil {
		return nil, fmt.Errorf("list the sound devices: %w", err)
	}
	var found []Device
	for len(v.b) > 0 {
		v.skip(tagU32)
		d := Device{Name: v.text(), Text: v.text()}
		v.skip(tagSpec, tagMap, tagU32, tagVolume, tagTrue)
		d.Monitor = v.u32() != none && op == opSourceList // of a sink it is the monitor's number
		v.skip(tagString, tagUsec, tagString, tagU32)
		d.Form = v.prop("device.form_factor")
		v.skip(tagUsec, tagBase, tagU32, tagU32, tagU32)
		if c.ports {
			d.Port = v.port()
		}
		if v.bad {
			return nil, fmt.Errorf("list the sound devices: %w", errMalformed)
		}
		d.Default = d.Name == chosen
		found = append(found, d)
	}
	return found, nil
}

// Stream is what the server made of a wish for one.
type Stream struct {
	Latency time.Duration // between the server's queue and the air
	Room    int           // samples that the server's queue takes
}

// Record begins to record device (the default one if empty) in pieces of
// period samples, mono at rate. Hear hands them over.
func (c *Conn) Record(device string, rate, period int) (Stream, error) {
	m := c.command(opCreateRecord)
	m.sound(uint32(rate))
	m.u32(none)
	m.text(device)
	m.u32(uint32(64 * period * 4)) // the longest queue
	m.flags(false)                 // it runs
	m.u32(uint32(period * 4))
	m.flags(false, false, false, false, false, device != "", false)
	m.flags(false, false) // no peaks; the device does not halve the pieces
	m.props([2]string{"media.name", "call"})
	m.u32(none)
	m.flags(true, false, true) // the device's blocks are the pieces; may suspend when idle; a stream on one that cannot run is refused
	v, err := c.ask(m)
	if err != nil {
		return Stream{}, fmt.Errorf("open the microphone: %w", err)
	}
	c.stream = v.u32()
	v.skip(tagU32, tagU32, tagU32, tagSpec, tagMap, tagU32, tagString, tagTrue)
	s := Stream{Latency: time.Duration(v.usec()) * time.Microsecond}
	if v.bad {
		return Stream{}, errMalformed
	}
	return s, nil
}

// Play begins to play on device (the default one if empty), mono at rate. The
// server takes bites of about period samples; Hear tells of each.
func (c *Conn) Play(device string, rate, period int) (Stream, error) {
	m := c.command(opCreatePlayback)
	m.sound(uint32(rate))
	m.u32(none)
	m.text(device)
	bytes := uint32(period * 4)
	m.u32(64 * bytes) // the longest queue
	m.flags(false)    // it runs
	// The server keeps half of what is beyond two requests for the device's
	// own buffer: one period here. Its queue need not be filled: it never
	// waits for more (no prebuffering).
	m.u32(3*bytes, 0, bytes/2)
	m.u32(0) // in sync with no other
	m.fullVolume()
	m.flags(false, false, false, false, false, device != "", false)
	m.flags(false, true) // not muted; the device adjusts its latency
	m.props([2]string{"media.name", "call"})
	m.flags(false, false)       // the volume is the user's; no early requests
	m.flags(false, false, true) // so is muting; may suspend when idle; a stream on one that cannot run is refused
	v, err := c.ask(m)
	if err != nil {
		return Stream{}, fmt.Errorf("open the loudspeaker: %w", err)
	}
	c.stream = v.u32()
	v.skip(tagU32, tagU32, tagU32)
	s := Stream{Room: int(v.u32()) / 4}
	v.skip(tagU32, tagU32, tagSpec, tagMap, tagU32, tagString, tagTrue)
	s.Latency = time.Duration(v.usec()) * time.Microsecond
	if v.bad {
		return Stream{}, errMalformed
	}
	return s, nil
}

// Hear waits for the server to say something, at most until a moment, and takes
// in all that it has said by then; that the stream has ended is an error. heard
// gets what was recorded and must not keep it; bite gets how many samples of
// what was written were taken since the last time.
func (c *Conn) Hear(until time.Time, heard func([]float32), bite func(samples int)) error {
	if err := c.deadline(until); err != nil {
		return err
	}
	if _, err := c.in.Peek(headerSize); errors.Is(err, os.ErrDeadlineExceeded) {
		c.until = time.Time{}
		return nil
	}
	if err := c.take(heard, bite); err != nil { // which may only have begun to come
		return fmt.Errorf("hear the sound server: %w", err)
	}
	return c.takeAll(heard, bite)
}

// Quiet lets nobody be woken by what the server says from now on but who is in
// Hear, where the system knows how; it says whether that is so. A loudspeaker's
// server says something a hundred times a second, and takes what it was sent as
// often, which wakes as well.
func (c *Conn) Quiet() bool {
	s, ok := c.conn.(interface{ quiet() (wire, error) })
	if !ok {
		return false
	}
	w, err := s.quiet()
	if err != nil {
		return false
	}
	c.conn = w
	return true
}

// Look is Hear that never waits, after Quiet.
func (c *Conn) Look(heard func([]float32), bite func(samples int)) error {
	c.until = time.Time{}
	if err := c.conn.SetReadDeadline(c.until); err != nil {
		return err
	}
	if _, err := c.in.Peek(c.in.Buffered() + 1); errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	} else if err != nil {
		return fmt.Errorf("hear the sound server: %w", err)
	}
	return c.takeAll(heard, bite)
}

// takeAll takes in the packets that are here to their end.
func (c *Conn) takeAll(heard func([]float32), bite func(samples int)) error {
	for c.whole() {
		if err := c.take(heard, bite); err != nil {
			return fmt.Errorf("hear the sound server: %w", err)
		}
	}
	return nil
}

// deadline ends a wait between half way to a moment and the moment: a timer that
// is set anew for each packet wakes the runtime as often.
func (c *Conn) deadline(until time.Time) error {
	if now := time.Now(); !c.until.After(until) && c.until.Sub(now) > until.Sub(now)/2 {
		return nil
	}
	c.until = until
	return c.conn.SetReadDeadline(until)
}

// whole says whether another packet is here to its end.
func (c *Conn) whole() bool {
	if c.in.Buffered() < headerSize {
		return false
	}
	head, err := c.in.Peek(headerSize)
	return err == nil && uint32(c.in.Buffered()) >= headerSize+binary.BigEndian.Uint32(head)
}

// take takes in one packet, which has begun to come.
func (c *Conn) take(heard func([]float32), bite func(samples int)) error {
	if !c.whole() {
		if err := c.deadline(time.Now().Add(c.patient)); err != nil {
			return err
		}
	}
	channel, v, err := c.next()
	if err != nil {
		return err
	}
	if channel != none {
		if channel == c.stream {
			heard(c.samples(v.b))
		}
		return nil
	}
	op, _ := v.u32(), v.u32()
	switch op {
	case opRequest:
		stream, n := v.u32(), v.u32()
		if stream == c.stream && n < biggest && !v.bad {
			bite(int(n) / 4)
		}
	case opPlaybackKilled, opRecordKilled:
		return ErrKilled
	}
	if v.bad {
		return errMalformed
	}
	return nil
}

// samples reads b, which may begin and end within one.
func (c *Conn) samples(b []byte) []float32 {
	c.sound = c.sound[:0]
	if len(c.rest) > 0 {
		c.rest = append(c.rest, b...)
		b = c.rest
	}
	for ; len(b) >= 4; b = b[4:] {
		c.sound = append(c.sound, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	c.rest = append(c.rest[:0], b...)
	return c.sound
}

// Write plays x after what was written before and a gap: samples that the
// server has bitten off without having them, and played silence for.
func (c *Conn) Write(gap int, x []float32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out[:0], make([]byte, headerSize)...)
	for _, v := range x {
		c.out = binary.LittleEndian.AppendUint32(c.out, math.Float32bits(v))
	}
	header(c.out, c.stream)
	binary.BigEndian.PutUint64(c.out[8:], uint64(gap)*4)      // relative to the end of what was written
	if now := time.Now(); c.writable.Sub(now) < c.patient/2 { // not each time, as in deadline
		c.writable = now.Add(c.patient)
		if err := c.conn.SetWriteDeadline(c.writable); err != nil {
			return err
		}
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return fmt.Errorf("play: %w", err)
	}
	return nil
}
