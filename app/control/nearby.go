package control

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Visible asks to be shown to everybody on this network for a while.
type Visible struct {
	Seconds int64 `json:"seconds,omitempty"` // 0: five minutes; negative: no longer; an hour at most
}

// Nearby is who shows themselves on this network, and whether we do.
type Nearby struct {
	Until  time.Time   `json:"visible_until,omitzero"` // absent while we are not visible
	People []Neighbour `json:"people"`
}

// Neighbour is somebody on this network who shows themselves.
type Neighbour struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`            // what they call themselves; anybody may use any name
	State string   `json:"state,omitempty"` // as a contact, when they are one
	Words []string `json:"words"`           // of the safety number: both see the same
}

// ShowUs makes us visible to everybody on this network.
func (c *Client) ShowUs(ctx context.Context, v Visible) (Nearby, error) {
	return send[Nearby](ctx, c, http.MethodPost, "/visible", v)
}

// Nearby lists who shows themselves on this network, and asks around for more.
func (c *Client) Nearby(ctx context.Context) (Nearby, error) {
	return get[Nearby](ctx, c, "/nearby")
}

// AddNearby asks somebody on this network to become a friend; of n only the
// note is used.
func (c *Client) AddNearby(ctx context.Context, id string, n NewContact) (Contact, error) {
	return send[Contact](ctx, c, http.MethodPost, "/nearby/"+url.PathEscape(id), n)
}
