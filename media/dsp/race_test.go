//go:build race

package dsp_test

// slow says that the race detector makes everything ten times slower: fewer rooms are tried.
const slow = true
