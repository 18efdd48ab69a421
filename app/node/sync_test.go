package node_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/app/store"
)

func TestWhoeverWasRemovedAndIsBackReadsWhatIsWritten(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		alice.Send(bob, "one")
		alice.Send(bob, "two")
		bob.WantRow(alice, "two")
		if err := alice.Node().Remove(town.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		town.Pass(time.Minute)
		town.Befriend(alice, bob)
		id := alice.Send(bob, "three")
		alice.WantState(id, chat.Delivered)
		bob.WantRow(alice, "three")
	})
}

func TestAFriendWhoIsAwayCanBeAddedAgainByAnOldLink(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		link, err := alice.Node().Invite(town.Context(), false, 0)
		if err != nil {
			t.Fatal(err)
		}
		alice.Sleep()
		town.Pass(time.Minute)
		if _, err := bob.Node().Add(town.Context(), link.String(), "", ""); err != nil {
			t.Fatal(err)
		}
		town.Pass(time.Minute)
		alice.Wake()
		town.Eventually("they are friends again", func() bool { return bob.Sees(alice) && alice.Sees(bob) })
		alice.Send(bob, "hello again")
		bob.WantRow(alice, "hello again")
		bob.Send(alice, "and you")
		alice.WantRow(bob, "and you")
	})
}

func TestDevicesAreToldWhoeverHasMoreOfThem(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		for range 2 { // bob's list is two epochs ahead of alice's
			bob.Second()
			town.Pass(10 * time.Second)
		}
		second := alice.Second()
		second.Send(bob, "from my second")
		bob.WantRow(second, "from my second")
		if c, err := bob.Node().Contact(alice.ID()); err != nil || c.Devices != 2 {
			t.Errorf("bob knows %d devices of alice, %v", c.Devices, err)
		}
	})
}

func TestALinkThatBreaksSoonIsMadeAgainSoon(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		for range 3 {
			town.Pass(100 * time.Millisecond)
			bob.Host.Cut()
			town.Within(10*time.Second, "each is away to the other", func() bool { return !alice.Sees(bob) && !bob.Sees(alice) })
			bob.Host.Mend()
			town.Within(20*time.Second, "both are back", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
		}
	})
}

func sendReceipts(t *testing.T, town *nodetest.Town, p *nodetest.Person, on bool) {
	t.Helper()
	s := p.Node().Settings()
	s.SendReceipts = on
	if err := p.Node().PutSettings(town.Context(), s); err != nil {
		t.Fatal(err)
	}
}

func markRead(t *testing.T, town *nodetest.Town, p, of *nodetest.Person, id chat.Hash) {
	t.Helper()
	if err := p.Node().MarkRead(town.Context(), of.ID(), id); err != nil {
		t.Fatal(err)
	}
}

func stateIn(t *testing.T, p *nodetest.Person, id chat.Hash) chat.State {
	t.Helper()
	row, _, err := p.Node().Message(id)
	if err != nil {
		t.Fatal(err)
	}
	return row.State
}

func TestWhatWasSeenWhileReceiptsAreOffIsNotToldLater(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		sendReceipts(t, town, bob, false)
		one := alice.Send(bob, "one")
		bob.WantRow(alice, "one")
		alice.WantState(one, chat.Delivered)
		markRead(t, town, bob, alice, one)
		want := func(when string) {
			t.Helper()
			town.Pass(time.Minute)
			if s := stateIn(t, alice, one); s != chat.Delivered {
				t.Errorf("%s, to alice it is %v", when, s)
			}
		}
		want("off")
		two := alice.Send(bob, "two")
		alice.WantState(two, chat.Delivered)
		want("off, and one more came")
		sendReceipts(t, town, bob, true)
		want("on again")
		three := alice.Send(bob, "three")
		alice.WantState(three, chat.Delivered)
		want("on again, and one more came")
		bob.Sleep()
		bob.Wake()
		town.Eventually("bob is back", func() bool { return alice.Sees(bob) })
		want("after a restart")
		markRead(t, town, bob, alice, three)
		alice.WantState(three, chat.Seen)
	})
}

func TestReadOnOneDeviceIsReadOnTheOther(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		second := alice.Second()
		town.Eventually("all have met", func() bool { return second.Sees(bob) && alice.Sees(bob) })
		id := bob.Send(alice, "for both")
		alice.WantRow(bob, "for both")
		second.WantRow(bob, "for both")
		unread := func(p *nodetest.Person) int {
			c, err := p.Node().Contact(bob.ID())
			if err != nil {
				t.Fatal(err)
			}
			return c.Unread
		}
		if unread(alice) != 1 || unread(second) != 1 {
			t.Errorf("unread are %d and %d", unread(alice), unread(second))
		}
		markRead(t, town, second, bob, id)
		town.Eventually("it is read everywhere", func() bool { return unread(alice) == 0 && stateIn(t, bob, id) == chat.Seen })
		markRead(t, town, alice, bob, id)
		bob.WantState(id, chat.Seen)
	})
}

func TestEditsRepliesAndReactionsFromTwoDevicesMeet(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		second := alice.Second()
		town.Eventually("all have met", func() bool { return second.Sees(bob) && alice.Sees(bob) && bob.Sees(alice) })
		id := alice.Send(bob, "draft")
		second.WantRow(alice, "draft")
		bob.WantRow(alice, "draft")
		alice.Host.Cut()
		second.Host.Cut()
		town.Eventually("all are alone", func() bool { return !bob.Sees(alice) && !second.Sees(bob) && !alice.Sees(bob) })
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(alice.Node().Edit(town.Context(), id, "edited on the first"))
		must(second.Node().Edit(town.Context(), id, "edited on the second"))
		must(second.Node().React(town.Context(), id, "🎈", true))
		must(bob.Node().React(town.Context(), id, "❤", true))
		_, err := bob.Node().Send(town.Context(), alice.ID(), "an answer", id, chat.Written)
		must(err)
		alice.Host.Mend()
		second.Host.Mend()
		row := func(p *nodetest.Person) (out store.RowView) {
			r, _, err := p.Node().Message(id)
			must(err)
			return r
		}
		same := func() bool {
			a, s, b := row(alice), row(second), row(bob)
			return a.Edited && a.Text == s.Text && a.Text == b.Text && len(a.Reactions) == 2 && len(s.Reactions) == 2 && len(b.Reactions) == 2
		}
		town.Within(6*time.Minute, "all three show the same", same)
		must(bob.Node().Delete(town.Context(), bob.Send(alice, "oops")))
		must(second.Node().Delete(town.Context(), id))
		town.Eventually("the tombstone stands everywhere", func() bool { return row(alice).Deleted && row(bob).Deleted && row(alice).Text == "" })
	})
}

func TestAClockThatIsAYearSlowOrFastChangesNothing(t *testing.T) {
	for name, off := range map[string]int{"slow": -1, "fast": 1} {
		t.Run(name, func(t *testing.T) {
			nodetest.Run(t, func(town *nodetest.Town) {
				alice, bob := town.Join("alice"), town.Join("bob")
				town.Befriend(alice, bob)
				alice.Send(bob, "before")
				bob.WantRow(alice, "before")
				bob.Now = func() time.Time { return time.Now().AddDate(off, 0, 0) }
				id := bob.Send(alice, "with a strange clock")
				alice.WantRow(bob, "with a strange clock")
				bob.WantState(id, chat.Delivered)
				bob.Sleep()
				town.Pass(time.Minute)
				bob.Wake()
				town.Within(2*time.Second, "bob is back", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
				alice.Send(bob, "after")
				bob.WantRow(alice, "after")
				want := []string{"before", "with a strange clock", "after"}
				for _, p := range [][2]*nodetest.Person{{alice, bob}, {bob, alice}} {
					if got := p[0].Texts(p[1]); !slices.Equal(got, want) {
						t.Errorf("%s reads %q", p[0].Name, got)
					}
				}
				// An invite ends by the calendar: here it is whoever is ahead who makes it.
				ahead, behind := bob, town.Join("carol")
				if off < 0 {
					ahead, behind = behind, ahead
				}
				town.Befriend(ahead, behind)
			})
		})
	}
}

func TestTypingEndsByItselfAndIsNotToldByWhoDoesNotWantIt(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		typing := func() bool {
			c, err := alice.Node().Contact(bob.ID())
			return err == nil && c.Typing
		}
		bob.Node().Typing(alice.ID(), true)
		town.Within(time.Second, "bob is writing", typing)
		town.Pass(4 * time.Second)
		bob.Node().Typing(alice.ID(), true)
		town.Pass(4 * time.Second)
		if !typing() {
			t.Error("a second notice did not hold")
		}
		bob.Host.Cut()
		town.Pass(3 * time.Second)
		if typing() {
			t.Error("bob writes although nothing was heard for six seconds")
		}
		bob.Host.Mend()
		town.Eventually("bob is here", func() bool { return alice.Sees(bob) })
		s := bob.Node().Settings()
		s.SendTyping = false
		if err := bob.Node().PutSettings(town.Context(), s); err != nil {
			t.Fatal(err)
		}
		bob.Node().Typing(alice.ID(), true)
		town.Pass(time.Second)
		if typing() {
			t.Error("bob, who does not want it known, is writing")
		}
	})
}

func TestDraftsOutliveTheNode(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		to := bob.Send(alice, "well?")
		alice.WantRow(bob, "well?")
		d := store.Draft{Text: "I was about to", ReplyTo: to}
		if err := alice.Node().PutDraft(town.Context(), bob.ID(), d); err != nil {
			t.Fatal(err)
		}
		alice.Sleep()
		alice.Wake()
		if got, err := alice.Node().Draft(bob.ID()); err != nil || got.Text != d.Text || got.ReplyTo != to {
			t.Errorf("the draft is %+v, %v", got, err)
		}
	})
}

func TestWhatIsFoundStandsInItsContext(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		for _, text := range []string{"one", "two", "a needle", "four", "five"} {
			bob.Send(alice, text)
		}
		alice.WantRow(bob, "five")
		hits, err := alice.Node().Search("needle", bob.ID(), 10)
		if err != nil || len(hits) != 1 {
			t.Fatalf("%d hits, %v", len(hits), err)
		}
		p, err := alice.Node().Page(bob.ID(), store.Query{Around: hits[0].Row.ID, Limit: 3})
		var got []string
		for _, r := range p.Rows {
			got = append(got, r.Text)
		}
		if want := []string{"two", "a needle", "four"}; err != nil || !slices.Equal(got, want) || !p.Earlier || !p.Later {
			t.Errorf("around it are %q, %v", got, err)
		}
	})
}
