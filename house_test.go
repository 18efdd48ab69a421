package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/entrenous/entrenous"

// Sizes of the house. Test files may be longer.
const (
	maxFileLines = 400
	maxFuncLines = 60
)

// walls says which rooms of ours a room may import. A room that is not listed
// does not exist; a new arrow is drawn here, in the commit that needs it.
var walls = map[string][]string{
	".": {"app"},
	"app": {
		"app/ui", "app/node", "app/control", "app/control/server", "transport", "identity", "assets",
		"media/device", "media/voice",
	},
	"app/ui":             {"app/control", "app/chat", "identity", "assets"},
	"app/control":        {"app/chat", "identity"},
	"app/control/server": {"app/control", "app/node", "app/chat", "app/store", "app/call", "identity", "assets"}, // store: its rows are the node's values; assets: the doctor's sentences stand once
	"app/node":           {"app/chat", "app/store", "app/call", "transport", "transport/noise", "transport/rtc", "media/voice", "identity"},
	"app/node/nodetest":  {"app/node", "app/store", "app/call", "app/control", "app/control/server", "app/chat", "transport", "transport/noise", "transport/simnet", "media/device", "media/voice", "identity"},
	"app/store":          {"app/chat", "identity"},
	"app/chat":           {"identity"},
	"app/call":           {},
	"transport":          {"identity"},
	"transport/noise":    {"identity"},
	"transport/rtc":      {},
	"transport/simnet":   {"transport"}, // the virtual machine is handed to a Host as a transport.World
	"media":              {},
	"media/voice":        {"media", "media/device", "media/opus", "media/jitter", "media/dsp"},
	"media/opus":         {"media"},
	"media/jitter":       {"media"},
	"media/dsp":          {"media", "media/dsp/direct"},
	"media/dsp/direct":   {},
	"media/device":       {"media", "media/device/pulse"},
	"media/device/pulse": {}, // the wire to PulseAudio and PipeWire: knows no ring and no clock
	"identity":           {},
	"assets":             {},
}

// onlyHere says in which rooms a module of others may be named.
var onlyHere = map[string][]string{
	"fyne.io/fyne/v2/app":            {"app"},
	"fyne.io/fyne/v2":                {"app", "app/ui"},
	"fyne.io/systray":                {"app"},
	"github.com/spf13/cobra":         {"app"},
	"github.com/gen2brain/beeep":     {"app"},
	"filippo.io/age":                 {"app"},
	"github.com/godbus/dbus":         {"app"},
	"github.com/ncruces/go-sqlite3":  {"app/store"},
	"github.com/libp2p/":             {"transport", "transport/simnet"},
	"github.com/multiformats/":       {"transport"},
	"github.com/ipfs/":               {"transport"},
	"github.com/quic-go/quic-go":     {"transport"},
	"go.uber.org/fx":                 {"transport"},
	"google.golang.org/protobuf":     {"transport"},
	"github.com/flynn/noise":         {"transport/noise"},
	"github.com/pion/webrtc":         {"transport/rtc"},
	"github.com/pion/ice":            {"transport/rtc"},
	"github.com/pion/dtls":           {"transport/rtc"},
	"github.com/pion/interceptor":    {"transport/rtc"},
	"github.com/pion/transport":      {"transport/simnet", "transport/rtc"},
	"github.com/pion/rtp":            {"media/voice", "transport/rtc", "app/node"},
	"github.com/pion/opus":           {"media/opus"},
	"github.com/thesyncim/gopus":     {"media/opus"},
	"github.com/gen2brain/malgo":     {"media/device"},
	"github.com/zalando/go-keyring":  {"identity"},
	"github.com/makiuchi-d/gozxing":  {"app/ui"},
	"github.com/go-text/typesetting": {"app/ui"},
	"github.com/skip2/go-qrcode":     {"app/ui", "app"}, // the window draws it, a terminal prints it
}

// testsOnly are rooms that only tests may enter.
var testsOnly = []string{"transport/simnet", "app/node/nodetest"}

type source struct {
	room, path string
	test       bool
	file       *ast.File
	fset       *token.FileSet
	lines      int
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, b, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		out = append(out, source{
			room: filepath.ToSlash(filepath.Dir(path)), path: path, test: strings.HasSuffix(path, "_test.go"),
			file: f, fset: fset, lines: strings.Count(string(b), "\n"),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheWallsHold(t *testing.T) {
	for _, s := range sources(t) {
		allowed, known := walls[s.room]
		if !known {
			t.Errorf("%s: the house has no room %q", s.path, s.room)
			continue
		}
		for _, imp := range s.file.Imports {
			path := strings.Trim(imp.Path.Value, `"`)
			if room, ours := strings.CutPrefix(path, module+"/"); ours {
				checkRoom(t, s, room, allowed)
				continue
			}
			checkModule(t, s, path)
		}
	}
}

func checkRoom(t *testing.T, s source, room string, allowed []string) {
	t.Helper()
	if slices.Contains(testsOnly, room) && !s.test && !slices.Contains(testsOnly, s.room) {
		t.Errorf("%s: only tests may use %s", s.path, room)
	}
	if s.test { // a story may bring its town, and any room below its own
		return
	}
	if !slices.Contains(allowed, room) {
		t.Errorf("%s: %s may not import %s", s.path, s.room, room)
	}
}

// checkModule finds the longest rule that fits a module and asks it.
func checkModule(t *testing.T, s source, path string) {
	t.Helper()
	if s.test {
		return
	}
	best := ""
	for prefix := range onlyHere {
		if strings.HasPrefix(path, prefix) && len(prefix) > len(best) {
			best = prefix
		}
	}
	if best != "" && !slices.Contains(onlyHere[best], s.room) {
		t.Errorf("%s: %s may be named only in %v", s.path, path, onlyHere[best])
	}
}

func TestTheWallsHaveNoCircle(t *testing.T) {
	var visit func(room string, path []string)
	done := map[string]bool{}
	visit = func(room string, path []string) {
		if slices.Contains(path, room) {
			t.Fatalf("circle: %v", append(path, room))
		}
		if done[room] {
			return
		}
		for _, next := range walls[room] {
			visit(next, append(path, room))
		}
		done[room] = true
	}
	for room := range walls {
		visit(room, nil)
	}
}

func TestChatIsPure(t *testing.T) {
	for _, s := range sources(t) {
		if s.room != "app/chat" && s.room != "app/call" || s.test {
			continue
		}
		for _, imp := range s.file.Imports {
			if path := strings.Trim(imp.Path.Value, `"`); path == "net" || path == "os" || strings.HasPrefix(path, "net/") {
				t.Errorf("%s imports %s", s.path, path)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%v starts a goroutine", s.fset.Position(g.Pos()))
			}
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Now" {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%v reads the clock", s.fset.Position(sel.Pos()))
				}
			}
			return true
		})
	}
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines, %d are enough", s.path, s.lines, maxFileLines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1; n > maxFuncLines {
				t.Errorf("%s: %s has %d lines, %d are enough", s.path, f.Name.Name, n, maxFuncLines)
			}
		}
	}
}

func TestEveryRoomAndNameIsExplained(t *testing.T) {
	explained := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test && s.file.Doc != nil {
			explained[s.room] = true
		}
	}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if !explained[s.room] {
			t.Errorf("%s has no package comment", s.room)
			explained[s.room] = true
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.IsExported() && f.Doc == nil && s.file.Name.Name != "main" && receiverExported(f) {
				t.Errorf("%v: %s has no sentence", s.fset.Position(f.Pos()), f.Name.Name)
			}
		}
	}
}

func receiverExported(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

func TestNothingElseStandsAtTheTop(t *testing.T) {
	rooms := []string{"app", "transport", "media", "identity", "assets"}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "dist" && !slices.Contains(rooms, e.Name()) {
			t.Errorf("the folder %s is not in the plan", e.Name())
		}
	}
}
