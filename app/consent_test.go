package app_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/control"
)

func TestBeforeTheFirstCallItIsSaidThatTheyWillSeeTheAddress(t *testing.T) {
	t.Parallel()
	ana, bo, _ := callers(t, true)
	const told = "Bo sees your network address"
	if a := ana.try("", "call", "Bo", "--for", "100ms"); a.code != 0 || !strings.Contains(a.err, told) || !strings.Contains(a.err, "entrenous route Bo through") {
		t.Errorf("a first call, %d: %q", a.code, a.err)
	}
	if a := ana.try("", "call", "Bo", "--for", "100ms", "--json"); a.code != 0 || a.err != "" {
		t.Errorf("a script's call, %d: %q", a.code, a.err)
	}
	ana.ok("verify", "Bo", "--ok")
	if a := ana.try("", "call", "Bo", "--for", "100ms"); a.code != 0 || strings.Contains(a.err, told) {
		t.Errorf("with a number that was compared, %d: %q", a.code, a.err)
	}
	call := start(t, bo.command("call", "Ana", "--json"))
	eventually(t, "it rings", func() bool {
		c, err := ana.api().CallNow(t.Context(), control.RingingCall)
		return err == nil && c.Who == bo.id
	})
	ana.ok("verify", "Bo", "--undo")
	if a := ana.try("", "answer"); a.code != 0 || !strings.Contains(a.err, told) {
		t.Errorf("an answer, %d: %q", a.code, a.err)
	}
	ana.ok("hangup")
	<-call.done
}

func TestAtATerminalTheFirstCallAsksWhoMaySeeTheAddress(t *testing.T) {
	t.Parallel()
	ana, bo, _ := callers(t, true)
	screen, tty := terminal(t)
	begin := func() *exec.Cmd {
		cmd := ana.command("call", "Bo", "--for", "100ms")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
		must(t, cmd.Start())
		return cmd
	}
	asked := func() bool {
		c, err := ana.api().Contact(t.Context(), bo.id)
		must(t, err)
		return c.Asked
	}
	const question = "not at all (n)? "
	for _, no := range []string{"n\r", "\x03"} {
		cmd := begin()
		read(t, screen, question)
		fmt.Fprint(screen, no)
		if err := cmd.Wait(); err == nil || asked() {
			t.Errorf("after %q the call goes on: %v, chosen: %v", no, err, asked())
		}
	}
	if calls, err := ana.api().Calls(t.Context()); err != nil || len(calls) != 0 {
		t.Errorf("without consent there were %d calls, %v", len(calls), err)
	}
	cmd := begin()
	read(t, screen, question)
	fmt.Fprint(screen, "what?\r")
	read(t, screen, question)
	fmt.Fprint(screen, "d\r")
	read(t, screen, "Ended after")
	must(t, cmd.Wait())
	if !asked() {
		t.Error("the choice is not kept")
	}
	cmd = begin()
	if seen := read(t, screen, "Ended after"); strings.Contains(seen, question) {
		t.Error("it is asked again")
	}
	must(t, cmd.Wait())
	c, err := ana.api().Contact(t.Context(), bo.id)
	if err != nil || c.Route != control.RouteDirect {
		t.Errorf("the route is %q, %v", c.Route, err)
	}
}

func TestACallByCommandWasTheFirstCall(t *testing.T) {
	t.Parallel()
	ana, bo, _ := callers(t, true)
	called := func() bool {
		c, err := ana.api().Contact(t.Context(), bo.id)
		must(t, err)
		return c.Called
	}
	if called() {
		t.Fatal("bo was called before anybody called")
	}
	ana.ok("call", "Bo", "--for", "100ms", "--json")
	eventually(t, "it is kept that bo was called", called)
	screen, tty := terminal(t)
	cmd := ana.command("call", "Bo", "--for", "100ms")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	must(t, cmd.Start())
	if seen := read(t, screen, "Ended after"); strings.Contains(seen, "your first call") {
		t.Errorf("the second call is taken for the first: %q", seen)
	}
	must(t, cmd.Wait())
	ana.sleep()
	ana.wake("--audio", "null")
	if !called() {
		t.Error("it is forgotten when the node starts again")
	}
}
