package transport

import "time"

// Ledger is what was passed on in a month, and for whom in a week. It is stored
// as JSON.
type Ledger struct {
	Month string           `json:"month"` // 2006-01
	Bytes int64            `json:"bytes"` // in the month
	Week  string           `json:"week"`  // the Monday it began, 2006-01-02
	Each  map[string]int64 `json:"each"`  // bytes in the week, by whose they were
}

// maxEach is how many a ledger names in a week: a relay for everybody meets any
// number of names, and the ledger is written each minute.
const maxEach = 1000

// Others stands in Ledger.Each for all that are not named.
const Others = "others"

// Add books what was passed on by now; a new month or week begins at nothing.
func (l *Ledger) Add(now time.Time, bytes int64, each map[string]int64) {
	l.turn(now)
	l.Bytes += bytes
	for who, n := range each {
		if _, named := l.Each[who]; !named && len(l.Each) >= maxEach {
			who = Others
		}
		l.Each[who] += n
	}
}

func (l *Ledger) turn(now time.Time) {
	if m := now.Format("2006-01"); m != l.Month {
		l.Month, l.Bytes = m, 0
	}
	monday := now.AddDate(0, 0, -(int(now.Weekday())+6)%7).Format("2006-01-02")
	if monday != l.Week || l.Each == nil {
		l.Week, l.Each = monday, map[string]int64{}
	}
}

// Left is how much of a month's budget is left; a budget of 0 has no end, which
// is -1.
func (l *Ledger) Left(now time.Time, budget int64) int64 {
	if budget <= 0 {
		return -1
	}
	l.turn(now)
	return max(0, budget-l.Bytes)
}
