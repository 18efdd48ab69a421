package jitter

// estimator learns how late packets come and says how long to wait for them:
// as long as the worst packet of 95 % of the intervals would have needed.
type estimator struct {
	start       int64
	least, most int64
	lows        [baseParts]low // the least transit in each part of the last second
	histogram   [buckets]float64
	intervals   int   // intervals seen
	since       int64 // begin of this one
	fastest     int64 // transit in it
	slowest     int64
	seen        bool // since, fastest and slowest are valid
	aim         int64
}

type low struct {
	part    int64
	transit int64
	ok      bool
}

const (
	bucket  = 5 * 48 // 5 ms
	buckets = 400    // to 2 s
	// An interval is judged by its worst packet. Longer ones would wait for
	// stalls that come once in ten seconds, shorter ones would drop a talker's
	// syllable at each.
	interval   = 200 * 48
	quantile   = 0.95
	pathShift  = 20 * 48
	forgetting = 0.983 // share of the histogram left after each interval

	basePart  = 200 * 48 // the base is the least transit over
	baseParts = 5        // five parts of 200 ms
)

// observe takes in that the packet of this timestamp arrived. Both are in
// samples; what is between them, the transit, has no meaning but its change.
func (e *estimator) observe(arrival, timestamp int64) {
	transit := arrival - timestamp
	e.lower(arrival, transit)
	if !e.seen {
		e.seen, e.since, e.fastest, e.slowest = true, arrival, transit, transit
	}
	e.fastest, e.slowest = min(e.fastest, transit), max(e.slowest, transit)
	if arrival-e.since < interval && arrival >= e.since {
		return
	}
	e.learn(e.worst())
	e.since, e.fastest, e.slowest = arrival, transit, transit
}

// worst is the lateness of the slowest packet of the interval against the
// fastest of the last second. When all packets became slower at once, by more
// than they differ, the path has changed: they are on time there, and waiting
// as if they were late would only add to it.
func (e *estimator) worst() int64 {
	spread, shift := e.slowest-e.fastest, e.fastest-e.base()
	if shift > pathShift && spread < shift {
		return spread
	}
	return spread + shift
}

func (e *estimator) lower(arrival, transit int64) {
	part := arrival / basePart
	at := &e.lows[uint64(part)%baseParts]
	if !at.ok || at.part != part || transit < at.transit {
		*at = low{part, transit, true}
	}
	for i := range e.lows {
		if l := &e.lows[i]; l.part <= part-baseParts || l.part > part {
			l.ok = false
		}
	}
}

// base is the least transit of the last second, so that a slow drift of the two
// clocks drops out of every difference.
func (e *estimator) base() int64 {
	var least int64
	found := false
	for _, l := range e.lows {
		if l.ok && (!found || l.transit < least) {
			least, found = l.transit, true
		}
	}
	return least
}

// forgetBase begins anew with another stream's timestamps. What was learned of
// the line stays.
func (e *estimator) forgetBase() {
	e.lows = [baseParts]low{}
	e.seen = false
}

// learn adds the worst lateness of an interval to the histogram. The first few
// intervals count for more, so that the start is soon forgotten.
func (e *estimator) learn(worst int64) {
	e.intervals++
	keep := min(forgetting, 1-2/float64(e.intervals+1))
	sum := 0.0
	e.aim = 0
	e.histogram[min(max(worst, 0)/bucket, buckets-1)] += (1 - keep) / max(keep, 1e-9)
	for i := range e.histogram {
		e.histogram[i] *= max(keep, 1e-9)
		sum += e.histogram[i]
	}
	below := 0.0
	for i, share := range e.histogram {
		if below += share; below >= quantile*sum {
			e.aim = int64(i+1) * bucket
			return
		}
	}
}

// target is the delay to aim at, in samples.
func (e *estimator) target() int64 {
	if e.intervals == 0 {
		return e.start
	}
	return min(max(e.least, e.aim), e.most)
}
