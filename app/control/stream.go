package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// A Stream sends messages to one person and takes an Answer for each, in their
// order. One goroutine may Put and Close while another calls Next: whoever
// puts many must take answers meanwhile, because the node accepts only so many
// that wait for theirs.
type Stream struct {
	to      *io.PipeWriter
	answers io.ReadCloser
	in      *json.Decoder
}

// Stream opens a stream of messages to a person. It ends with ctx; the caller
// calls Next until it returns an error, or End.
func (c *Client) Stream(ctx context.Context, who string) (*Stream, error) {
	from, to := io.Pipe()
	body, err := c.post(ctx, http.MethodPost, contactPath(who, "/stream"), from)
	if err != nil {
		return nil, errors.Join(err, from.Close())
	}
	return &Stream{to: to, answers: body, in: json.NewDecoder(body)}, nil
}

// Put sends messages, in one piece.
func (s *Stream) Put(messages ...NewMessage) error {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, m := range messages {
		if err := enc.Encode(m); err != nil {
			return fmt.Errorf("encode message: %w", err)
		}
	}
	if _, err := s.to.Write(lines.Bytes()); err != nil {
		return fmt.Errorf("send messages: %w", err)
	}
	return nil
}

// Close says that no more messages follow. Their answers still come.
func (s *Stream) Close() error { return s.to.Close() }

// Next waits for the next answer. It returns io.EOF when all were given, after
// Close.
func (s *Stream) Next() (Answer, error) {
	var a Answer
	err := s.in.Decode(&a)
	if errors.Is(err, io.EOF) {
		return a, io.EOF
	}
	if err != nil {
		return a, fmt.Errorf("read answer: %w", err)
	}
	return a, nil
}

// End lets go of the stream, whether or not everything was answered. What the
// node has taken is sent all the same.
func (s *Stream) End() error { return errors.Join(s.to.Close(), s.answers.Close()) }
