//go:build !race

package nodetest

// racing says that the race detector looks on.
const racing = false
