//go:build !race

package noise_test

const stride = 1
