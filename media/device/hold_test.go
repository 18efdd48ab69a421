package device_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

// shop is a device in virtual time, and who comes by every 10 ms.
type shop struct {
	bite  int           // samples
	phase time.Duration // of the visits, after a bite
	drift time.Duration // that the device takes longer than its bite lasts
	late  func(visit int) time.Duration
	early func() time.Duration // of a bite
	sense bool                 // every ten seconds
}

const round = 10 * time.Millisecond

// run returns how many ticks the device went without, how many visits after the
// first laid down another number than one, and the longest lead.
func (s shop) run(visits int) (lost, uneven int, most time.Duration) {
	d := device.NewDriving(s.bite)
	begin := time.Now()
	period := media.Duration(s.bite) + s.drift
	regular, unseen := begin.Add(period), 0
	bite := func() time.Time {
		if s.early == nil {
			return regular
		}
		return regular.Add(-s.early())
	}
	next := bite()
	pass := func(until time.Time) { // lets time pass, in which the device takes its bites
		for !next.After(until) {
			unseen++
			regular = regular.Add(period)
			next = bite()
		}
		time.Sleep(time.Until(until))
	}
	for i := range visits {
		at := begin.Add(s.phase + time.Duration(i)*round)
		if s.late != nil {
			at = at.Add(s.late(i))
		}
		pass(at)
		laid := d.Visit(unseen)
		unseen = 0
		if laid != 1 && i > 0 {
			uneven++
		}
		most = max(most, d.Lead())
		if s.sense && i%1000 == 999 {
			pass(next)
			d.Sense(unseen - 1)
			unseen = 0
		}
	}
	return d.Lost(), uneven, most
}

// bites are those that devices take.
var bites = []int{media.Tick, media.Tick / 2}

func TestOneTickAVisitKeepsALoudspeakerGoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, n := range bites {
			for phase := 200 * time.Microsecond; phase < round; phase += 200 * time.Microsecond {
				lost, uneven, most := shop{bite: n, phase: phase}.run(500)
				if lost != 0 || uneven != 0 || most > 16*time.Millisecond {
					t.Errorf("bites of %d, visits %v after one: %d ticks lost, %d uneven visits, %v ahead", n, phase, lost, uneven, most)
				}
			}
		}
	})
}

func TestVisitsAndBitesThatAreNotQuiteRegularLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		some := func() time.Duration { return time.Duration(r.IntN(1000)) * time.Microsecond }
		for _, n := range bites {
			for phase := 500 * time.Microsecond; phase < round; phase += 500 * time.Microsecond {
				late := func(int) time.Duration { return some() }
				lost, uneven, _ := shop{bite: n, phase: phase, late: late, early: some}.run(1000)
				if lost != 0 || uneven > 4 {
					t.Errorf("bites of %d, visits %v after one: %d ticks lost, %d uneven visits", n, phase, lost, uneven)
				}
			}
		}
	})
}

func TestTwoClocksThatRunApartCostAVisitNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, n := range bites {
			for _, drift := range []time.Duration{-2 * time.Microsecond, -time.Microsecond / 2, time.Microsecond / 2, 2 * time.Microsecond} {
				lost, uneven, most := shop{bite: n, phase: 5 * time.Millisecond, drift: drift * time.Duration(n) / media.Tick, sense: true}.run(20_000)
				if lost != 0 || uneven > 5 || most > 17*time.Millisecond { // 40 ms at most: four bites more or less
					t.Errorf("bites of %d and %v: %d ticks lost, %d uneven visits, %v ahead", n, drift, lost, uneven, most)
				}
			}
		}
	})
}

func TestHolesMakeCareful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := func(i int) time.Duration {
			if i%100 == 50 {
				return 9500 * time.Microsecond
			}
			return 0
		}
		lost, uneven, _ := shop{bite: media.Tick, phase: time.Millisecond, late: late}.run(5000)
		if lost == 0 || lost > 5 || uneven > 20 { // of 50 holes
			t.Errorf("%d ticks lost, %d uneven visits", lost, uneven)
		}
	})
}
