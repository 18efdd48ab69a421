//go:build race

package transport_test

// racing says that the race detector looks on.
const racing = true
