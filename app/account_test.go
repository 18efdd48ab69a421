package app_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/entrenous/entrenous/app/control"
)

// passphraseFile writes a passphrase to a file.
func passphraseFile(t *testing.T, passphrase string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "passphrase")
	must(t, os.WriteFile(name, []byte(passphrase+"\n"), 0o600))
	return name
}

func TestInitMakesAnIdentityAndShowsTheWordsOnce(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	line := ana.lines("init", "--name", "Ana", "--no-passphrase")[0]
	wantFields(t, line, "id", "device", "words", "key_kept")
	if n := strings.Count(line, `","`); n < 23 {
		t.Errorf("no 24 words in %s", line)
	}
	info, err := os.Stat(filepath.Join(ana.dir, "key"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %v", info.Mode())
	}
	folder, err := os.Stat(ana.dir)
	must(t, err)
	if folder.Mode().Perm() != 0o700 {
		t.Errorf("the profile folder has mode %v", folder.Mode())
	}
	if f := ana.fails(7, "init", "--name", "Ana", "--no-passphrase"); !strings.Contains(f.Message, "already") {
		t.Errorf("a second init says %q", f.Message)
	}
	bo := stranger(t, "Bo")
	text := bo.ok("init", "--name", "Bo", "--no-passphrase")
	for _, want := range []string{"Your id is ", filepath.Join(bo.dir, "key"), "24 words", " 1 ", "24 "} {
		if !strings.Contains(text, want) {
			t.Errorf("init does not say %q:\n%s", want, text)
		}
	}
	bo.wake()
	var id struct{ ID, Device, Name string }
	bo.json(&id, "id")
	if id.ID != bo.id || id.Device == "" || id.Name != "Bo" || !strings.Contains(text, bo.id) {
		t.Errorf("id gives %+v", id)
	}
	for _, out := range []string{bo.ok("id"), bo.ok("status"), bo.ok("--json", "status")} {
		if strings.Contains(out, strings.Fields(text[strings.Index(text, " 1 "):])[1]+" ") {
			t.Error("the words are shown again")
		}
	}
}

func TestInitNeedsAName(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	ana.fails(2, "init", "--no-passphrase")
	ana.fails(2, "init", "--name", "", "--no-passphrase")
	if _, err := os.Stat(filepath.Join(ana.dir, "vault.a")); err == nil {
		t.Error("an identity was made all the same")
	}
	ana.ok("init", "--name", "Ana", "--no-passphrase")
}

func TestTheProfileFolderIsFoundByFlagEnvironmentAndSystem(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	p := stranger(t, "Ana")
	run := func(extra []string, args ...string) answer {
		cmd := p.command()
		cmd.Args, cmd.Env = append([]string{p.bin}, args...), append(environment(filepath.Join(home, "x")), extra...)
		return finish(t, cmd, "")
	}
	inEnv := filepath.Join(home, "by environment")
	data := filepath.Join(home, "data")
	for _, c := range []struct {
		env  []string
		args []string
		want string
	}{
		{nil, nil, filepath.Join(home, ".local", "share", "entrenous")},
		{[]string{"XDG_DATA_HOME=" + data}, nil, filepath.Join(data, "entrenous")},
		{[]string{"XDG_DATA_HOME=" + data, "ENTRENOUS_PROFILE=" + inEnv}, nil, inEnv},
		{[]string{"ENTRENOUS_PROFILE=" + inEnv}, []string{"--profile", filepath.Join(home, "by flag")}, filepath.Join(home, "by flag")},
	} {
		if a := run(c.env, append(c.args, "init", "--name", "Ana", "--no-passphrase")...); a.code != 0 {
			t.Fatalf("init: %s", a.err)
		}
		if _, err := os.Stat(filepath.Join(c.want, "vault.a")); err != nil {
			t.Errorf("with %v and %v: %v", c.env, c.args, err)
		}
	}
}

func TestAPassphraseIsAskedForAndChecked(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	right, wrong := passphraseFile(t, "correct hippogriff"), passphraseFile(t, "battery staple")
	if f := ana.fails(2, "init", "--name", "Ana"); !strings.Contains(f.Hint, "--passphrase-file") {
		t.Errorf("without a terminal: %+v", f)
	}
	ana.fails(2, "init", "--name", "Ana", "--passphrase-file", passphraseFile(t, ""))
	ana.fails(2, "init", "--name", "Ana", "--passphrase-file", filepath.Join(t.TempDir(), "none"))
	var made control.SetupDone
	ana.json(&made, "init", "--name", "Ana", "--passphrase-file", right)
	if made.KeyKept != "passphrase" {
		t.Errorf("the key is kept by %q", made.KeyKept)
	}
	if _, err := os.Stat(filepath.Join(ana.dir, "key")); err == nil {
		t.Error("there is a key file beside the passphrase")
	}
	f := ana.fails(6, "daemon", "--passphrase-file", wrong)
	if f.Code != control.CodePass || !strings.Contains(f.Message, "does not fit") {
		t.Errorf("a wrong passphrase: %+v", f)
	}
	ana.fails(2, "daemon")
	ana.wake("--passphrase-file", right)
	if ana.id != made.ID {
		t.Errorf("opened %s, made %s", ana.id, made.ID)
	}
}

func TestAPassphraseTypedIsNotShown(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	screen, tty := terminal(t)
	cmd := ana.command("init", "--name", "Ana")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	must(t, cmd.Start())
	seen := read(t, screen, "A passphrase for this computer: ")
	fmt.Fprint(screen, "correct hippogriff\r")
	seen += read(t, screen, "Once more: ")
	fmt.Fprint(screen, "correct hippogriff\r")
	seen += read(t, screen, "24 ")
	must(t, cmd.Wait())
	if strings.Contains(seen, "hippogriff") {
		t.Errorf("the passphrase stands on the screen:\n%s", seen)
	}
	ana.wake("--passphrase-file", passphraseFile(t, "correct hippogriff"))
}

func TestAPassphraseMistypedOrRefusedMakesNothing(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"one\rother\r": "not the same", "\r\r": "empty", "\x03": "Interrupted"} {
		ana := stranger(t, "Ana")
		screen, tty := terminal(t)
		cmd := ana.command("init", "--name", "Ana")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
		must(t, cmd.Start())
		seen := read(t, screen, "A passphrase for this computer: ")
		fmt.Fprint(screen, typed)
		seen += read(t, screen, want)
		if err := cmd.Wait(); err == nil || strings.Contains(seen, "other") {
			t.Errorf("%q: %v\n%s", typed, err, seen)
		}
		if _, err := os.Stat(filepath.Join(ana.dir, "vault.a")); err == nil {
			t.Errorf("%q makes an identity", typed)
		}
	}
}

// terminal opens a pseudo-terminal: what a person sees and types on, and what
// the program has.
func terminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("opens a pseudo-terminal the Linux way")
	}
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	var number uint32
	var unlock int32
	for request, arg := range map[uintptr]unsafe.Pointer{syscall.TIOCSPTLCK: unsafe.Pointer(&unlock), syscall.TIOCGPTN: unsafe.Pointer(&number)} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), request, uintptr(arg)); errno != 0 {
			t.Fatal(errno)
		}
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { tty.Close() })
	return screen, tty
}

// read reads until something is on the screen.
func read(t *testing.T, from io.Reader, until string) string {
	t.Helper()
	var all strings.Builder
	b := make([]byte, 4096)
	for !strings.Contains(all.String(), until) {
		n, err := from.Read(b)
		must(t, err)
		all.Write(b[:n])
	}
	return all.String()
}

func TestTheWordsBringTheIdentityBackOnANewDevice(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	var made control.SetupDone
	ana.json(&made, "init", "--name", "Ana", "--no-passphrase")
	words := strings.Join(made.Words, " ")

	again := stranger(t, "Ana")
	a := again.try(words+"\n", "restore", "--name", "Ana", "--no-passphrase", "--json")
	var restored control.SetupDone
	decode(t, a, &restored)
	if restored.ID != made.ID || restored.Device == made.Device || len(restored.Words) != 0 {
		t.Errorf("restored %+v from %s, %s", restored, made.ID, made.Device)
	}
	onPaper := filepath.Join(t.TempDir(), "words")
	must(t, os.WriteFile(onPaper, []byte(strings.Join(made.Words[:12], " ")+"\n"+strings.Join(made.Words[12:], "\n")), 0o600))
	decode(t, stranger(t, "Ana").try("", "restore", "--words-file", onPaper, "--name", "Ana", "--no-passphrase", "--json"), &restored)
	if restored.ID != made.ID {
		t.Error("words from a file give another identity")
	}

	wrong := slices.Clone(made.Words)
	wrong[4] = "entrenous"
	a = stranger(t, "Ana").try(strings.Join(wrong, " "), "restore", "--name", "Ana", "--no-passphrase", "--json")
	if f := a.failure(t); a.code != 2 || !strings.Contains(f.Message, "entrenous") {
		t.Errorf("a wrong word: exit %d, %+v", a.code, f)
	}
	a = stranger(t, "Ana").try(strings.Join(made.Words[1:], " "), "restore", "--name", "Ana", "--no-passphrase", "--json")
	if f := a.failure(t); a.code != 2 || !strings.Contains(f.Message, "23") {
		t.Errorf("a word is missing: exit %d, %+v", a.code, f)
	}
}

// decode reads the one object that a command printed.
func decode(t *testing.T, a answer, into any) {
	t.Helper()
	if a.code != 0 {
		t.Fatalf("exit code %d: %s", a.code, a.err)
	}
	must(t, unmarshal(a.out, into))
}

func TestABackupBringsEverythingBack(t *testing.T) {
	t.Parallel()
	ana, bo := friends(t)
	ana.ok("rename", "Bo", "Boris")
	ana.send(bo, "keep this")
	sealed := passphraseFile(t, "for the backup")
	file := filepath.Join(t.TempDir(), "ana.age")
	ana.fails(2, "backup", file)
	var done struct {
		File  string
		Bytes int64
	}
	ana.json(&done, "backup", file, "--passphrase-file", sealed)
	info, err := os.Stat(file)
	must(t, err)
	if info.Size() != done.Bytes || done.File != file || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup says %+v, and is %d bytes with mode %v", done, info.Size(), info.Mode())
	}
	b, err := os.ReadFile(file)
	must(t, err)
	if !strings.HasPrefix(string(b), "age-encryption.org/v1\n") {
		t.Error("it is not a file of age")
	}
	ana.die()

	again := stranger(t, "Ana")
	again.fails(6, "restore", "--from", file, "--no-passphrase", "--passphrase-file", passphraseFile(t, "another"))
	if _, err := os.Stat(filepath.Join(again.dir, "vault.a")); err == nil {
		t.Error("a wrong passphrase left half a profile")
	}
	cut := filepath.Join(t.TempDir(), "cut.age")
	must(t, os.WriteFile(cut, b[:len(b)-20], 0o600))
	if f := again.fails(2, "restore", "--from", cut, "--no-passphrase", "--passphrase-file", sealed); !strings.Contains(f.Message, "not whole") {
		t.Errorf("of half a backup it says %q", f.Message)
	}
	if _, err := os.Stat(filepath.Join(again.dir, "vault.a")); err == nil {
		t.Error("half a backup left half a profile")
	}
	var restored control.SetupDone
	again.json(&restored, "restore", "--from", file, "--no-passphrase", "--passphrase-file", sealed, "--device-name", "The loft")
	again.wake()
	st, err := again.api().Status(t.Context())
	must(t, err)
	if st.DeviceName != "The loft" {
		t.Errorf("the new device is called %q", st.DeviceName)
	}
	if again.id != ana.id {
		t.Errorf("restored %s, want %s", again.id, ana.id)
	}
	again.sees(bo, control.Friend, control.Online)
	if m := again.reads(bo, "keep this"); !m.Mine {
		t.Error("what Ana wrote is another's after the restore")
	}
	again.send(bo, "I am back")
	bo.reads(again, "I am back")
	if got := again.ok("contacts"); !strings.Contains(got, "Boris") {
		t.Errorf("names of friends are gone:\n%s", got)
	}
}

func TestWhatIsNoBackupIsRefused(t *testing.T) {
	t.Parallel()
	ana := stranger(t, "Ana")
	sealed := passphraseFile(t, "for the backup")
	file := filepath.Join(t.TempDir(), "photo.jpg")
	must(t, os.WriteFile(file, []byte("not a backup"), 0o600))
	if f := ana.fails(2, "restore", "--from", file, "--no-passphrase", "--passphrase-file", sealed); !strings.Contains(f.Message, "not a backup") {
		t.Errorf("says %q", f.Message)
	}
	ana.fails(2, "restore", "--from", file+".none", "--no-passphrase", "--passphrase-file", sealed)
	ana.ok("init", "--name", "Ana", "--no-passphrase")
}

// missing says whether a program is not on this machine.
func missing(name string) bool {
	_, err := exec.LookPath(name)
	return err != nil
}
