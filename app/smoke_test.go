//go:build !headless

package app_test

import (
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
)

// smokeEnv asks for the tests with real windows: the program to open, or "1"
// to build one.
const smokeEnv = "ENTRENOUS_SMOKE"

// needsWindows skips a test where nobody asked for windows.
func needsWindows(t *testing.T) {
	t.Helper()
	if os.Getenv(smokeEnv) == "" {
		t.Skip("opens real windows: make smoke, or ENTRENOUS_SMOKE=1")
	}
	for _, tool := range []string{"Xvfb", "xdotool", "unshare", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	if bin := os.Getenv(smokeEnv); bin != "1" {
		return
	}
	bin := filepath.Join(t.TempDir(), "entrenous")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", buildTags(), "-o", bin, "..").CombinedOutput()
	if err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	t.Setenv(smokeEnv, bin)
}

// buildTags are those that this test was built with.
func buildTags() string {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return s.Value
		}
	}
	return ""
}

// seat is a person before a screen.
type seat struct {
	*screen
	t      testing.TB
	name   string
	dir    string
	env    []string
	before []string // what starts the program: a machine of its own
	win    *running
	home   string
	id     string // of the X window
	api    *control.Client
	shots  string
	count  *int // of pictures kept
	wide   int
}

// sit gives somebody a screen and an empty profile.
func sit(t testing.TB, name, shots string, env ...string) *seat {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "profile")
	s := &seat{screen: newScreen(t), t: t, name: name, dir: dir, shots: shots, wide: screenWide, count: new(int), home: filepath.Dir(dir)}
	home := s.home
	s.env = append([]string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "DISPLAY=" + s.display,
		"XDG_RUNTIME_DIR=" + home, "LIBGL_ALWAYS_SOFTWARE=1", "ENTRENOUS_BOOTSTRAP=none", "ENTRENOUS_LOG=" + filepath.Join(home, "daemon.log"),
	}, env...)
	s.api = control.Dial(dir)
	t.Cleanup(s.api.Close)
	t.Cleanup(s.endNode)
	return s
}

func (s *seat) command(args ...string) *exec.Cmd {
	line := slices.Concat(s.before, []string{os.Getenv(smokeEnv), "--profile", s.dir}, args)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = s.env
	return cmd
}

// open starts a window, which starts its node by itself.
func (s *seat) open() {
	s.t.Helper()
	blank := s.picture()
	s.win = start(s.t, s.command())
	s.id = s.windowOf(s.win)
	within(s.t, screenPatience, s.name+"'s window shows something", func() bool { return !same(blank, s.picture()) })
	s.settled()
}

// node is the process of the node.
func (s *seat) node() int {
	s.t.Helper()
	st, err := s.api.Status(s.t.Context())
	must(s.t, err)
	return st.PID
}

// endNode ends the node, which outlives windows, at the end of a test.
func (s *seat) endNode() {
	b, err := os.ReadFile(filepath.Join(s.dir, "lock"))
	pid, bad := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || bad != nil || !alive(pid) {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// alive says whether a process is there and no zombie.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// shotsOf is where the pictures of a test go: to whoever names a folder, else to
// the test's own.
func shotsOf(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("ENTRENOUS_SHOTS")
	if folder == "" {
		folder = t.ArtifactDir()
	}
	must(t, os.MkdirAll(folder, 0o755))
	return folder
}

// keep keeps a picture of a state at rest.
func (s *seat) keep(state string) { s.t.Helper(); s.store(state, s.settled()) }

func (s *seat) store(state string, p *image.RGBA) {
	s.t.Helper()
	*s.count++
	save(s.t, filepath.Join(s.shots, s.name+"-"+two(*s.count)+"-"+state+".png"), p, s.wide)
}

func two(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// both keeps a picture in the wide and in the narrow window.
func (s *seat) both(state string) {
	s.t.Helper()
	s.keep(state)
	s.resize(480)
	s.keep(state + "-narrow")
	s.resize(screenWide)
}

// pages keeps a picture of each further screenful of the card in front.
func (s *seat) pages(state string) {
	s.t.Helper()
	s.do("mousemove", strconv.Itoa(s.wide/2), strconv.Itoa(screenHigh/2))
	for page := 2; page < 12; page++ {
		was := s.settled()
		s.do("click", "--repeat", "20", "--delay", "5", "5")
		if same(was, s.settled()) {
			break
		}
		s.keep(state + "-" + two(page))
	}
	s.do("mousemove", strconv.Itoa(screenWide-1), strconv.Itoa(screenHigh-1))
}

// resize makes the window narrow or wide.
func (s *seat) resize(wide int) {
	s.t.Helper()
	if s.wide == wide {
		return
	}
	s.after("another width", func() { s.do("windowsize", s.id, strconv.Itoa(wide), strconv.Itoa(screenHigh)) })
	s.wide = wide
}

// sees waits until something holds that the API tells.
func (s *seat) sees(what string, holds func() bool) {
	s.t.Helper()
	within(s.t, screenPatience, s.name+" sees "+what, holds)
}

// contact is the one person whom a seat knows.
func (s *seat) contact() control.Contact {
	people, err := s.api.Contacts(s.t.Context())
	if err != nil || len(people) == 0 {
		return control.Contact{}
	}
	return people[0]
}

// saved waits for a file of a kind in the home of who sits here, and until it
// is whole.
func (s *seat) saved(pattern string) (path string) {
	s.t.Helper()
	s.sees("a file "+pattern, func() bool {
		found, err := filepath.Glob(filepath.Join(s.home, pattern))
		if err != nil || len(found) != 1 {
			return false
		}
		path = found[0]
		info, err := os.Stat(path)
		return err == nil && info.Size() > 0 && time.Since(info.ModTime()) > time.Second
	})
	return path
}

// rows are the newest messages.
func (s *seat) rows() []control.Message {
	page, err := s.api.Messages(s.t.Context(), s.contact().ID, control.PageQuery{Limit: 50})
	if err != nil {
		return nil
	}
	return page.Rows
}

// row finds a message by its words.
func (s *seat) row(text string) control.Message {
	for _, m := range s.rows() {
		if m.Text == text {
			return m
		}
	}
	return control.Message{}
}

// TestSmoke is the first day of two people: each sits before a real window, in
// which everything happens by keys.
func TestSmoke(t *testing.T) {
	needsWindows(t)
	inOwnNetwork(t, func(t *testing.T) {
		shots := shotsOf(t)
		ana := sit(t, "Ana", shots, "FYNE_THEME=light")
		bo := sit(t, "Bo", shots, "FYNE_THEME=dark", "LANG=fr_FR.UTF-8")
		for _, step := range []struct {
			name string
			take func(t *testing.T, ana, bo *seat)
		}{
			{"first start", firstStart},
			{"friends", makeFriends},
			{"talk", talk},
			{"kill", killTheWindow},
			{"second window", secondWindow},
			{"tour", tour},
			{"tray", closeToTray}, // before Ana comes back on another computer, which takes the place of this one
			{"keep and come back", keepAndComeBack},
			{"quit", quit},
		} {
			begin := time.Now()
			step.take(t, ana, bo)
			t.Logf("%s: %v", step.name, time.Since(begin).Round(time.Millisecond))
		}
	})
}

func firstStart(t *testing.T, ana, bo *seat) {
	for _, s := range []*seat{ana, bo} {
		s.open()
		st, err := s.api.Status(t.Context())
		must(t, err)
		if st.State != control.Empty {
			t.Fatalf("%s begins with a profile that is %s", s.name, st.State)
		}
		s.both("first")
		s.write(s.name)
		s.keep("first-named")
		s.press("Tab", "Tab", "space", "Tab", "space") // the passphrase, no to the public network, Begin
		s.sees("the main page", func() bool {
			st, err := s.api.Status(t.Context())
			return err == nil && st.State == control.Ready && st.Name == s.name
		})
		if choices, err := s.api.Settings(t.Context()); err != nil || choices.FindOnline {
			t.Errorf("%s said no to the public network, and it is asked: %v", s.name, err)
		}
		s.covered(true)
		s.both("words")
		s.after("the check", func() { s.press("Return") })
		s.write("wrong")
		s.after("what is wrong", func() { s.press("Return", "Return", "Return") })
		s.both("words-check")
		s.after("the words again", func() { s.press("Tab", "Tab", "Tab", "Tab", "space") })
		s.press("Tab", "space")
		s.covered(false)
		s.both("empty")
	}
}
