package device_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entrenous/entrenous/media/device"
)

// shop is a device in virtual time, and who comes by every 10 ms.
type shop struct {
	phase time.Duration // of the visits, after a bite
	drift time.Duration // that the device's 10 ms are longer
	late  func(visit int) time.Duration
	sense bool // every ten seconds
}

const tenMs = 10 * time.Millisecond

// run returns how many ticks the device went without, how many visits after the
// first laid down another number than one, and the longest lead.
func (s shop) run(visits int) (lost, uneven int, most time.Duration) {
	d := device.NewDriving()
	begin := time.Now()
	bite, unseen := begin.Add(tenMs+s.drift), 0
	next := func(until time.Time) { // lets time pass, in which the device takes its bites
		for ; !bite.After(until); bite = bite.Add(tenMs + s.drift) {
			unseen++
		}
		time.Sleep(time.Until(until))
	}
	for i := range visits {
		at := begin.Add(s.phase + time.Duration(i)*tenMs)
		if s.late != nil {
			at = at.Add(s.late(i))
		}
		next(at)
		laid := d.Visit(unseen)
		unseen = 0
		if laid != 1 && i > 0 {
			uneven++
		}
		most = max(most, d.Lead())
		if s.sense && i%1000 == 999 && time.Until(bite) < tenMs-time.Millisecond {
			next(bite)
			d.Sense(unseen - 1)
			unseen = 0
		}
	}
	return d.Lost(), uneven, most
}

func TestOneTickAVisitKeepsALoudspeakerGoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for phase := 200 * time.Microsecond; phase < tenMs; phase += 200 * time.Microsecond {
			lost, uneven, most := shop{phase: phase}.run(500)
			if lost != 0 || uneven != 0 || most > 17*time.Millisecond {
				t.Errorf("visits %v after a bite: %d ticks lost, %d uneven visits, %v ahead", phase, lost, uneven, most)
			}
		}
	})
}

func TestVisitsThatAreALittleLateLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for phase := 500 * time.Microsecond; phase < tenMs; phase += 500 * time.Microsecond {
			late := func(int) time.Duration { return time.Duration(r.IntN(2000)) * time.Microsecond }
			lost, uneven, _ := shop{phase: phase, late: late}.run(1000)
			if lost != 0 || uneven > 4 {
				t.Errorf("visits %v after a bite: %d ticks lost, %d uneven visits", phase, lost, uneven)
			}
		}
	})
}

func TestTwoClocksThatRunApartCostAVisitNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, drift := range []time.Duration{-2 * time.Microsecond, -time.Microsecond / 2, time.Microsecond / 2, 2 * time.Microsecond} {
			lost, uneven, most := shop{phase: 5 * time.Millisecond, drift: drift, sense: true}.run(20_000)
			if lost != 0 || uneven > 12 || most > 21*time.Millisecond { // 40 ms at most: four bites more or less
				t.Errorf("bites of 10 ms and %v: %d ticks lost, %d uneven visits, %v ahead", drift, lost, uneven, most)
			}
		}
	})
}

func TestAHoleCostsWhatItLastedAndMakesCareful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := func(i int) time.Duration {
			if i%100 == 50 {
				return 9500 * time.Microsecond
			}
			return 0
		}
		lost, uneven, _ := shop{phase: time.Millisecond, late: late}.run(5000)
		if lost == 0 || lost > 4 || uneven > 20 { // of 50 holes
			t.Errorf("%d ticks lost, %d uneven visits", lost, uneven)
		}
	})
}
