package control

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// Status asks how the node is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return get[Status](ctx, c, "/status")
}

// Setup makes or restores the identity of an empty profile.
func (c *Client) Setup(ctx context.Context, s Setup) (SetupDone, error) {
	return send[SetupDone](ctx, c, http.MethodPost, "/setup", s)
}

// Unlock opens a locked profile.
func (c *Client) Unlock(ctx context.Context, passphrase string) (Status, error) {
	return send[Status](ctx, c, http.MethodPost, "/unlock", Unlock{passphrase})
}

// Words shows the 24 words again; a profile with a passphrase asks for it.
func (c *Client) Words(ctx context.Context, passphrase string) ([]string, error) {
	w, err := send[Words](ctx, c, http.MethodPost, "/words", Unlock{passphrase})
	return w.Words, err
}

// Quit ends the node.
func (c *Client) Quit(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/quit", nil, nil)
}

// RaiseWindow brings an open window to the front; false when there is none.
func (c *Client) RaiseWindow(ctx context.Context) (bool, error) {
	r, err := send[Raised](ctx, c, http.MethodPost, "/window", nil)
	return r.Open, err
}

// Settings reads the settings.
func (c *Client) Settings(ctx context.Context) (Settings, error) {
	return get[Settings](ctx, c, "/settings")
}

// PutSettings replaces the settings and gives them back as they now are.
func (c *Client) PutSettings(ctx context.Context, s Settings) (Settings, error) {
	return send[Settings](ctx, c, http.MethodPut, "/settings", s)
}

// Devices lists our own devices.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	return get[[]Device](ctx, c, "/devices")
}

// Doctor looks for what is wrong and what to do about it.
func (c *Client) Doctor(ctx context.Context) ([]Finding, error) {
	return get[[]Finding](ctx, c, "/doctor")
}

// Invite makes a link to hand to a friend.
func (c *Client) Invite(ctx context.Context, n NewInvite) (Invite, error) {
	return send[Invite](ctx, c, http.MethodPost, "/invites", n)
}

// Contacts lists everybody known, the most recent conversation first.
func (c *Client) Contacts(ctx context.Context) ([]Contact, error) {
	return get[[]Contact](ctx, c, "/contacts")
}

// Contact finds one person.
func (c *Client) Contact(ctx context.Context, who string) (Contact, error) {
	return get[Contact](ctx, c, contactPath(who, ""))
}

// Add asks the person behind a link to become a friend.
func (c *Client) Add(ctx context.Context, n NewContact) (Contact, error) {
	return send[Contact](ctx, c, http.MethodPost, "/contacts", n)
}

// EditContact changes the local name or muting.
func (c *Client) EditContact(ctx context.Context, who string, e ContactEdit) (Contact, error) {
	return send[Contact](ctx, c, http.MethodPatch, contactPath(who, ""), e)
}

// Remove forgets a person and the conversation with them.
func (c *Client) Remove(ctx context.Context, who string) error {
	return c.call(ctx, http.MethodDelete, contactPath(who, ""), nil, nil)
}

// Accept makes a person who asked a friend.
func (c *Client) Accept(ctx context.Context, who string) (Contact, error) {
	return send[Contact](ctx, c, http.MethodPost, contactPath(who, "/accept"), nil)
}

// Block refuses everything from a person.
func (c *Client) Block(ctx context.Context, who string) (Contact, error) {
	return send[Contact](ctx, c, http.MethodPost, contactPath(who, "/block"), nil)
}

// Unblock takes a block back.
func (c *Client) Unblock(ctx context.Context, who string) (Contact, error) {
	return send[Contact](ctx, c, http.MethodPost, contactPath(who, "/unblock"), nil)
}

// Safety gives the safety number shared with a person.
func (c *Client) Safety(ctx context.Context, who string) (Safety, error) {
	return get[Safety](ctx, c, contactPath(who, "/safety"))
}

// Verify marks the safety number as compared.
func (c *Client) Verify(ctx context.Context, who string, ok bool) (Safety, error) {
	return send[Safety](ctx, c, http.MethodPost, contactPath(who, "/safety"), Verify{ok})
}

// Messages reads a piece of a conversation.
func (c *Client) Messages(ctx context.Context, who string, q PageQuery) (Page, error) {
	return get[Page](ctx, c, contactPath(who, "/messages"+q.encode()))
}

// Message reads one row.
func (c *Client) Message(ctx context.Context, id string) (Message, error) {
	return get[Message](ctx, c, messagePath(id, ""))
}

// Send writes a message.
func (c *Client) Send(ctx context.Context, who string, m NewMessage) (Sent, error) {
	return send[Sent](ctx, c, http.MethodPost, contactPath(who, "/messages"), m)
}

// Edit replaces the text of a message of ours.
func (c *Client) Edit(ctx context.Context, id, text string) (Sent, error) {
	return send[Sent](ctx, c, http.MethodPatch, messagePath(id, ""), Edit{text})
}

// Delete deletes a message of ours for everyone.
func (c *Client) Delete(ctx context.Context, id string) (Sent, error) {
	return send[Sent](ctx, c, http.MethodDelete, messagePath(id, ""), nil)
}

// React sets or takes back an emoji on a message.
func (c *Client) React(ctx context.Context, id string, r Reaction) (Sent, error) {
	return send[Sent](ctx, c, http.MethodPost, messagePath(id, "/reactions"), r)
}

// MarkRead says that everything up to a message has been seen.
func (c *Client) MarkRead(ctx context.Context, who, upTo string) error {
	return c.call(ctx, http.MethodPost, contactPath(who, "/read"), Read{upTo}, nil)
}

// Typing tells a friend that we are writing.
func (c *Client) Typing(ctx context.Context, who string, on bool) error {
	return c.call(ctx, http.MethodPost, contactPath(who, "/typing"), Typing{on}, nil)
}

// Draft reads what was not sent yet.
func (c *Client) Draft(ctx context.Context, who string) (Draft, error) {
	return get[Draft](ctx, c, contactPath(who, "/draft"))
}

// PutDraft keeps what is not sent yet; an empty one is forgotten.
func (c *Client) PutDraft(ctx context.Context, who string, d Draft) error {
	return c.call(ctx, http.MethodPut, contactPath(who, "/draft"), d, nil)
}

// Search finds words in all conversations, or in one person's.
func (c *Client) Search(ctx context.Context, words, who string, limit int) ([]Hit, error) {
	v := url.Values{"q": {words}}
	if who != "" {
		v.Set("who", who)
	}
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
	}
	return get[[]Hit](ctx, c, "/search?"+v.Encode())
}

// Export streams a conversation, one Message in JSON a line. The caller closes
// the stream.
func (c *Client) Export(ctx context.Context, who string) (io.ReadCloser, error) {
	return c.open(ctx, http.MethodGet, contactPath(who, "/export"), nil)
}

// Backup streams everything the account holds as an age file sealed with the
// passphrase. The caller closes the stream.
func (c *Client) Backup(ctx context.Context, passphrase string) (io.ReadCloser, error) {
	return c.open(ctx, http.MethodPost, "/backup", Unlock{passphrase})
}
