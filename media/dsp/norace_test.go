//go:build !race

package dsp_test

const slow = false
