//go:build race

package voice_test

// slow says that the race detector makes everything ten times slower: sound is not judged.
const slow = true
