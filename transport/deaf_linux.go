package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// twin opens a second socket on the port of c, connected to addr: Linux then
// hands it what comes from there, errors too. The port can be shared only while
// it opens; nobody else can take it.
func twin(ctx context.Context, c *net.UDPConn, own *net.UDPAddr, addr netip.AddrPort) (conn net.Conn, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := reuse(raw, 1); err != nil {
		return nil, err
	}
	defer func() {
		if again := reuse(raw, 0); again != nil && conn != nil {
			conn, err = nil, errors.Join(again, conn.Close())
		}
	}()
	d := net.Dialer{LocalAddr: own, Control: func(_, _ string, r syscall.RawConn) error { return reuse(r, 1) }}
	return d.DialContext(ctx, "udp", addr.String())
}

func reuse(r syscall.RawConn, on int) error {
	var failed error
	err := r.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, on)
	})
	return errors.Join(err, failed)
}
