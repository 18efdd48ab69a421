package ui

import (
	"testing"

	"fyne.io/fyne/v2/test"
)

func TestMarksOfWhatWasFoundStayOnTheirWords(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(&Theme{fonts: &fonts{}})
	line, marks := marked("\U0003ff00 then tea and \U0003ff00tea", [][2]int{{10, 13}, {18, 25}})
	if line != "◌ then tea and ◌tea" || len(marks) != 2 {
		t.Fatalf("%q, %v", line, marks)
	}
	for i, want := range []string{"tea", "◌tea"} {
		if got := line[marks[i][0]:marks[i][1]]; got != want {
			t.Errorf("mark %d is on %q, not on %q", i, got, want)
		}
	}
}
