// Package transport carries bytes to a person by whatever path works today. It
// hides libp2p: behind Host are one UDP port shared by QUIC and by whoever else
// may need it, TCP beside it, connection limits, who may come in, and how
// people on one network notice each other. It knows peers, addresses and
// streams; who a peer is and what the bytes mean is none of its business.
//
// # Finding who moved
//
// Two who share a secret (a Spot) find each other through strangers: the nodes
// of a Kademlia table, by default the public one that IPFS nodes keep, and the
// boards of relays that one of them named. What lies there is an IPNS record,
// because servers of the public table keep nothing else of use: provider records
// hold a peer id and addresses in clear, other namespaces are refused. Its name
// is a key derived from the Spot and the day, its value a CID that contains the
// sealed whereabouts, so that servers which nobody here wrote check, keep and
// hand out what they cannot read, and nobody can tell whose it is or which of two
// days belong together. Word is left and read by a scout, a libp2p host with a
// passing name on a socket of its own: strangers learn this machine's network
// address, and neither its peer id nor who is there. The scout is away while
// there is nothing to do; then nothing is sent at all. Where this machine has a
// public IPv4 address it stays, and serves the table like anybody else.
//
// # Whose relay
//
// A host that nobody can dial is reached through relays, in this order: devices of
// friends who lend a hand (Borrow), those named in Config, those of strangers who
// offer them to everybody (Lend.Open), and any libp2p node of the table that has
// room. The last allow two minutes and 128 KiB: enough to meet in the middle and for
// texts (Path.Small). Strangers are asked only while there is nobody better, by the
// host itself, for its peer id is what friends call through them: they learn it, and
// its address. Who offers a relay says so in clear, under a key that everybody knows
// and that changes daily; whoever fills that place with relays of their own gains
// the addresses of those who ask, and nothing that is said.
//
// # What stands against whom
//
// Who surrounds a place with nodes of their own can make word disappear, until
// tomorrow's place; they cannot forge it, for they lack the key of the day. A
// clock that is wrong does no harm: records are valid for two years beside the
// day, both days are looked at when strangers' or relays' clocks disagree with
// ours, and a reservation at a relay is made anew in time whatever day it ends on. A private network has a secret instead of libp2p's pnet, which would
// cost it QUIC: the secret gives the table another protocol name and the Spots
// other places.
package transport
