//go:build race

package noise_test

// stride is how many bytes or bits the exhaustive tests go at a time: under
// the race detector a handshake takes ten times as long.
const stride = 13
