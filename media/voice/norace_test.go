//go:build !race

package voice_test

const slow = false
