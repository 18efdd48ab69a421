package node

import (
	"strings"

	"github.com/entrenous/entrenous/transport"
)

// ends groups addresses by the peer at their end; what names none is left out.
func ends(addrs []string) map[transport.Peer][]string {
	out := map[transport.Peer][]string{}
	for _, a := range addrs {
		_, text, _ := strings.Cut(a, "/p2p/")
		if p, err := transport.ParsePeer(text); err == nil {
			out[p] = append(out[p], a)
		}
	}
	return out
}
