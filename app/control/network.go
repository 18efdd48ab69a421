package control

import (
	"context"
	"net/http"
)

// Network is how this device meets the network: what was chosen, and how it
// goes. When a choice changes, the node begins anew with it, which ends a
// call and is done when the answer comes.
type Network struct {
	LANOnly bool     `json:"lan_only"` // talk to local networks only: nothing leaves them
	Relays  []string `json:"relays"`   // multiaddrs with /p2p/ of relays to be reachable through
	// Forced says that the node was started with --lan-only, whatever is chosen.
	Forced bool `json:"lan_forced,omitempty"`
	// MapPort asks the router to open a port (UPnP, NAT-PMP), so that friends
	// elsewhere reach this device.
	MapPort bool `json:"map_port"`
	// Unasked says that the node was started with --no-port-mapping, whatever is
	// chosen.
	Unasked bool `json:"map_port_off,omitempty"`
	// States tell how it goes with each relay, those given by flags included.
	States []Relay `json:"states,omitempty"`
	Lend   Lend    `json:"lend"`
	// Lent is what was passed on for others by now.
	Lent Lent `json:"lent"`
}

// Lend is the hand that this device lends: on an address that can be reached, it
// passes on what is encrypted between friends who cannot reach each other.
type Lend struct {
	On       bool  `json:"on"`
	ToTheirs bool  `json:"to_theirs"`      // people who are no friends of ours may reach our friends through us
	Rate     int64 `json:"kib_per_second"` // of all together, 0 is no limit
	Month    int64 `json:"mib_per_month"`  // 0 is no limit
}

// Lent is what was passed on.
type Lent struct {
	Month    int64     `json:"month_bytes"`
	Circuits int64     `json:"circuits"`       // open now
	Week     []LentFor `json:"week,omitempty"` // since Monday, the largest first
}

// LentFor is what was passed on for one friend this week.
type LentFor struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Relay is how it goes with one relay.
type Relay struct {
	Addr  string `json:"addr"`
	Name  string `json:"name"` // a friend's, or the end of its peer id
	Ready bool   `json:"ready"`
	// From is why it passes on: "friend", "named", "open" (a stranger offers it to
	// everybody) or "public" (a stranger's, for a first word).
	From  string  `json:"from"`
	Small bool    `json:"small,omitempty"` // too little for calls
	RTT   float64 `json:"rtt_ms,omitempty"`
}

// NetworkEdit changes choices; nil leaves one as it is.
type NetworkEdit struct {
	LANOnly *bool     `json:"lan_only,omitempty"`
	Relays  *[]string `json:"relays,omitempty"`
	MapPort *bool     `json:"map_port,omitempty"`
	Lend    *Lend     `json:"lend,omitempty"`
}

// Network reads how this device meets the network.
func (c *Client) Network(ctx context.Context) (Network, error) {
	return get[Network](ctx, c, "/network")
}

// EditNetwork changes how this device meets the network.
func (c *Client) EditNetwork(ctx context.Context, e NetworkEdit) (Network, error) {
	return send[Network](ctx, c, http.MethodPatch, "/network", e)
}
