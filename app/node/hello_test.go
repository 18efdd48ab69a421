package node_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
)

// A viewer that reads a contact as soon as it is told of a change reads the new
// name: nobody tells it again.
func TestWhoHearsOfANewNameReadsIt(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		seen := bob.Node().Watch()
		defer seen.Close()
		read := make(chan string, 100)
		go func() {
			for c, err := seen.Next(town.Context()); err == nil; c, err = seen.Next(town.Context()) {
				if c.Topic != node.TopicContact {
					continue
				}
				who, err := bob.Node().Contact(alice.ID())
				if err != nil {
					t.Error(err)
				}
				read <- who.OwnName
			}
		}()
		for i := range 10 {
			s := alice.Node().Settings()
			s.Name = fmt.Sprint("alice ", i)
			if err := alice.Node().PutSettings(town.Context(), s); err != nil {
				t.Fatal(err)
			}
			town.Pass(time.Second)
			last := ""
			for len(read) > 0 {
				last = <-read
			}
			if last != s.Name {
				t.Errorf("told of %q, a viewer read %q", s.Name, last)
			}
		}
	})
}
