//go:build !cgo || nocgo

package dsp

import "time"

// apmDelay is nothing: there is no library here.
func apmDelay(Config) time.Duration { return 0 }

// CancellerName names the echo canceller in this build; it is empty where there is none.
func CancellerName() string { return "" }

// apm stands for WebRTC's library where there is none.
type apm struct{}

func newAPM(Config) (*apm, error)                                   { return &apm{}, nil }
func (a *apm) configure(Config) error                               { return nil }
func (a *apm) clean(_, _ []float32, _ int, _ float32, _ bool) error { return nil }
func (a *apm) jumped() error                                        { return nil }
func (a *apm) echoMs() (int, bool)                                  { return 0, false }
func (a *apm) close()                                               {}
