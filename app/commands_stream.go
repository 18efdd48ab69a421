package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/entrenous/entrenous/app/control"
)

// maxLinesTogether is how many lines that wait already go out in one piece.
const maxLinesTogether = 128

// sendLines sends each line of standard input as a message of its own, and
// says for each, in their order, what became of it.
func (p *program) sendLines(ctx context.Context, c *control.Client, who string, wait waiting) error {
	s, err := c.Stream(ctx, who)
	if err != nil {
		return err
	}
	defer func() { _ = s.End() }() // what failed has been said by then
	read := make(chan error, 1)
	go func() { read <- p.putLines(s, wait) }() // ends with standard input, or the program
	all, failed, err := p.sayAnswers(s)
	if err != nil {
		return err
	}
	err = <-read
	if failed != nil {
		return &control.Failure{Message: fmt.Sprintf("Not all of the %d lines are where they should be", all), Hint: failed.Error(), Code: failed.Code}
	}
	return err
}

// sayAnswers prints what became of each line. It gives how many there were,
// and the first failure.
func (p *program) sayAnswers(s *control.Stream) (all int, failed *control.Failure, err error) {
	for {
		a, err := s.Next()
		if errors.Is(err, io.EOF) {
			return all, failed, nil
		}
		if err != nil {
			return all, failed, err
		}
		all++
		if failed == nil {
			failed = a.Failure
		}
		err = p.print(a, func(w io.Writer) {
			if a.Failure != nil {
				fmt.Fprintf(w, "line %d: %s\n", all, a.Failure.Message)
				return
			}
			fmt.Fprintln(w, a.State)
		})
		if err != nil {
			return all, failed, fmt.Errorf("print answer: %w", err)
		}
	}
}

// putLines sends the lines of standard input, those together that wait already.
func (p *program) putLines(s *control.Stream, wait waiting) error {
	in := bufio.NewReaderSize(p.in, 64<<10)
	for number := 1; ; {
		var some []control.NewMessage
		var end error
		for len(some) < maxLinesTogether && end == nil && (len(some) == 0 || in.Buffered() > 0) {
			var line []byte
			line, end = textLine(in, number)
			if len(line) > 0 {
				some = append(some, wait.message(string(line), ""))
			}
			number++
		}
		if len(some) > 0 {
			if err := s.Put(some...); err != nil {
				return err
			}
		}
		if end != nil {
			return errors.Join(ignoreEOF(end), s.Close())
		}
	}
}

// textLine reads a line. Its error is io.EOF at the end, also with the last
// line.
func textLine(in *bufio.Reader, number int) (line []byte, err error) {
	for {
		part, more, err := in.ReadLine()
		if err != nil {
			return line, err
		}
		line = append(line, part...)
		if len(line) > maxTyped {
			return nil, &control.Failure{Message: fmt.Sprintf("Line %d is longer than a message may be", number), Hint: "The lines before it are sent; a text may have 64 KiB", Code: control.CodeTooLong}
		}
		if !more {
			break
		}
	}
	if !utf8.Valid(line) {
		return nil, &control.Failure{Message: fmt.Sprintf("Line %d is not text", number), Hint: "The lines before it are sent; texts are UTF-8", Code: control.CodeInvalid}
	}
	return line, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
