package opus

import (
	"encoding/binary"
	"io"

	"github.com/entrenous/entrenous/media"
)

// pageWriter writes one Ogg stream (RFC 3533 §6) of Opus packets (RFC 7845),
// a second to a page.
type pageWriter struct {
	w        io.Writer
	page     uint32
	segments []byte // the page's lacing values
	body     []byte
	packets  int
}

const (
	oggSerial      = 1
	oggFirst       = 2 // header types
	oggLast        = 4
	packetsInAPage = media.Rate / media.Frame
)

// headers writes OpusHead and OpusTags (RFC 7845 §5), each a page of its own.
func (o *pageWriter) headers() error {
	head := append([]byte("OpusHead"), 1, 1) // version 1, one channel
	head = binary.LittleEndian.AppendUint16(head, Lookahead)
	head = binary.LittleEndian.AppendUint32(head, media.Rate)
	head = append(head, 0, 0, 0) // no gain, channel mapping 0
	o.add(head)
	if err := o.flush(0, oggFirst); err != nil {
		return err
	}
	tags := append([]byte("OpusTags"), make([]byte, 8)...) // no vendor, no comments
	o.add(tags)
	return o.flush(0, 0)
}

// packet adds a packet at whose end the stream is granule samples long.
func (o *pageWriter) packet(packet []byte, granule int64, last bool) error {
	o.add(packet)
	if last {
		return o.flush(granule, oggLast)
	}
	// A packet takes up to six lacing values, and a page has 255.
	if o.packets == packetsInAPage || len(o.segments) > 240 {
		return o.flush(granule, 0)
	}
	return nil
}

func (o *pageWriter) add(packet []byte) {
	for range len(packet) / 255 {
		o.segments = append(o.segments, 255)
	}
	o.segments = append(o.segments, byte(len(packet)%255))
	o.body = append(o.body, packet...)
	o.packets++
}

func (o *pageWriter) flush(granule int64, kind byte) error {
	page := append([]byte("OggS"), 0, kind)
	page = binary.LittleEndian.AppendUint64(page, uint64(granule))
	page = binary.LittleEndian.AppendUint32(page, oggSerial)
	page = binary.LittleEndian.AppendUint32(page, o.page)
	page = append(page, 0, 0, 0, 0, byte(len(o.segments)))
	page = append(page, o.segments...)
	page = append(page, o.body...)
	binary.LittleEndian.PutUint32(page[22:], oggChecksum(page))
	o.page++
	o.segments, o.body, o.packets = o.segments[:0], o.body[:0], 0
	_, err := o.w.Write(page)
	return err
}

// oggChecksum is the CRC-32 of RFC 3533 §6: polynomial 0x04c11db7, not
// reflected, starting at 0 (hash/crc32 only has reflected ones).
func oggChecksum(page []byte) uint32 {
	var crc uint32
	for _, b := range page {
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
