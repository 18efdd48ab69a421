package pulse

import (
	"encoding/binary"
	"errors"
	"strings"
)

// What is sent and received is a list of tagged values (PulseAudio's
// tagstruct.h), big endian.
const (
	tagString = 't'
	tagNoText = 'N'
	tagU32    = 'L'
	tagUsec   = 'U'
	tagSpec   = 'a'
	tagBytes  = 'x'
	tagTrue   = '1'
	tagFalse  = '0'
	tagMap    = 'm'
	tagVolume = 'v'
	tagProps  = 'P'
	tagBase   = 'V'
)

// Commands of PulseAudio's native protocol (native-common.h).
const (
	opError          = 0
	opReply          = 2
	opCreatePlayback = 3
	opCreateRecord   = 5
	opAuth           = 8
	opSetClientName  = 9
	opServerInfo     = 20
	opSinkList       = 22
	opSourceList     = 24
	opRequest        = 61
	opPlaybackKilled = 64
	opRecordKilled   = 65
)

const none = 0xffffffff // no index, or "the server knows better"

var errMalformed = errors.New("the sound server sent something malformed")

// message is a list of values to be sent.
type message struct{ b []byte }

func command(op, tag uint32) *message {
	m := &message{b: make([]byte, headerSize, 512)}
	m.u32(op)
	m.u32(tag)
	return m
}

func (m *message) u32(vs ...uint32) {
	for _, v := range vs {
		m.b = binary.BigEndian.AppendUint32(append(m.b, tagU32), v)
	}
}

func (m *message) flags(vs ...bool) {
	for _, v := range vs {
		if v {
			m.b = append(m.b, tagTrue)
		} else {
			m.b = append(m.b, tagFalse)
		}
	}
}

// text is a string; an empty one is none.
func (m *message) text(s string) {
	if s == "" {
		m.b = append(m.b, tagNoText)
		return
	}
	m.b = append(append(append(m.b, tagString), s...), 0)
}

func (m *message) bytes(x []byte) {
	m.b = append(binary.BigEndian.AppendUint32(append(m.b, tagBytes), uint32(len(x))), x...)
}

// sound says float32, one channel, at rate, as loud as it is.
func (m *message) sound(rate uint32) {
	const floatLE = 5
	m.b = binary.BigEndian.AppendUint32(append(m.b, tagSpec, floatLE, 1), rate)
	m.b = append(m.b, tagMap, 1, 0)
}

func (m *message) fullVolume() {
	m.b = binary.BigEndian.AppendUint32(append(m.b, tagVolume, 1), 0x10000)
}

func (m *message) props(pairs ...[2]string) {
	m.b = append(m.b, tagProps)
	for _, p := range pairs {
		m.text(p[0])
		m.u32(uint32(len(p[1]) + 1))
		m.bytes(append([]byte(p[1]), 0))
	}
	m.b = append(m.b, tagNoText)
}

// values reads a list of values. After the first wrong one all are zero and
// bad is set.
type values struct {
	b   []byte
	bad bool
}

func (v *values) cut(n int) []byte {
	if v.bad || n < 0 || n > len(v.b) {
		v.bad = true
		return nil
	}
	x := v.b[:n]
	v.b = v.b[n:]
	return x
}

func (v *values) tag(want byte) bool {
	t := v.cut(1)
	if v.bad || t[0] != want {
		v.bad = true
	}
	return !v.bad
}

func (v *values) number(tag byte) uint32 {
	if !v.tag(tag) {
		return 0
	}
	if x := v.cut(4); x != nil {
		return binary.BigEndian.Uint32(x)
	}
	return 0
}

func (v *values) u32() uint32 { return v.number(tagU32) }

func (v *values) usec() uint64 {
	if !v.tag(tagUsec) {
		return 0
	}
	if x := v.cut(8); x != nil {
		return binary.BigEndian.Uint64(x)
	}
	return 0
}

func (v *values) flag() bool {
	t := v.cut(1)
	if v.bad || t[0] != tagTrue && t[0] != tagFalse {
		v.bad = true
		return false
	}
	return t[0] == tagTrue
}

func (v *values) text() string {
	t := v.cut(1)
	if v.bad || t[0] == tagNoText {
		return ""
	}
	if t[0] != tagString {
		v.bad = true
		return ""
	}
	for i, c := range v.b {
		if c == 0 {
			s := string(v.b[:i])
			v.b = v.b[i+1:]
			return s
		}
	}
	v.bad = true
	return ""
}

// port takes the list of a device's sockets, and gives the name of the one in use.
func (v *values) port() string {
	for range v.u32() {
		v.skip(tagString, tagString, tagU32)
		if v.bad {
			break
		}
	}
	return v.text()
}

// skip passes values of these tags.
func (v *values) skip(tags ...byte) {
	for _, t := range tags {
		switch t {
		case tagString:
			v.text()
		case tagTrue:
			v.flag()
		case tagUsec:
			v.usec()
		case tagU32, tagBase:
			v.number(t)
		case tagSpec:
			v.tag(t)
			v.cut(6)
		case tagMap:
			v.list(t, 1)
		case tagVolume:
			v.list(t, 4)
		case tagProps:
			v.prop("")
		}
	}
}

func (v *values) list(tag byte, size int) {
	if v.tag(tag) {
		if n := v.cut(1); n != nil {
			v.cut(int(n[0]) * size)
		}
	}
}

// prop takes a list of properties, and gives the text of one of them.
func (v *values) prop(name string) (text string) {
	v.tag(tagProps)
	for !v.bad {
		key := v.text()
		if key == "" {
			break
		}
		v.u32()
		if !v.tag(tagBytes) {
			break
		}
		n := v.cut(4)
		if n == nil {
			break
		}
		if b := v.cut(int(binary.BigEndian.Uint32(n))); key == name {
			text = strings.TrimRight(string(b), "\x00")
		}
	}
	return text
}
