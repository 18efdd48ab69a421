package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
)

func TestEveryReasonOfAFailureHasWordsInEachLanguage(t *testing.T) {
	reasons := map[string]bool{}
	for _, k := range known {
		if k.why != "" {
			reasons[failure(fmt.Errorf("asked: %w", k.err)).Reason] = true
		}
	}
	for _, err := range []error{&node.AmbiguousError{Names: []string{"Ana", "Anna"}}, &chat.TooLongError{Bytes: 70000, Limit: 65536}} {
		reasons[failure(err).Reason] = true
	}
	for _, part := range []string{identity.PartScheme, identity.PartLength, identity.PartCase, identity.PartChecksum, identity.PartVersion, identity.PartContent} {
		reasons[failure(&identity.InviteError{Part: part}).Reason] = true
	}
	for _, part := range []string{identity.PartCharacter, identity.PartChecksum} {
		f := failure(&identity.InviteError{Part: part, Position: 9})
		if len(f.Args) != 2 || f.Args[0] != "9" || f.Args[1] != "3" {
			t.Errorf("character 9 stands in group 3, not %v", f.Args)
		}
		reasons[f.Reason] = true
	}
	files, err := filepath.Glob("../../../assets/words/*/failures.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d languages: %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		words := map[string]string{}
		if err := json.Unmarshal(b, &words); err != nil {
			t.Fatal(err)
		}
		for r := range reasons {
			if words["fail.why."+r] == "" {
				t.Errorf("%s: no words for %q", file, r)
			}
		}
	}
}

func TestAnErrorThatNobodyKnowsIsInternal(t *testing.T) {
	if f := failure(errors.New("page 3 is odd")); f.Message != "Page 3 is odd" || f.Code != "internal" || f.Reason != "" {
		t.Errorf("%+v", f)
	}
}
