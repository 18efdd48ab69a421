//go:build !linux

package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
)

// twin is not to be had here.
func twin(context.Context, *net.UDPConn, *net.UDPAddr, netip.AddrPort) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}
