package node

import (
	"strings"

	"github.com/entrenous/entrenous/transport"
)

// ends groups addresses by the peer at their end; what names none is left out.
func ends(addrs []string) map[transport.Peer][]string {
	out := map[transport.Peer][]string{}
	for _, a := range addrs {
		at := strings.LastIndex(a, "/p2p/") // one through a relay names that one first
		if at < 0 {
			continue
		}
		if p, err := transport.ParsePeer(a[at+len("/p2p/"):]); err == nil {
			out[p] = append(out[p], a)
		}
	}
	return out
}
