//go:build !linux

package transport

import "net"

// part leaves a socket as it is: packets are kept apart on Linux only.
func part(s shared) net.PacketConn { return s }
