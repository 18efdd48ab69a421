package identity_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/identity"
)

func TestBothSidesSeeTheSameSafetyNumber(t *testing.T) {
	shape := regexp.MustCompile(`^\d{5}( \d{5}){11}$`)
	seen := map[string]bool{}
	for n := range byte(4) {
		a, b := identity.FromSeed(seedOf(n)).ID(), identity.FromSeed(seedOf(n+100)).ID()
		number := identity.SafetyNumber(a, b)
		if number != identity.SafetyNumber(b, a) || !shape.MatchString(number) || seen[number] {
			t.Errorf("numbers: %s and %s", number, identity.SafetyNumber(b, a))
		}
		seen[number] = true
		spoken := identity.SafetyWords(a, b)
		if len(spoken) != 8 || !slices.Equal(spoken, identity.SafetyWords(b, a)) {
			t.Errorf("words: %v", spoken)
		}
		for _, word := range spoken {
			if !slices.Contains(identity.WordList(), word) {
				t.Errorf("%s is not on the list", word)
			}
		}
		qr := identity.SafetyQR(a, b)
		if qr != identity.SafetyQR(b, a) || qr != strings.ToUpper(qr) || !strings.HasPrefix(qr, "ENTRENOUS-SAFETY:") {
			t.Errorf("qr: %s", qr)
		}
	}
}

func TestAnImpostorChangesHalfOfTheNumber(t *testing.T) {
	ana, bo, impostor := identity.FromSeed(seedOf(1)).ID(), identity.FromSeed(seedOf(2)).ID(), identity.FromSeed(seedOf(3)).ID()
	honest, watched := identity.SafetyNumber(ana, bo), identity.SafetyNumber(ana, impostor)
	if honest == watched || identity.SafetyQR(ana, bo) == identity.SafetyQR(ana, impostor) ||
		slices.Equal(identity.SafetyWords(ana, bo), identity.SafetyWords(ana, impostor)) {
		t.Error("the impostor is not seen")
	}
	same := 0
	for _, group := range strings.Fields(honest) {
		if slices.Contains(strings.Fields(watched), group) {
			same++
		}
	}
	if same != 6 {
		t.Errorf("%d groups are the same: one's own half, six, should be", same)
	}
}

func BenchmarkSafetyNumber(b *testing.B) {
	x, y := identity.FromSeed(seedOf(1)).ID(), identity.FromSeed(seedOf(2)).ID()
	for b.Loop() {
		identity.SafetyNumber(x, y)
	}
}
