package voice

import "time"

// Quality is how a call sounds, in the words that people are shown.
type Quality int

// From nothing to be heard to as good as it gets.
const (
	QualityNone Quality = iota // nothing arrives
	QualityBad
	QualityPoor
	QualityFair
	QualityGood
	QualityExcellent
)

// String is the word.
func (q Quality) String() string {
	return [...]string{"no sound", "bad", "poor", "fair", "good", "excellent"}[min(max(q, QualityNone), QualityExcellent)]
}

// judge fills in MOS and Quality.
func (s *Stats) judge(alive bool) {
	r := rating(s.MouthToEar, s.Concealed)
	s.MOS = opinion(r)
	switch {
	case !alive:
		s.Quality, s.MOS = QualityNone, 1
	case r >= 85:
		s.Quality = QualityExcellent
	case r >= 75:
		s.Quality = QualityGood
	case r >= 60:
		s.Quality = QualityFair
	case r >= 45:
		s.Quality = QualityPoor
	default:
		s.Quality = QualityBad
	}
}

// rating is R of the E-model (ITU-T G.107) for a codec that loses nothing by
// itself: what delay takes away (ITU-T G.107 §7.4 in the short form of Cole and
// Rosenbluth) and what made-up sound does (§7.5, for a codec with concealment).
func rating(delay time.Duration, concealed float64) float64 {
	const best, worst, robust = 93.2, 95.0, 20.0
	ms := float64(delay) / float64(time.Millisecond)
	r := best - 0.024*ms
	if ms > 177.3 {
		r -= 0.11 * (ms - 177.3)
	}
	percent := concealed * 100
	return r - worst*percent/(percent+robust)
}

// opinion is the mean opinion score that belongs to R (ITU-T G.107 annex B).
func opinion(r float64) float64 {
	r = min(max(r, 0), 100)
	return min(max(1+0.035*r+7e-6*r*(r-60)*(100-r), 1), 4.5)
}
