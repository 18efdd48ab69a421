package jitter

// slot is a packet that waits to be decoded, on unwrapped numbers.
type slot struct {
	full          bool
	seq           int64
	time, arrival int64 // in samples
	payload       []byte
}

// store holds up to 128 packets by sequence number: 2.5 s of frames of 20 ms.
type store struct {
	slots   [128]slot
	started bool
	highest int64 // sequence number
	newest  int64 // its timestamp
	held    Packet
	holding bool // held is a packet that fits no stream yet
}

type verdict int

const (
	useless  verdict = iota // to be dropped
	fits                    // part of the stream
	doubtful                // held back until another confirms it
	restarts                // confirms the held one: a new stream
)

const (
	maxStep    = 100       // packets between neighbours in arrival, forwards or back
	maxSilence = 2 * 48000 // samples without a packet that DTX may leave
)

// place unwraps p's sequence number and timestamp by their distance from the
// newest packet (RFC 3550 §A.1): a packet that lies too far off is believed
// only when a second one agrees with it.
func (s *store) place(p Packet) (seq, time int64, v verdict) {
	if !s.started {
		if p.Copy {
			return 0, 0, useless
		}
		s.started = true
		s.highest, s.newest = int64(p.Sequence), int64(p.Timestamp)
		return s.highest, s.newest, fits
	}
	steps := int64(int16(p.Sequence - uint16(s.highest)))
	samples := int64(int32(p.Timestamp - uint32(s.newest)))
	if neighbours(steps, samples) {
		s.holding = false
		return s.highest + steps, s.newest + samples, fits
	}
	if p.Copy {
		return 0, 0, useless
	}
	if steps == 0 || !s.holding || !follows(s.held, p) {
		s.hold(p)
		return 0, 0, doubtful
	}
	return 0, 0, restarts
}

// neighbours says whether two packets so far apart can be of one stream.
func neighbours(steps, samples int64) bool {
	if steps < 0 {
		steps, samples = -steps, -samples
	}
	if steps == 0 {
		return samples == 0
	}
	return steps <= maxStep && samples > 0 && samples <= steps*maxDecoded+maxSilence
}

func follows(a, b Packet) bool {
	steps := int64(int16(b.Sequence - a.Sequence))
	return steps > 0 && neighbours(steps, int64(int32(b.Timestamp-a.Timestamp)))
}

func (s *store) hold(p Packet) {
	p.Payload = append(s.held.Payload[:0], p.Payload...)
	s.held, s.holding = p, true
}

// restart empties the store and returns the packet that was held.
func (s *store) restart() Packet {
	for i := range s.slots {
		s.slots[i].full = false
	}
	s.started, s.holding = false, false
	return s.held
}

// put stores p, pushing out what is more than 128 packets older. It returns
// false if p is here already or too old.
func (s *store) put(p Packet, seq, time, arrival int64) bool {
	if seq <= s.highest-int64(len(s.slots)) {
		return false
	}
	at := &s.slots[seq&int64(len(s.slots)-1)]
	if at.full && at.seq >= seq {
		return false
	}
	if seq > s.highest {
		s.highest, s.newest = seq, time
	}
	at.full, at.seq, at.time, at.arrival = true, seq, time, arrival
	at.payload = append(at.payload[:0], p.Payload...)
	return true
}

// first returns the packet with the lowest sequence number from `from` on, nil
// if there is none.
func (s *store) first(from int64) *slot {
	if !s.started {
		return nil
	}
	for seq := max(from, s.highest-int64(len(s.slots))+1); seq <= s.highest; seq++ {
		if at := &s.slots[seq&int64(len(s.slots)-1)]; at.full && at.seq == seq {
			return at
		}
	}
	return nil
}

// has says whether a packet is here, or was since it may have been played.
func (s *store) has(seq int64) bool {
	return s.slots[seq&int64(len(s.slots)-1)].seq == seq
}

func (s *store) take(at *slot) { at.full = false }

// dropBefore empties the slots below seq and returns how many were full.
func (s *store) dropBefore(seq int64) (dropped int) {
	for i := range s.slots {
		if at := &s.slots[i]; at.full && at.seq < seq {
			at.full = false
			dropped++
		}
	}
	return dropped
}
