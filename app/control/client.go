package control

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// SocketName is the file in the profile folder that a node answers on.
const SocketName = "socket"

// maxLine is the longest line of a stream that a Client accepts.
const maxLine = 1 << 20

// Client calls the verbs of one node. It is safe for concurrent use.
type Client struct {
	http *http.Client
}

// Dial prepares a Client for the node of a profile folder. It connects when
// first used; a folder without a running node makes each call fail with
// CodeNotHere.
func Dial(profile string) *Client {
	return NewClient(func(ctx context.Context) (net.Conn, error) { return dialSocket(ctx, profile) })
}

// NewClient makes a Client over connections that dial opens.
func NewClient(dial func(context.Context) (net.Conn, error)) *Client {
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		MaxIdleConnsPerHost: 64,
		DisableCompression:  true,
	}}}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// open sends one request and gives the answer's body, or the Failure in it.
func (c *Client) open(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	return c.post(ctx, method, path, body)
}

// post sends one request with a body as it is.
func (c *Client) post(ctx context.Context, method, path string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://entrenous/"+Version+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" {
			return nil, &Failure{Message: "No node is running on this profile", Hint: "Start it with “entrenous daemon”, or open the window with “entrenous”", Code: CodeNotHere}
		}
		return nil, fmt.Errorf("ask the node: %w", err)
	}
	if res.StatusCode < 300 {
		return res.Body, nil
	}
	defer res.Body.Close()
	f := &Failure{}
	if json.NewDecoder(io.LimitReader(res.Body, maxLine)).Decode(f) != nil || f.Message == "" {
		f.Message, f.Code = "The node answered "+res.Status, CodeInternal
	}
	return nil, f
}

// call sends one request and decodes the answer into out, which may be nil.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	body, err := c.open(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, body)
		return err
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("decode answer to %s: %w", path, err)
	}
	_, err = io.Copy(io.Discard, body) // so that the connection can be used again
	return err
}

func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	var out T
	return out, c.call(ctx, http.MethodGet, path, nil, &out)
}

func send[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	return out, c.call(ctx, method, path, in, &out)
}

// contactPath names nobody by a blank, which fits nobody: without a name the path
// would be another one.
func contactPath(who string, rest string) string {
	return "/contacts/" + url.PathEscape(cmp.Or(who, " ")) + rest
}

func messagePath(id string, rest string) string { return "/messages/" + url.PathEscape(id) + rest }

// A Watch is a stream of changes. Next is called by one goroutine.
type Watch struct {
	body io.ReadCloser
	in   *bufio.Scanner
}

// Watch opens a stream of changes. As a window (asWindow), the node raises
// this client when another window starts. The stream ends with ctx.
func (c *Client) Watch(ctx context.Context, asWindow bool) (*Watch, error) {
	path := "/watch"
	if asWindow {
		path += "?as=window"
	}
	body, err := c.open(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	in := bufio.NewScanner(body)
	in.Buffer(make([]byte, 0, 4096), maxLine)
	return &Watch{body: body, in: in}, nil
}

// Next waits for the next change. It returns io.EOF when the node ends.
func (w *Watch) Next() (Change, error) {
	for w.in.Scan() {
		if len(w.in.Bytes()) == 0 {
			continue // keeps the connection alive
		}
		var ch Change
		if err := json.Unmarshal(w.in.Bytes(), &ch); err != nil {
			return Change{}, fmt.Errorf("decode change: %w", err)
		}
		return ch, nil
	}
	if err := w.in.Err(); err != nil {
		return Change{}, fmt.Errorf("read changes: %w", err)
	}
	return Change{}, io.EOF
}

// Close ends the stream.
func (w *Watch) Close() error { return w.body.Close() }

// PageQuery chooses rows: the newest, or those before, after or around one.
type PageQuery struct {
	Limit                 int
	Before, After, Around string
}

func (q PageQuery) encode() string {
	v := url.Values{}
	for k, s := range map[string]string{"before": q.Before, "after": q.After, "around": q.Around} {
		if s != "" {
			v.Set(k, s)
		}
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}
