package node

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/store"
)

// Settings are the choices a person made on this device.
type Settings struct {
	Name          string  `json:"name"`
	Appearance    string  `json:"appearance"` // "system", "light", "dark" or "contrast"
	TextSize      float64 `json:"text_size"`  // 1 is normal
	Language      string  `json:"language"`   // empty follows the system
	CloseToTray   bool    `json:"close_to_tray"`
	Notify        bool    `json:"notify"`
	NotifyText    bool    `json:"notify_text"`
	SendReceipts  bool    `json:"send_receipts"`
	SendTyping    bool    `json:"send_typing"`
	FindOnline    bool    `json:"find_online"`    // look for friends who moved through the public table
	PassOn        bool    `json:"pass_on"`        // leave sealed notes of where we are with friends, and keep theirs, for friends in common
	SaveBandwidth bool    `json:"save_bandwidth"` // calls send less in pauses and for simple sounds, which shows who watches the line when we speak
	LowLatency    bool    `json:"low_latency"`    // calls from now on pass sound on in bites of 5 ms instead of 10, which costs the processor more
	ReduceMotion  bool    `json:"reduce_motion"`
	WordsKept     bool    `json:"words_kept"`
}

const (
	settingsKey = "settings"
	portKey     = "port"
)

// ErrSetting wraps what is wrong with a setting.
var ErrSetting = errors.New("this setting cannot be")

func defaults(name string) Settings {
	return Settings{
		Name: name, Appearance: "system", TextSize: 1, CloseToTray: true,
		Notify: true, NotifyText: true, SendReceipts: true, SendTyping: true, FindOnline: true,
	}
}

func putSettings(tx *store.Tx, s Settings) error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	return tx.Set(settingsKey, b)
}

// readSettings reads what is stored, over the defaults for what is not.
func (n *Node) readSettings() (Settings, error) {
	s := defaults("")
	b, err := n.store.Value(settingsKey)
	if errors.Is(err, store.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("decode settings: %w", err)
	}
	return s, nil
}

// settings are those in force.
func (n *Node) settings() Settings { return *n.choices.Load() }

// Settings gives the choices in force.
func (n *Node) Settings() Settings { return n.settings() }

// PutSettings checks and stores new choices. Friends learn a new name at once.
func (n *Node) PutSettings(ctx context.Context, s Settings) error {
	s.Name = chat.DisplayName(s.Name)
	switch {
	case s.Name == "":
		return fmt.Errorf("%w: the name is empty", ErrSetting)
	case s.TextSize < 0.7 || s.TextSize > 2:
		return fmt.Errorf("%w: text size %.2g is not between 0.7 and 2", ErrSetting, s.TextSize)
	}
	switch s.Appearance {
	case "system", "light", "dark", "contrast":
	default:
		return fmt.Errorf("%w: appearance %q is none of system, light, dark, contrast", ErrSetting, s.Appearance)
	}
	if err := n.store.Write(ctx, func(tx *store.Tx) error { return putSettings(tx, s) }); err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	before := n.settings()
	n.choices.Store(&s)
	n.changes.tell(Change{Topic: TopicSettings})
	if s.FindOnline != before.FindOnline {
		n.findAnew()
	}
	if s.PassOn != before.PassOn {
		n.passOnChanged()
	}
	if s.Name != before.Name {
		for _, l := range n.links.of(n.everybody()...) {
			l.send(n.hello(l.person))
		}
	}
	return nil
}

// ownName is how we are called.
func (n *Node) ownName() string { return n.settings().Name }

// storedPort is the port used last time, 0 when there was none.
func (n *Node) storedPort() int {
	b, err := n.store.Value(portKey)
	if err != nil || len(b) != 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(b))
}

func (n *Node) keepPort(ctx context.Context, port int) error {
	return n.store.Write(ctx, func(tx *store.Tx) error {
		return tx.Set(portKey, binary.BigEndian.AppendUint16(nil, uint16(port)))
	})
}
