package app

import (
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
	"github.com/entrenous/entrenous/media/voice"
)

func ringingCall(outgoing bool) node.CallInfo {
	var c node.CallInfo
	c.Outgoing, c.State = outgoing, control.CallRinging
	return c
}

func TestWhoCallsIsHeardAndWhoIsMutedIsNot(t *testing.T) {
	waiting := ringingCall(false)
	waiting.Waiting = true
	over := ringingCall(false)
	over.State = control.CallEnded
	for name, c := range map[string]struct {
		calls []node.CallInfo
		muted bool
		sound voice.Sound
		any   bool
	}{
		"nobody":                     {},
		"somebody":                   {calls: []node.CallInfo{over, ringingCall(false)}, sound: voice.Ringing, any: true},
		"somebody muted":             {calls: []node.CallInfo{ringingCall(false)}, muted: true},
		"somebody while one speaks":  {calls: []node.CallInfo{waiting}},
		"it rings there":             {calls: []node.CallInfo{ringingCall(true)}, sound: voice.Ringback, any: true},
		"both, and theirs is louder": {calls: []node.CallInfo{ringingCall(true), ringingCall(false)}, sound: voice.Ringing, any: true},
		"it has ended":               {calls: []node.CallInfo{over}},
	} {
		sound, any := tune(c.calls, func(identity.ID) bool { return c.muted })
		if any != c.any || any && sound != c.sound {
			t.Errorf("%s: sound %v, %v", name, sound, any)
		}
	}
}

func TestTheEndOfACallIsHeardOnce(t *testing.T) {
	end := func(f func(*node.CallInfo)) []node.CallInfo {
		c := ringingCall(true)
		c.State = control.CallEnded
		f(&c)
		return []node.CallInfo{c}
	}
	was := map[callKey]node.CallInfo{{}: ringingCall(true)}
	spoken := end(func(c *node.CallInfo) { c.ActiveFrom = time.Unix(1, 0) })
	for name, c := range map[string]struct {
		was   map[callKey]node.CallInfo
		calls []node.CallInfo
		sound voice.Sound
		any   bool
	}{
		"they hung up":        {was, spoken, voice.HangUp, true},
		"they were busy":      {was, end(func(c *node.CallInfo) { c.Reason = control.EndBusy }), voice.Busy, true},
		"we hung up":          {was, end(func(c *node.CallInfo) { c.ActiveFrom, c.ByUs = time.Unix(1, 0), true }), 0, false},
		"nobody answered":     {was, end(func(c *node.CallInfo) { c.Reason = control.EndMissed }), 0, false},
		"that was heard once": {map[callKey]node.CallInfo{{}: spoken[0]}, spoken, 0, false},
	} {
		sound, any := lastWord(c.was, c.calls)
		if any != c.any || any && sound != c.sound {
			t.Errorf("%s: sound %v, %v", name, sound, any)
		}
	}
}
