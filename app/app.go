// Package app is the program: it chooses a mode (the window, the daemon, a
// command), wires the rooms together and runs them. It is the only room that
// knows flags, the environment and exit codes.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/control/server"
)

// Exit codes, for scripts.
const (
	exitOK         = 0
	exitFailure    = 1
	exitUsage      = 2 // flags or arguments that make no sense
	exitNotRunning = 3 // no node runs on this profile
	exitNotFound   = 4 // nobody, or several people, or no message fits
	exitTimeout    = 5 // --wait ended before the state came
	exitPassphrase = 6 // the passphrase does not fit
	exitState      = 7 // not possible now
	exitDisk       = 8 // the disk is full or read-only
)

var exitCodes = map[string]int{
	control.CodeInvalid: exitUsage, control.CodeTooLong: exitUsage,
	control.CodeNotHere:  exitNotRunning,
	control.CodeNotFound: exitNotFound, control.CodeAmbiguous: exitNotFound,
	control.CodeTimeout: exitTimeout,
	control.CodePass:    exitPassphrase,
	control.CodeState:   exitState,
	control.CodeDisk:    exitDisk,
}

// program is one run of the binary: where it reads and writes, and the flags
// that every command has.
type program struct {
	in       io.Reader
	out, err io.Writer
	profile  string
	passFile string
	json     bool
	verbose  bool
}

// Main runs the program with its arguments and gives the exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	return p.main(ctx, args)
}

func (p *program) main(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	f := asFailure(err)
	p.json = p.json || slices.Contains(args, "--json") // one behind a wrong flag was not read
	p.complain(f)
	if code, ok := exitCodes[f.Code]; ok {
		return code
	}
	return exitFailure
}

// asFailure finds the sentence for an error of a command.
func asFailure(err error) *control.Failure {
	if f := (*control.Failure)(nil); errors.As(err, &f) {
		return f
	}
	if u := (*usageError)(nil); errors.As(err, &u) {
		return &control.Failure{Message: control.Sentence(u.Error()), Hint: "Ask with --help", Code: control.CodeInvalid}
	}
	if errors.Is(err, context.Canceled) {
		return &control.Failure{Message: "Interrupted", Code: control.CodeState}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &control.Failure{Message: "The node ended in the middle of an answer", Hint: "Ask again", Code: control.CodeInternal}
	}
	if f := server.Explain(err); f != nil {
		return f
	}
	return &control.Failure{Message: control.Sentence(err.Error()), Code: control.CodeInternal}
}

// complain writes a failure for a person, or for a script.
func (p *program) complain(f *control.Failure) {
	if p.json {
		_ = json.NewEncoder(p.err).Encode(f)
		return
	}
	fmt.Fprintln(p.err, "entrenous: "+f.Message+".")
	for _, c := range f.Choices {
		fmt.Fprintln(p.err, "  "+c)
	}
	if f.Hint != "" {
		fmt.Fprintln(p.err, f.Hint+".")
	}
}

// usageError is a mistake in flags or arguments.
type usageError struct{ err error }

// Error says what is wrong with them.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap gives what cobra found.
func (e *usageError) Unwrap() error { return e.err }

// dir is the profile folder of this run.
func (p *program) dir() (string, error) {
	if p.profile != "" {
		return filepath.Abs(p.profile)
	}
	return defaultProfile()
}

// client speaks to the node of the profile.
func (p *program) client() (*control.Client, error) {
	dir, err := p.dir()
	if err != nil {
		return nil, fmt.Errorf("find the profile folder: %w", err)
	}
	return control.Dial(dir), nil
}

// logger writes what a user of the daemon may want to know to standard error.
func (p *program) logger() *slog.Logger {
	level := slog.LevelInfo
	if p.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: level}))
}

// print writes v as one line of JSON, or as text for people.
func (p *program) print(v any, text func(w io.Writer)) error {
	if p.json {
		return json.NewEncoder(p.out).Encode(v)
	}
	text(p.out)
	return nil
}

// args makes cobra's argument checks usage errors that show how it is written.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, a []string) error {
		err := check(c, a)
		if err == nil {
			return nil
		}
		if c == c.Root() && len(a) > 0 {
			return &usageError{unknownCommand(c, a[0])}
		}
		use := c.CommandPath() + strings.TrimSuffix(strings.TrimPrefix(c.UseLine(), c.CommandPath()), " [flags]")
		return &usageError{fmt.Errorf("it is written “%s”, and %d arguments came", use, len(a))}
	}
}

// unknownCommand offers what was probably meant.
func unknownCommand(root *cobra.Command, name string) error {
	root.SuggestionsMinimumDistance = 2
	if near := root.SuggestionsFor(name); len(near) > 0 {
		return fmt.Errorf("there is no command “%s”; “%s” is probably meant", name, strings.Join(near, "” or “"))
	}
	return fmt.Errorf("there is no command “%s”", name)
}
