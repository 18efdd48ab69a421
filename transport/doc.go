// Package transport carries bytes to a person by whatever path works today. It
// hides libp2p: behind Host are one UDP port shared by QUIC and by whoever else
// may need it, TCP beside it, connection limits, who may come in, and how
// people on one network notice each other. It knows peers, addresses and
// streams; who a peer is and what the bytes mean is none of its business.
package transport
