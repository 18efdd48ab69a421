package chat

import "fmt"

// Encode implements Frame.
func (f Hello) Encode() []byte {
	w := begin(f, 128)
	w.string(f.Name)
	w.uvarint(f.ListEpoch)
	w.string(f.Peer)
	w.uvarint(uint64(len(f.Addrs)))
	for _, a := range f.Addrs {
		w.string(a)
	}
	w.raw(f.Rendezvous[:])
	return w.b
}

// Encode implements Frame.
func (f DeviceListFrame) Encode() []byte {
	w := begin(f, len(f.List)+4)
	w.bytes(f.List)
	return w.b
}

// Encode implements Frame.
func (f Request) Encode() []byte {
	w := begin(f, 64+len(f.Text))
	w.string(f.Name)
	w.string(f.Text)
	w.bytes(f.Once)
	w.uvarint(f.Nonce)
	return w.b
}

// Encode implements Frame.
func (f Accept) Encode() []byte { return begin(f, 0).b }

// Encode implements Frame.
func (f Bye) Encode() []byte { return begin(f, 0).b }

// Encode implements Frame.
func (f Lend) Encode() []byte {
	w := begin(f, 1)
	w.bool(f.On)
	return w.b
}

// Encode implements Frame.
func (f PassOn) Encode() []byte {
	w := begin(f, 1)
	w.bool(f.On)
	return w.b
}

// Encode implements Frame.
func (f NotesFrame) Encode() []byte {
	w := begin(f, sizeOf(f.Notes))
	w.bool(f.Passed)
	w.list(f.Notes)
	return w.b
}

// Encode implements Frame.
func (f KeyFrame) Encode() []byte {
	w := begin(f, 96)
	w.raw(f.Conv[:])
	w.raw(f.Device[:])
	w.raw(f.Key[:])
	return w.b
}

// Encode implements Frame.
func (f FrontierFrame) Encode() []byte {
	w := begin(f, 64+72*len(f.Frontier.Tips))
	w.frontier(&f.Frontier)
	return w.b
}

// Encode implements Frame.
func (f EventsFrame) Encode() []byte {
	w := begin(f, sizeOf(f.Events))
	w.list(f.Events)
	return w.b
}

// sizeOf is about what list writes.
func sizeOf(pieces [][]byte) int {
	n := 4
	for _, b := range pieces {
		n += 3 + len(b)
	}
	return n
}

// list writes how many pieces there are, and each.
func (w *writer) list(pieces [][]byte) {
	w.uvarint(uint64(len(pieces)))
	for _, b := range pieces {
		w.bytes(b)
	}
}

// Encode implements Frame.
func (f ReceiptsFrame) Encode() []byte {
	w := begin(f, 4+192*len(f.Receipts))
	w.uvarint(uint64(len(f.Receipts)))
	for i := range f.Receipts {
		w.raw(f.Receipts[i].Encode())
	}
	return w.b
}

// Encode implements Frame.
func (f ReadFrame) Encode() []byte {
	w := begin(f, 36+40*len(f.Marks))
	w.raw(f.Conv[:])
	w.uvarint(uint64(len(f.Marks)))
	for _, m := range f.Marks {
		w.raw(m.Author[:])
		w.uvarint(m.Seen)
	}
	return w.b
}

// Encode implements Frame.
func (f TypingFrame) Encode() []byte {
	w := begin(f, 33)
	w.raw(f.Conv[:])
	w.bool(f.On)
	return w.b
}

// Encode implements Frame.
func (f CallFrame) Encode() []byte {
	w := begin(f, 20+len(f.Body))
	w.raw(f.Call[:])
	w.bytes(f.Body)
	return w.b
}

// Encode implements Frame.
func (f Ping) Encode() []byte { return number(f, f.N) }

// Encode implements Frame.
func (f Pong) Encode() []byte { return number(f, f.N) }

func number(f Frame, n uint64) []byte {
	w := begin(f, 10)
	w.uvarint(n)
	return w.b
}

// ParseFrame reads one frame and nothing else. A type it does not know gives
// an *UnknownFrameError. The frame keeps no part of b.
func ParseFrame(b []byte) (Frame, error) {
	if len(b) > MaxFrame {
		return nil, fmt.Errorf("parse frame: %d bytes: %w", len(b), ErrTooLarge)
	}
	r := reader{b: b}
	typ := r.byte()
	f := r.frame(typ)
	if f == nil && r.err == nil {
		return nil, fmt.Errorf("parse frame: %w", &UnknownFrameError{Type: typ})
	}
	if err := r.done(); err != nil {
		return nil, fmt.Errorf("parse frame of type %d: %w", typ, err)
	}
	return f, nil
}

// frame reads the body of a frame; nil for an unknown type.
func (r *reader) frame(typ byte) Frame {
	switch typ {
	case frameHello:
		return r.hello()
	case frameDeviceList:
		return DeviceListFrame{List: r.bytes(MaxList)}
	case frameRequest:
		return r.request()
	case frameAccept:
		return Accept{}
	case frameKey:
		return r.key()
	case frameFrontier:
		return FrontierFrame{Frontier: r.frontier()}
	case frameEvents:
		return r.events()
	case frameReceipts:
		return r.receipts()
	case frameTyping:
		return r.typing()
	case framePing:
		return Ping{N: r.uvarint()}
	case framePong:
		return Pong{N: r.uvarint()}
	case frameBye:
		return Bye{}
	case frameCall:
		return r.call()
	case frameRead:
		return r.read()
	case frameLend:
		return Lend{On: r.bool()}
	case framePassOn:
		return PassOn{On: r.bool()}
	case frameNotes:
		return r.notes()
	}
	return nil
}

func (r *reader) hello() (f Hello) {
	f.Name = r.string(maxNameBytes)
	f.ListEpoch = r.number()
	f.Peer = r.string(MaxPeer)
	n := r.count(MaxAddrs, 1)
	for range n {
		f.Addrs = append(f.Addrs, r.string(MaxAddr))
	}
	r.fixed(f.Rendezvous[:])
	return f
}

func (r *reader) request() (f Request) {
	f.Name = r.string(maxNameBytes)
	f.Text = r.string(MaxRequestText)
	f.Once = r.bytes(16)
	if len(f.Once) != 0 && len(f.Once) != 16 {
		r.fail("one-time secret of %d bytes", len(f.Once))
	}
	f.Nonce = r.uvarint()
	return f
}

func (r *reader) key() (f KeyFrame) {
	r.fixed(f.Conv[:])
	r.fixed(f.Device[:])
	r.fixed(f.Key[:])
	return f
}

func (r *reader) events() (f EventsFrame) {
	n := r.count(MaxEvents, 1)
	if n > 0 {
		f.Events = make([][]byte, 0, n)
	}
	total := 0
	for range n {
		e := r.bytes(MaxEvent)
		total += len(e)
		f.Events = append(f.Events, e)
	}
	if total > MaxEventBytes {
		r.failWith(fmt.Errorf("%d bytes of events: %w", total, ErrTooLarge))
	}
	return f
}

func (r *reader) notes() (f NotesFrame) {
	f.Passed = r.bool()
	for range r.count(MaxNotes, 1) {
		f.Notes = append(f.Notes, r.bytes(MaxNote))
	}
	return f
}

func (r *reader) receipts() (f ReceiptsFrame) {
	n := r.count(MaxReceipts, 32*3+3+64)
	if n > 0 {
		f.Receipts = make([]Receipt, n)
	}
	for i := range f.Receipts {
		f.Receipts[i] = r.receipt()
	}
	return f
}

func (r *reader) read() (f ReadFrame) {
	r.fixed(f.Conv[:])
	n := r.count(MaxTips, 33)
	if n > 0 {
		f.Marks = make([]ReadMark, n)
	}
	for i := range f.Marks {
		r.fixed(f.Marks[i].Author[:])
		f.Marks[i].Seen = r.number()
	}
	return f
}

func (r *reader) typing() (f TypingFrame) {
	r.fixed(f.Conv[:])
	f.On = r.bool()
	return f
}

func (r *reader) call() (f CallFrame) {
	r.fixed(f.Call[:])
	f.Body = r.bytes(MaxCallBody)
	return f
}
