package app

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestCodeThatOnlyTheStartNeededIsGivenBack(t *testing.T) {
	before := codeInMemory(t)
	if err := giveBack(); err != nil {
		t.Fatal(err)
	}
	if after := codeInMemory(t); after > before*2/3 {
		t.Errorf("%d KiB of files were in memory, and %d are", before, after)
	}
}

func TestOnlyWhatCanBeReadAgainIsGivenBack(t *testing.T) {
	const self = "/usr/bin/entrenous"
	for line, want := range map[string]bool{
		"00401000-01a00000 r-xp 00001000 08:01 42 /usr/bin/entrenous":          true,
		"01a00000-03a00000 r--p 01601000 08:01 42 /usr/bin/entrenous":          true,
		"03a00000-03b00000 rw-p 03601000 08:01 42 /usr/bin/entrenous":          false,
		"7f0000000000-7f0000100000 r-xp 00000000 08:01 43 /usr/lib/libLLVM.so": true,
		"7f0000100000-7f0000200000 r--p 00100000 08:01 43 /usr/lib/libLLVM.so": false,
		"7f0000200000-7f0000300000 rwxp 00000000 00:00 0":                      false,
		"7ffe00000000-7ffe00002000 r-xp 00000000 00:00 0 [vdso]":               false,
		"no mapping at all": false,
		"7f0000300000-7f0000200000 r-xp 00000000 08:01 43 /usr/lib/the-wrong-way":   false,
		"7f0000300000 r-xp 00000000 08:01 43 /usr/lib/without-an-end":               false,
		"7f0000300000-7f0000400000 r--s 00000000 08:01 44 /usr/share/a/shared/file": false,
	} {
		span, rest, _ := strings.Cut(line, " ")
		if got := parseMapping(span, rest).readable(self); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// codeInMemory is the KiB of files that this process has in memory.
func codeInMemory(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "RssFile:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
