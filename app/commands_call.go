package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/app/control"
)

// statsEvery is the time between two stats. What happens in between is told at once.
const statsEvery = time.Second

// callEvent is what “call --json” prints: a type, and the call as it is then.
type callEvent struct {
	Type string  `json:"type"`  // "calling", "ringing", "connected", "first_audio", "reconnecting", "stats", "ended"
	At   float64 `json:"at_ms"` // since the command began
	control.Call
}

func (p *program) callCommand() *cobra.Command {
	var limit time.Duration
	var test bool
	cmd := verb(p, "call [WHO]", "Call a friend and stay in the call until it ends", cobra.MaximumNArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		if test {
			return p.testSound(ctx, c, a)
		}
		if len(a) == 0 {
			return &usageError{errors.New("say whom to call, or --test")}
		}
		if limit < 0 {
			return &usageError{fmt.Errorf("a call cannot last %s: say --for 5m", limit)}
		}
		if err := p.consent(ctx, c, a[0]); err != nil {
			return err
		}
		f := &follower{p: p, c: c, begun: time.Now(), limit: limit}
		if set, err := c.Settings(ctx); err == nil { // else what the system speaks
			f.aside.words = spokenWords(set.Language)
		}
		x, err := c.Call(ctx, a[0])
		if err != nil {
			return err
		}
		return f.follow(ctx, x)
	})
	cmd.Flags().DurationVar(&limit, "for", 0, "hang up when the call has lasted that long")
	cmd.Flags().BoolVar(&test, "test", false, "ring nobody: hear whether this machine can, alone or with WHO's machine, which has to allow it")
	cmd.Long = `Call a friend and stay in the call until it ends.

In a direct call both see each other's network address. Before the first one with
somebody whose safety number was not compared, you are asked whether they may, at a
terminal; else it is said. “entrenous route” keeps your address from somebody.`
	cmd.ValidArgsFunction = p.completeWho
	return cmd
}

// follower stays with one call and tells what happens.
type follower struct {
	p     *program
	c     *control.Client
	begun time.Time
	limit time.Duration

	state string    // told last
	rang  bool      // ringing was told
	heard bool      // first_audio was told
	told  time.Time // of the last stats
	aside asides
}

// follow tells of a call until it has ended. An interrupt hangs up.
func (f *follower) follow(ctx context.Context, x control.Call) error {
	on := context.WithoutCancel(ctx) // the end of the call is told even after an interrupt
	feed, err := f.c.FollowCall(on, x.ID, statsEvery)
	if err != nil {
		return err
	}
	defer feed.Close()
	hangUp := context.AfterFunc(ctx, func() { f.hangUp(on, x.ID) })
	defer hangUp()
	var over *time.Timer // of the limit
	for {
		next, err := feed.Next()
		if errors.Is(err, io.EOF) {
			return endFailure(x)
		}
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
			return f.nodeEnded(x)
		}
		if err != nil {
			return err
		}
		x = next
		if err := f.tell(x); err != nil {
			return err
		}
		if f.limit > 0 && over == nil && !x.Connected.IsZero() {
			spoken := time.Duration(x.Seconds * float64(time.Second))
			over = time.AfterFunc(f.limit-spoken, func() { f.hangUp(on, x.ID) })
			defer over.Stop()
		}
	}
}

// nodeEnded says what became of a call whose node ended in the midst of it. To a
// script it is a call that ended, as any other.
func (f *follower) nodeEnded(x control.Call) error {
	if x.State == control.CallEnded { // that was told in time
		return endFailure(x)
	}
	key := "call.node.ended"
	x.State, x.Reason = control.CallEnded, control.EndLost
	if x.Answered.IsZero() {
		key, x.Reason = "call.node.ended.unanswered", control.EndMissed
	}
	if f.p.json {
		if err := f.say(control.CallEnded, x); err != nil {
			return err
		}
	}
	say := func(key string) string { return inWords(f.aside.words, key, x.Name) }
	return &control.Failure{Message: say(key), Hint: say("call.node.ended.hint"), Code: control.CodeNotHere}
}

func (f *follower) hangUp(ctx context.Context, id string) {
	_, _ = f.c.HangUp(ctx, id) // it may have ended by itself; the feed tells
}

// tell prints what is new.
func (f *follower) tell(x control.Call) error {
	f.rang = f.rang || x.State == control.CallRinging
	if !f.rang && !x.Answered.IsZero() { // it rang too shortly to be seen
		f.rang = true
		if err := f.say(control.CallRinging, x); err != nil {
			return err
		}
	}
	if x.State != f.state && x.State != control.CallConnecting {
		again := f.state == control.CallReconnecting
		f.state = x.State
		kind := x.State
		if kind == control.CallActive {
			kind = "connected"
		}
		if err := f.say(kind, x); err != nil {
			return err
		}
		if !again {
			f.told = time.Now()
		}
	}
	if !f.p.json { // else each line has it
		f.tellAside(x)
	}
	return f.tellSound(x)
}

// tellAside prints what is new besides how it goes.
func (f *follower) tellAside(x control.Call) {
	for _, line := range f.aside.news(x) {
		fmt.Fprintln(f.p.out, inWords(f.aside.words, line.key, line.arg))
	}
}

// tellSound prints when the first sound came, and each second how it is.
func (f *follower) tellSound(x control.Call) error {
	if x.Quality == nil {
		return nil
	}
	if !f.heard && x.Quality.FirstAudio > 0 {
		f.heard = true
		if err := f.say("first_audio", x); err != nil {
			return err
		}
	}
	if time.Since(f.told) < statsEvery/2 { // something else happened, and was told
		return nil
	}
	f.told = time.Now()
	return f.say("stats", x)
}

func (f *follower) say(kind string, x control.Call) error {
	e := callEvent{Type: kind, At: float64(time.Since(f.begun).Microseconds()) / 1000, Call: x}
	return f.p.print(e, func(w io.Writer) {
		switch kind {
		case control.CallEnded:
			fmt.Fprintln(w, endText(x))
		case "stats":
			q := x.Quality
			fmt.Fprintf(w, "%4.0f s  %s  %s, %.0f ms round trip, %.1f %% lost, %.0f ms from mouth to ear\n", x.Seconds, q.Word, q.Path, q.RTT, q.Loss*100, q.MouthToEar)
		case "first_audio":
			fmt.Fprintf(w, "first sound after %.0f ms\n", x.Quality.FirstAudio)
		default:
			fmt.Fprintf(w, "%s %s\n", x.Name, kind)
		}
	})
}

// endText says how a call ended.
func endText(x control.Call) string {
	text := "Ended"
	if !x.Connected.IsZero() {
		text += fmt.Sprintf(" after %.0f s", x.Seconds)
	}
	if x.Reason == control.EndCompleted || x.ByUs && x.Reason == control.EndMissed { // somebody hung up
		return text
	}
	return text + ": " + x.Reason
}

// endFailure makes an error of a call that did not come to be, or broke off.
func endFailure(x control.Call) error {
	switch {
	case x.Reason == control.EndCompleted, x.ByUs && x.Reason == control.EndMissed:
		return nil
	case x.Reason == control.EndAway:
		return &control.Failure{Message: x.Name + " is not here now", Hint: "They will see that you called", Code: control.CodeState}
	case x.Reason == control.EndMissed:
		return &control.Failure{Message: x.Name + " did not answer", Code: control.CodeState}
	case x.Reason == control.EndDeclined:
		return &control.Failure{Message: x.Name + " declined", Code: control.CodeState}
	case x.Reason == control.EndBusy:
		return &control.Failure{Message: x.Name + " is in another call", Code: control.CodeState}
	case x.Reason == control.EndBroken:
		return &control.Failure{Message: "No microphone or loudspeaker could be opened", Hint: "Look at “entrenous devices”", Code: control.CodeState}
	}
	return &control.Failure{Message: "The call broke off: " + x.Reason, Hint: "Call again; “entrenous doctor” may tell why", Code: control.CodeState}
}

// callState is how a call is, and what was done to it here.
func callState(x control.Call) string {
	out := x.State
	if out == control.CallEnded {
		return out
	}
	for _, s := range []struct {
		is   bool
		word string
	}{{x.Held, "on hold"}, {x.HeldThere, "held by them"}, {x.Muted, "muted"}, {x.Recording, "recorded"}} {
		if s.is {
			out += ", " + s.word
		}
	}
	return out
}

// aboutCall makes a command about one call, by default the one that is meant
// most likely.
func (p *program) aboutCall(use, short, usual string, do func(context.Context, *control.Client, string) (control.Call, error)) *cobra.Command {
	return verb(p, use+" [CALL]", short, cobra.MaximumNArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		id := usual
		if len(a) == 1 {
			id = a[0]
		}
		x, err := do(ctx, c, id)
		if err != nil {
			return err
		}
		return p.print(x, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s\n", x.Name, callState(x))
			if x.RecordingFile != "" {
				fmt.Fprintf(w, "The recording is %s, a plain file of yours.\n", x.RecordingFile)
			}
		})
	})
}

func (p *program) answerCommand() *cobra.Command {
	return p.aboutCall("answer", "Answer the call that rings", control.RingingCall, func(ctx context.Context, c *control.Client, id string) (control.Call, error) {
		if x, err := c.CallNow(ctx, id); err == nil { // else the answer says why
			if err := p.consent(ctx, c, x.Who); err != nil {
				return control.Call{}, err
			}
		}
		return c.Answer(ctx, id)
	})
}

func (p *program) declineCommand() *cobra.Command {
	return p.aboutCall("decline", "Decline the call that rings", control.RingingCall, func(ctx context.Context, c *control.Client, id string) (control.Call, error) {
		return c.Decline(ctx, id)
	})
}

func (p *program) hangupCommand() *cobra.Command {
	return p.aboutCall("hangup", "End the call, or call it off", control.CurrentCall, func(ctx context.Context, c *control.Client, id string) (control.Call, error) {
		return c.HangUp(ctx, id)
	})
}

// edit makes a command that switches something in the current call.
func (p *program) edit(use, short string, change func(on bool) control.CallEdit) *cobra.Command {
	var off bool
	cmd := p.aboutCall(use, short, control.CurrentCall, func(ctx context.Context, c *control.Client, id string) (control.Call, error) {
		return c.EditCall(ctx, id, change(!off))
	})
	cmd.Flags().BoolVar(&off, "off", false, "the other way round")
	return cmd
}

func (p *program) muteCommand() *cobra.Command {
	return p.edit("mute", "Say nothing in the call", func(on bool) control.CallEdit { return control.CallEdit{Muted: &on} })
}

func (p *program) holdCommand() *cobra.Command {
	return p.edit("hold", "Put the call on hold", func(on bool) control.CallEdit { return control.CallEdit{Held: &on} })
}

func (p *program) recordCommand() *cobra.Command {
	return p.edit("record", "Record the call into a plain file in the profile's folder; the friend is told", func(on bool) control.CallEdit { return control.CallEdit{Recording: &on} })
}

func (p *program) callsCommand() *cobra.Command {
	return verb(p, "calls", "List the calls of now and those that ended lately", cobra.NoArgs, func(ctx context.Context, c *control.Client, _ []string) error {
		all, err := c.Calls(ctx)
		if err != nil {
			return err
		}
		for _, x := range all {
			err := p.print(x, func(w io.Writer) {
				fmt.Fprintf(w, "%s  %s  %s %s %.0f s\n", x.ID, x.Name, x.State, x.Reason, x.Seconds)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
