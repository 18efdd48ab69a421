package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/identity"
)

const maxPassphrase = 4096

// passphrase reads --passphrase-file, or asks without showing what is typed.
func (p *program) passphrase(question string) (string, error) {
	if p.passFile != "" {
		return readFirstLine(p.passFile)
	}
	typed, err := p.hidden(question)
	if err != nil {
		return "", err
	}
	return typed[0], nil
}

// hidden asks on the terminal. That is made quiet before the first question
// stands there, and stays so until the last is answered: whoever types fast, or
// pastes, shows nothing either.
func (p *program) hidden(questions ...string) ([]string, error) {
	f, ok := p.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, &control.Failure{Message: "A passphrase is needed, and there is no terminal to ask for it", Hint: "Give --passphrase-file FILE", Code: control.CodeInvalid}
	}
	var answers []string
	err := p.atTerminal(f, func(t *term.Terminal) error {
		for _, q := range questions {
			typed, err := t.ReadPassword(q + ": ")
			if err != nil {
				return fmt.Errorf("read the passphrase: %w", err)
			}
			answers = append(answers, typed)
		}
		return nil
	})
	return answers, err
}

func readFirstLine(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", &control.Failure{Message: "The passphrase file cannot be read: " + err.Error(), Code: control.CodeInvalid}
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, maxPassphrase)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the passphrase file: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", &control.Failure{Message: "The passphrase file is empty", Hint: "Its first line is the passphrase", Code: control.CodeInvalid}
	}
	return line, nil
}

// newPassphrase asks twice, so that a mistyped one locks nobody out.
func (p *program) newPassphrase(question string) (string, error) {
	if p.passFile != "" {
		return readFirstLine(p.passFile)
	}
	typed, err := p.hidden(question, "Once more")
	switch {
	case err != nil:
		return "", err
	case typed[0] == "":
		return "", &control.Failure{Message: "The passphrase is empty", Hint: "Type one, or give --no-passphrase where that is possible", Code: control.CodeInvalid}
	case typed[0] != typed[1]:
		return "", &control.Failure{Message: "The two are not the same", Hint: "Try again", Code: control.CodeInvalid}
	}
	return typed[0], nil
}

// making holds the flags of commands that make a profile.
type making struct {
	setup control.Setup
	none  bool
}

func (m *making) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.setup.Name, "name", "", "your name, as friends will see it")
	cmd.Flags().StringVar(&m.setup.DeviceName, "device-name", "", "what friends see of this device (default: the host's name)")
	cmd.Flags().BoolVar(&m.none, "no-passphrase", false, "keep the key in the system's keyring or, where none exists, in a file only you can read")
}

func (p *program) initCommand() *cobra.Command {
	var m making
	cmd := &cobra.Command{
		Use: "init --name NAME", Short: "Make an identity in an empty profile", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if m.setup.Name == "" {
				return &usageError{errors.New("init needs --name NAME: how friends will see you")}
			}
			return p.makeProfile(cmd.Context(), m)
		},
	}
	m.flags(cmd)
	return cmd
}

// makeProfile makes the identity here, or through a node that waits for it.
func (p *program) makeProfile(ctx context.Context, m making) error {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	if _, _, err := identity.VaultNeeds(dir); !errors.Is(err, identity.ErrNoVault) {
		return errors.Join(err, identity.ErrVaultExists)
	}
	if !m.none {
		if m.setup.Passphrase, err = p.newPassphrase("A passphrase for this computer"); err != nil {
			return err
		}
	}
	c := control.Dial(dir)
	defer c.Close()
	done, err := c.Setup(ctx, m.setup)
	if f := (*control.Failure)(nil); errors.As(err, &f) && f.Code == control.CodeNotHere {
		done, err = p.makeAlone(ctx, dir, m.setup)
	}
	if err != nil {
		return err
	}
	return p.print(done, func(w io.Writer) { showDone(w, done, dir) })
}

func (p *program) makeAlone(ctx context.Context, dir string, s control.Setup) (control.SetupDone, error) {
	l, err := takeLock(dir)
	if err != nil {
		return control.SetupDone{}, err
	}
	defer l.release()
	return create(ctx, dir, s)
}

func showDone(w io.Writer, d control.SetupDone, dir string) {
	fmt.Fprintf(w, "Your id is %s.\n", d.ID)
	switch d.KeyKept {
	case "file":
		fmt.Fprintf(w, "The key is kept in the file %s, which only you can read: whoever gets this folder can read everything.\n", filepath.Join(dir, "key"))
	case "keyring":
		fmt.Fprintln(w, "The key is kept in the system's keyring.")
	}
	if len(d.Words) == 0 {
		return
	}
	fmt.Fprintln(w, "\nThese 24 words bring your identity back if this computer is lost. Write them on\npaper; nobody can send them to you again.")
	for i, word := range d.Words {
		sep := "  "
		if i%6 == 5 {
			sep = "\n"
		}
		fmt.Fprintf(w, "%2d %-9s%s", i+1, word, sep)
	}
}

func (p *program) restoreCommand() *cobra.Command {
	var m making
	var from, words string
	cmd := &cobra.Command{
		Use: "restore", Short: "Bring an identity back, from its 24 words or from a backup", Args: args(cobra.NoArgs),
		Long: `Bring an identity back in an empty profile.

From the 24 words comes the identity, not the history; they are read from
standard input, or from --words-file. From a backup (--from) comes everything.
Either way this becomes a new device of yours, and friends see that it is new.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from != "" {
				return p.restoreFrom(cmd.Context(), m, from)
			}
			var err error
			if m.setup.Words, err = p.readWords(words); err != nil {
				return err
			}
			if m.setup.Name == "" {
				return &usageError{errors.New("restore from words needs --name NAME")}
			}
			return p.makeProfile(cmd.Context(), m)
		},
	}
	m.flags(cmd)
	cmd.Flags().StringVar(&from, "from", "", "a backup `file`")
	cmd.Flags().StringVar(&words, "words-file", "", "a `file` with the 24 words; “-” is standard input")
	return cmd
}

func (p *program) readWords(name string) (string, error) {
	in := p.in
	if name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", &control.Failure{Message: "The file with the words cannot be read: " + err.Error(), Code: control.CodeInvalid}
		}
		defer f.Close()
		in = f
	} else if f, ok := p.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintln(p.err, "Type the 24 words, then an empty line:")
	}
	var all []string
	lines := bufio.NewScanner(io.LimitReader(in, maxPassphrase))
	for lines.Scan() && (lines.Text() != "" || len(all) == 0) {
		all = append(all, lines.Text())
	}
	return strings.Join(all, " "), lines.Err()
}

func (p *program) restoreFrom(ctx context.Context, m making, from string) error {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	f, err := os.Open(from)
	if err != nil {
		return unreadable(err)
	}
	defer f.Close()
	l, err := takeLock(dir)
	if err != nil {
		return err
	}
	defer l.release()
	sealed, err := p.passphrase("The passphrase of the backup")
	if err != nil {
		return err
	}
	pass := ""
	if !m.none {
		pass = sealed // one to remember; it can be changed later
	}
	done, err := restoreBackup(ctx, dir, m.setup.DeviceName, pass, sealed, f)
	if err != nil {
		return err
	}
	return p.print(done, func(w io.Writer) { showDone(w, done, dir) })
}

func (p *program) backupCommand() *cobra.Command {
	return verb(p, "backup FILE", "Write everything to a file, sealed with a passphrase", cobra.ExactArgs(1), func(ctx context.Context, c *control.Client, a []string) error {
		pass, err := p.newPassphrase("A passphrase for the backup")
		if err != nil {
			return err
		}
		body, err := c.Backup(ctx, pass)
		if err != nil {
			return err
		}
		defer body.Close()
		n, err := writeWhole(a[0], body)
		if err != nil {
			return err
		}
		return p.print(struct {
			File  string `json:"file"`
			Bytes int64  `json:"bytes"`
		}{a[0], n}, func(w io.Writer) { fmt.Fprintf(w, "%s, %d bytes\n", a[0], n) })
	})
}

// writeWhole writes a file that is either whole or not there.
func writeWhole(name string, r io.Reader) (n int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".entrenous-*")
	if err != nil {
		return 0, &control.Failure{Message: "The file cannot be written: " + err.Error(), Code: control.CodeDisk}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if n, err = io.Copy(f, r); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return n, &control.Failure{Message: "The backup is not whole: " + err.Error(), Hint: "Make room and try again", Code: control.CodeDisk}
	}
	return n, os.Rename(f.Name(), name)
}
