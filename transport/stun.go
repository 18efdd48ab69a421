package transport

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/time/rate"
)

const (
	stunHeader  = 20 // RFC 5389 §6
	stunCookie  = 0x2112A442
	stunRequest = 0x0001 // a binding request
	stunSuccess = 0x0101
	stunMapped  = 0x0020 // XOR-MAPPED-ADDRESS, §15.2
	maxSTUN     = 548    // bytes of a request that is looked at, §7.1
	// An answer is hardly larger than its request, and there are few of them, so
	// that nobody can aim them at a victim.
	stunPerSecond, stunBurst = 50, 200
)

// serveSTUN answers, on each UDP socket, from which address a request came.
func (h *Host) serveSTUN() error {
	conns, err := h.SharedConns()
	if err != nil {
		return err
	}
	limit := rate.NewLimiter(stunPerSecond, stunBurst)
	each := newHearing()
	for _, c := range conns {
		h.wg.Go(func() {
			<-h.quit
			_ = c.Close()
		})
		h.wg.Go(func() { answerSTUN(c, limit, each) })
	}
	return nil
}

// answerSTUN reads until the socket is closed.
func answerSTUN(c net.PacketConn, limit *rate.Limiter, each *hearing) {
	b := make([]byte, maxSTUN)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		u, ok := from.(*net.UDPAddr)
		if !ok || !each.allow(u.AddrPort().Addr().Unmap()) || !limit.Allow() {
			continue
		}
		if a := stunAnswer(b[:n], u.AddrPort()); a != nil {
			_, _ = c.WriteTo(a, from) // who asked asks again
		}
	}
}

// stunAnswer answers a binding request that came from an address, nil for what
// is none.
func stunAnswer(b []byte, from netip.AddrPort) []byte {
	if len(b) < stunHeader || binary.BigEndian.Uint16(b) != stunRequest || binary.BigEndian.Uint32(b[4:]) != stunCookie ||
		int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader {
		return nil
	}
	ip := from.Addr().Unmap()
	family, addr := byte(1), ip.AsSlice()
	if ip.Is6() {
		family = 2
	}
	for i := range addr { // with the cookie, then the transaction id
		addr[i] ^= b[4+i]
	}
	out := make([]byte, 0, stunHeader+8+len(addr))
	out = binary.BigEndian.AppendUint16(out, stunSuccess)
	out = binary.BigEndian.AppendUint16(out, uint16(8+len(addr)))
	out = append(out, b[4:stunHeader]...)
	out = binary.BigEndian.AppendUint16(out, stunMapped)
	out = binary.BigEndian.AppendUint16(out, uint16(4+len(addr)))
	out = append(out, 0, family)
	out = binary.BigEndian.AppendUint16(out, from.Port()^(stunCookie>>16))
	return append(out, addr...)
}
