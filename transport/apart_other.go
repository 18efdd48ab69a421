//go:build !linux

package transport

import (
	"net"
	"net/netip"
)

// part leaves a socket as it is: packets are kept apart on Linux only.
func part(s shared, _ func(netip.Addr) bool) net.PacketConn { return s }
