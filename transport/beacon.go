package transport

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/net/dns/dnsmessage"
)

const (
	lanService = "_entrenous._udp.local."

	maxPacket   = 9000 // RFC 6762 §17
	maxRecords  = 64   // looked at in one packet
	maxLANIPs   = 8    // addresses believed of one announcement
	maxTags     = 64   // tags in one announcement
	tagStep     = 8    // their number is padded to a multiple of this
	maxBeacons  = 4    // announcements of one host: 256 contacts
	tagsPerText = 31   // a TXT string is at most 255 bytes
	cardPerText = 250

	recordTTL  = 75 * 60 // seconds, RFC 6762 §10
	flushCache = 1 << 15 // in a record's class, RFC 6762 §10.2
)

// MaxCard is how many bytes a card may have.
const MaxCard = 700

// LANTag returns the tag by which a contact who shares secret recognises the
// device sender on a local network during hour (hours since 1970). Nobody else
// can tell it from random bytes, nor two hours' tags from two devices'.
func LANTag(secret, sender [32]byte, hour int64) [8]byte {
	m := hmac.New(sha256.New, secret[:])
	m.Write([]byte("entrenous/1 lan"))
	m.Write(sender[:])
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(hour)))
	return [8]byte(m.Sum(nil))
}

// beacon is one announcement: where a nameless device listens, and tags.
type beacon struct {
	instance string // 16 random hex digits
	udp, tcp uint16 // 0: does not listen there
	ips      []netip.Addr
	tags     [][8]byte
	card     string // what everybody may know, "" for nothing
}

// newBeacons splits tags among as many announcements as they need, in random
// order and padded with random ones, each under a new random name.
func newBeacons(tags [][8]byte) []beacon {
	tags = slices.Clone(tags[:min(len(tags), maxTags*maxBeacons)])
	for len(tags) == 0 || len(tags)%tagStep != 0 {
		tags = append(tags, randomTag())
	}
	mathrand.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
	var out []beacon
	for part := range slices.Chunk(tags, maxTags) {
		name := randomTag()
		out = append(out, beacon{instance: hex.EncodeToString(name[:]), tags: part})
	}
	return out
}

func randomTag() (t [8]byte) {
	_, _ = rand.Read(t[:]) // never fails
	return t
}

// encode returns the announcement as an mDNS response (RFC 6762 §8.3) of
// service discovery records (RFC 6763). ttl 0 takes it back.
func (b beacon) encode(ttl uint32) ([]byte, error) {
	service, err := dnsmessage.NewName(lanService)
	if err != nil {
		return nil, fmt.Errorf("encode beacon: %w", err)
	}
	instance, err1 := dnsmessage.NewName(b.instance + "." + lanService)
	target, err2 := dnsmessage.NewName(b.instance + ".local.")
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("encode beacon: %w", err)
	}
	w := dnsmessage.NewBuilder(nil, dnsmessage.Header{Response: true, Authoritative: true})
	w.EnableCompression()
	head := func(n dnsmessage.Name, class dnsmessage.Class) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: n, Class: class, TTL: ttl}
	}
	const shared, unique = dnsmessage.ClassINET, dnsmessage.ClassINET | flushCache
	err = errors.Join(
		w.StartAnswers(),
		w.PTRResource(head(service, shared), dnsmessage.PTRResource{PTR: instance}),
		w.SRVResource(head(instance, unique), dnsmessage.SRVResource{Port: max(b.udp, b.tcp), Target: target}),
		w.TXTResource(head(instance, unique), dnsmessage.TXTResource{TXT: b.texts()}),
		w.StartAdditionals())
	for _, ip := range b.ips {
		if ip.Is4() {
			err = errors.Join(err, w.AResource(head(target, unique), dnsmessage.AResource{A: ip.As4()}))
			continue
		}
		err = errors.Join(err, w.AAAAResource(head(target, unique), dnsmessage.AAAAResource{AAAA: ip.As16()}))
	}
	if err != nil {
		return nil, fmt.Errorf("encode beacon: %w", err)
	}
	out, err := w.Finish()
	if err != nil {
		return nil, fmt.Errorf("encode beacon: %w", err)
	}
	return out, nil
}

// texts returns what TXT holds: version, ports, tags.
func (b beacon) texts() []string {
	out := []string{"v=1", "u=" + strconv.Itoa(int(b.udp)), "t=" + strconv.Itoa(int(b.tcp))}
	for part := range slices.Chunk(b.tags, tagsPerText) {
		text := []byte("k=")
		for _, t := range part {
			text = append(text, t[:]...)
		}
		out = append(out, string(text))
	}
	if len(b.card) <= MaxCard {
		for part := range slices.Chunk([]byte(b.card), cardPerText) {
			out = append(out, "c="+string(part))
		}
	}
	return out
}

// lanQuery asks everybody on the network to announce themselves (RFC 6762 §5.1).
func lanQuery() ([]byte, error) {
	service, err := dnsmessage.NewName(lanService)
	if err != nil {
		return nil, fmt.Errorf("encode query: %w", err)
	}
	m := dnsmessage.Message{Questions: []dnsmessage.Question{
		{Name: service, Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET},
	}}
	out, err := m.Pack()
	if err != nil {
		return nil, fmt.Errorf("encode query: %w", err)
	}
	return out, nil
}

// heard is what an mDNS packet means to us.
type heard struct {
	asked bool    // somebody wants announcements
	told  *beacon // somebody announced itself
}

// errNotOurs says that a packet is well formed but about something else.
var errNotOurs = errors.New("not about entrenous")

// concernsUs reports whether a packet may be about entrenous. Most of those on
// port 5353 are printers and televisions talking.
func concernsUs(packet []byte) bool {
	return len(packet) <= maxPacket && bytes.Contains(packet, []byte("\x0a_entrenous\x04_udp"))
}

// parseLAN reads an mDNS packet from anybody. It looks at no more than
// maxRecords records and believes no more than maxLANIPs addresses, maxTags tags and MaxCard bytes.
func parseLAN(packet []byte) (heard, error) {
	if !concernsUs(packet) {
		return heard{}, errNotOurs
	}
	var p dnsmessage.Parser
	head, err := p.Start(packet)
	if err != nil {
		return heard{}, fmt.Errorf("parse mdns packet: %w", err)
	}
	if !head.Response {
		return parseQuery(&p)
	}
	if err := p.SkipAllQuestions(); err != nil {
		return heard{}, fmt.Errorf("parse mdns packet: %w", err)
	}
	return parseBeacon(&p)
}

func parseQuery(p *dnsmessage.Parser) (heard, error) {
	for range maxRecords {
		q, err := p.Question()
		if err != nil {
			break
		}
		if strings.EqualFold(q.Name.String(), lanService) && (q.Type == dnsmessage.TypePTR || q.Type == dnsmessage.TypeALL) {
			return heard{asked: true}, nil
		}
	}
	return heard{}, errNotOurs
}

// parseBeacon reads answers, then additional records; those of the authority
// section belong to probes, which say nothing.
func parseBeacon(p *dnsmessage.Parser) (heard, error) {
	b := &beacon{}
	left := maxRecords
	for ; left > 0; left-- {
		h, err := p.AnswerHeader()
		if err != nil {
			break
		}
		if err := b.take(p, h, p.SkipAnswer); err != nil {
			return heard{}, err
		}
	}
	if err := errors.Join(p.SkipAllAnswers(), p.SkipAllAuthorities()); err != nil {
		return heard{}, fmt.Errorf("parse mdns packet: %w", err)
	}
	for ; left > 0; left-- {
		h, err := p.AdditionalHeader()
		if err != nil {
			break
		}
		if err := b.take(p, h, p.SkipAdditional); err != nil {
			return heard{}, err
		}
	}
	if b.instance == "" || len(b.tags) == 0 || (b.udp == 0 && b.tcp == 0) {
		return heard{}, errNotOurs
	}
	return heard{told: b}, nil
}

// take reads one record's body, or skips it.
func (b *beacon) take(p *dnsmessage.Parser, h dnsmessage.ResourceHeader, skip func() error) error {
	switch h.Type {
	case dnsmessage.TypeA:
		r, err := p.AResource()
		if err != nil {
			return fmt.Errorf("parse address: %w", err)
		}
		b.addIP(netip.AddrFrom4(r.A))
	case dnsmessage.TypeAAAA:
		r, err := p.AAAAResource()
		if err != nil {
			return fmt.Errorf("parse address: %w", err)
		}
		b.addIP(netip.AddrFrom16(r.AAAA).Unmap())
	case dnsmessage.TypeTXT:
		r, err := p.TXTResource()
		if err != nil {
			return fmt.Errorf("parse text: %w", err)
		}
		name, ours := strings.CutSuffix(strings.ToLower(h.Name.String()), "."+lanService)
		if ours && b.instance == "" && h.TTL > 0 {
			b.readTexts(name, r.TXT)
		}
	default:
		if err := skip(); err != nil {
			return fmt.Errorf("parse record: %w", err)
		}
	}
	return nil
}

func (b *beacon) addIP(ip netip.Addr) {
	if len(b.ips) < maxLANIPs && !slices.Contains(b.ips, ip) {
		b.ips = append(b.ips, ip)
	}
}

func (b *beacon) readTexts(instance string, texts []string) {
	version := ""
	for _, text := range texts[:min(len(texts), maxRecords)] {
		key, value, _ := strings.Cut(text, "=")
		switch key {
		case "v":
			version = value
		case "u":
			b.udp = readPort(value)
		case "t":
			b.tcp = readPort(value)
		case "c":
			if len(b.card)+len(value) <= MaxCard {
				b.card += value
			}
		case "k":
			for v := []byte(value); len(v) >= 8 && len(b.tags) < maxTags; v = v[8:] {
				b.tags = append(b.tags, [8]byte(v[:8]))
			}
		}
	}
	if version == "1" {
		b.instance = instance
	}
}

func readPort(text string) uint16 {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// addrs returns where the announcer can be dialled, of the addresses that fit.
func (b *beacon) addrs(fits func(netip.Addr) bool) []string {
	var out []string
	for _, ip := range b.ips {
		if !fits(ip) {
			continue
		}
		family := "ip4"
		if ip.Is6() {
			family = "ip6"
		}
		if b.udp != 0 {
			out = append(out, fmt.Sprintf("/%s/%v/udp/%d/quic-v1", family, ip, b.udp))
		}
		if b.tcp != 0 {
			out = append(out, fmt.Sprintf("/%s/%v/tcp/%d", family, ip, b.tcp))
		}
	}
	return out
}

// takePort notes the port that a names, the first one of each protocol.
func (b *beacon) takePort(a ma.Multiaddr) {
	one := []ma.Multiaddr{a}
	if b.udp == 0 {
		b.udp = uint16(portOf(one, ma.P_UDP))
	}
	if b.tcp == 0 {
		b.tcp = uint16(portOf(one, ma.P_TCP))
	}
}
