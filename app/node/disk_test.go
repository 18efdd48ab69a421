package node_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/transport/simnet"
)

// smallDisk moves the profile of somebody who is asleep to a disk of its own,
// until what it returns is called.
func smallDisk(t *testing.T, p *nodetest.Person) (release func()) {
	t.Helper()
	files, err := os.ReadDir(p.Dir)
	must(t, err)
	content := map[string][]byte{}
	for _, f := range files {
		content[f.Name()], err = os.ReadFile(filepath.Join(p.Dir, f.Name()))
		must(t, err)
	}
	if err := syscall.Mount("tmpfs", p.Dir, "tmpfs", 0, "mode=0700,size=8M"); err != nil {
		t.Skipf("needs root, to mount a small disk for the test: %v", err)
	}
	for name, b := range content {
		must(t, os.WriteFile(filepath.Join(p.Dir, name), b, 0o600))
	}
	return func() {
		p.Sleep()
		must(t, syscall.Unmount(p.Dir, 0))
	}
}

// fill takes all room on the disk of p; what it returns gives it back.
func fill(t *testing.T, p *nodetest.Person) (empty func()) {
	t.Helper()
	name := filepath.Join(p.Dir, "ballast")
	f, err := os.Create(name)
	must(t, err)
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	must(t, f.Close())
	return func() { must(t, os.Remove(name)) }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAfterALongFullDiskMessagesComeAsSoonAsThereIsRoom(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Seed: 1}, func(town *nodetest.Town) {
		home := town.World().LAN(simnet.PortRestricted)
		alice, bob := town.JoinFar("alice"), town.JoinAt("bob", home)
		town.Befriend(alice, bob)
		bob.Sleep()
		defer smallDisk(t, bob)()
		bob.Wake()
		meet := func() bool { return alice.Sees(bob) && bob.Sees(alice) }
		town.Eventually("bob is back", meet)
		empty := fill(t, bob)
		ids := []chat.Hash{alice.Send(bob, "while there was no room")}
		for range 12 { // links that break soon, with nothing kept of them
			town.Within(10*time.Minute, "they meet", meet)
			ids = append(ids, alice.Send(bob, "and one more"))
			town.Pass(time.Second)
			home.Cut()
			town.Within(15*time.Second, "they see that they do not", func() bool { return !alice.Sees(bob) && !bob.Sees(alice) })
			home.Mend()
		}
		town.Within(10*time.Minute, "they meet", meet)
		town.Pass(time.Hour)
		for _, id := range ids {
			if s := stateIn(t, alice, id); s != chat.Written {
				t.Fatalf("with a full disk it is %v", s)
			}
		}
		empty()
		town.Within(30*time.Second, "all have arrived", func() bool {
			for _, id := range ids {
				if stateIn(t, alice, id) != chat.Delivered {
					return false
				}
			}
			return true
		})
	})
}

func TestAFriendWhoseLinksKeepBreakingIsCalledBackSoon(t *testing.T) {
	nodetest.RunFar(t, simnet.Config{Seed: 1}, func(town *nodetest.Town) {
		home := town.World().LAN(simnet.PortRestricted)
		alice, bob := town.JoinFar("alice"), town.JoinAt("bob", home)
		town.Befriend(alice, bob)
		for range 15 {
			town.Within(40*time.Second, "they meet again", func() bool { return alice.Sees(bob) && bob.Sees(alice) })
			town.Pass(time.Second)
			home.Cut()
			town.Within(15*time.Second, "they see that they do not", func() bool { return !alice.Sees(bob) && !bob.Sees(alice) })
			home.Mend()
		}
	})
}
