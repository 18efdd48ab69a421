package call

// SealBytes seals what need not be a signal.
func SealBytes(b []byte, channel [32]byte, id ID, sender Device) []byte {
	return append(append([]byte(nil), b...), mac(channel, id, sender, b)...)
}
