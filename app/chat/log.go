package chat

import (
	"errors"
	"fmt"
	"slices"

	"github.com/entrenous/entrenous/identity"
)

// Errors of Check and CheckDepth. ErrGap is healed by asking for what is
// missing, ErrStale is no fault at all; ErrFork is evidence against the
// author's device, and ErrDepth a lie about causal order.
var (
	ErrGap   = errors.New("an earlier event of the chain is missing")
	ErrFork  = errors.New("another event stands at this place of the chain")
	ErrStale = errors.New("already in the log")
	ErrDepth = errors.New("depth does not follow from what came before")
)

// MaxTips bounds the chains of one conversation.
const MaxTips = 256

// maxUnseenDepth is how far beyond everything we know an event may claim to
// be when it names heads that we have not got. It lets an honest event pass
// whose past is still on its way, and keeps a dishonest one from using up the
// room that depths have.
const maxUnseenDepth = 1 << 20

// Tip is the last event held of one device's chain.
type Tip struct {
	Device identity.DeviceID
	Seq    uint64
	Hash   Hash
}

// Frontier says what one end holds of a conversation: the tip of every chain.
type Frontier struct {
	Conv ConvID
	Tips []Tip // sorted by device, one for each, ≤ MaxTips
}

// Check says whether e is the next event of its chain, of which prev is the
// last one held (nil: none). ErrStale does not tell whether an event below
// the tip is the one held: whoever has the log compares the hashes.
func Check(e *Event, prev *Tip) error {
	var tip Tip
	if prev != nil {
		tip = *prev
	}
	switch {
	case e.Seq > tip.Seq+1:
		return fmt.Errorf("event %d after %d: %w", e.Seq, tip.Seq, ErrGap)
	case e.Seq == tip.Seq+1 && e.Prev != tip.Hash:
		return fmt.Errorf("event %d: its predecessor is %s here: %w", e.Seq, tip.Hash.Short(), ErrFork)
	case e.Seq == tip.Seq+1:
		return nil
	case e.Seq == tip.Seq && e.Hash() != tip.Hash:
		return fmt.Errorf("event %d is %s here: %w", e.Seq, tip.Hash.Short(), ErrFork)
	}
	return fmt.Errorf("event %d: %w", e.Seq, ErrStale)
}

// CheckDepth says whether e's depth follows from its past: known is the
// greatest depth among its predecessor and those of its heads that are held
// (0: none), missing how many heads are not, and deepest the greatest depth
// of the conversation.
func CheckDepth(e *Event, known uint64, missing int, deepest uint64) error {
	switch {
	case missing == 0 && e.Depth != known+1,
		missing > 0 && e.Depth <= known,
		missing > 0 && e.Depth > deepest+maxUnseenDepth:
		return fmt.Errorf("depth %d after %d: %w", e.Depth, known, ErrDepth)
	}
	return nil
}

// Tip returns what f holds of a device's chain; Seq is 0 if nothing.
func (f *Frontier) Tip(d identity.DeviceID) Tip {
	i, ok := slices.BinarySearchFunc(f.Tips, d, func(t Tip, d identity.DeviceID) int { return compareDevices(t.Device, d) })
	if !ok {
		return Tip{Device: d}
	}
	return f.Tips[i]
}

// Encode returns the one encoding of f.
func (f *Frontier) Encode() []byte {
	w := writer{}
	w.frontier(f)
	return w.b
}

// ParseFrontier reads the encoding of one frontier and nothing else.
func ParseFrontier(b []byte) (Frontier, error) {
	r := reader{b: b}
	f := r.frontier()
	return finish(f, &r, "frontier")
}

func (w *writer) frontier(f *Frontier) {
	w.raw(f.Conv[:])
	tips := slices.SortedFunc(slices.Values(f.Tips), func(a, b Tip) int { return compareDevices(a.Device, b.Device) })
	w.uvarint(uint64(len(tips)))
	for _, t := range tips {
		w.raw(t.Device[:])
		w.uvarint(t.Seq)
		w.raw(t.Hash[:])
	}
}

func (r *reader) frontier() (f Frontier) {
	r.fixed(f.Conv[:])
	n := r.count(MaxTips, 65)
	if n == 0 {
		return f
	}
	f.Tips = make([]Tip, n)
	for i := range f.Tips {
		t := &f.Tips[i]
		r.fixed(t.Device[:])
		t.Seq = r.number()
		r.fixed(t.Hash[:])
		if t.Seq == 0 {
			r.fail("tip of an empty chain")
		}
		if i > 0 && compareDevices(f.Tips[i-1].Device, t.Device) >= 0 {
			r.fail("tips out of order")
		}
	}
	return f
}

func compareDevices(a, b identity.DeviceID) int { return slices.Compare(a[:], b[:]) }
