package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/assets"
)

// words are the window's sentences in one language. A sentence holds {0}, {1}
// … where its arguments go; a counted one is two, KEY.one and KEY.other, with
// {n} for the number.
type words struct {
	lang  string
	table map[string]string
}

// loadWords chooses the language: the one that was set, else the one of the
// system's locale ("fr_CA.UTF-8"), else English.
func loadWords(set, locale string) (*words, error) {
	lang := assets.Languages()[0]
	for _, l := range assets.Languages() {
		if l == set || set == "" && strings.HasPrefix(strings.ToLower(locale), l) {
			lang = l
		}
	}
	table, err := assets.Words(lang)
	if err != nil {
		return nil, err
	}
	return &words{lang: lang, table: table}, nil
}

// tr gives the sentence of a key with its arguments in place. A key without a
// sentence gives itself: odd to look at, and found by the tests.
func (w *words) tr(key string, args ...any) string {
	s, ok := w.table[key]
	if !ok {
		return key
	}
	for i, a := range args {
		s = strings.ReplaceAll(s, "{"+strconv.Itoa(i)+"}", fmt.Sprint(a))
	}
	return s
}

// count gives the sentence of a key for a number of things.
func (w *words) count(key string, n int) string {
	form := ".other"
	if n == 1 || n == 0 && w.lang == "fr" {
		form = ".one"
	}
	return strings.ReplaceAll(w.tr(key+form), "{n}", strconv.Itoa(n))
}

// clock is a time of day, "14:32".
func (w *words) clock(t time.Time) string { return t.Format("15:04") }

// day names a day as the lines between messages do: today, yesterday, a
// weekday within the last week, else the date.
func (w *words) day(t, now time.Time) string {
	switch days := daysBetween(t, now); {
	case days == 0:
		return w.tr("day.today")
	case days == 1:
		return w.tr("day.yesterday")
	case days > 1 && days < 7:
		return w.tr("weekday." + strconv.Itoa(int(t.Weekday())))
	}
	return w.date(t, now)
}

// date is a day of a month, with the year when it is another one.
func (w *words) date(t, now time.Time) string {
	month := w.tr("month." + strconv.Itoa(int(t.Month())))
	if t.Year() == now.Year() {
		return w.tr("date.day", t.Day(), month)
	}
	return w.tr("date.year", t.Day(), month, t.Year())
}

// brief is a moment in few letters, for the roster: the time today, a short
// weekday within a week, else a short date.
func (w *words) brief(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	switch days := daysBetween(t, now); {
	case days <= 0:
		return w.clock(t)
	case days < 7:
		return w.tr("weekday.short." + strconv.Itoa(int(t.Weekday())))
	}
	month := w.tr("month.short." + strconv.Itoa(int(t.Month())))
	if t.Year() == now.Year() {
		return w.tr("date.day", t.Day(), month)
	}
	return w.tr("date.year", t.Day(), month, t.Year())
}

// ago says how long ago something was, in the largest unit that fits.
func (w *words) ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Minute:
		return w.tr("ago.now")
	case d < time.Hour:
		return w.count("ago.minutes", int(d/time.Minute))
	case d < 24*time.Hour:
		return w.count("ago.hours", int(d/time.Hour))
	case d < 7*24*time.Hour:
		return w.count("ago.days", int(d/(24*time.Hour)))
	}
	return w.date(t, now)
}

// length is a duration as of a call: "41 s", "12:41", "1:02:03".
func (w *words) length(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return w.tr("length.seconds", s)
	case s < 3600:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// failure turns an error into a sentence for people and the next step, which
// may be empty. Reasons have words of ours, and codes whose cause is always
// the same; what a newer node tells stands as it says it.
func (w *words) failure(err error) (say, next string) {
	var f *control.Failure
	if errors.As(err, &f) {
		if say, next, ok := w.reason(f); ok {
			return say, next
		}
		switch f.Code {
		case control.CodeNotHere, control.CodePass, control.CodeTooLong, control.CodeDisk, control.CodeTimeout:
			return w.tr("fail." + f.Code), w.tr("fail." + f.Code + ".next")
		case control.CodeInternal:
			return w.tr("fail.unknown"), f.Message
		}
		return f.Message, f.Hint
	}
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return w.tr("fail.slow"), w.tr("fail.slow.next")
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return w.tr("fail." + control.CodeNotHere), w.tr("fail." + control.CodeNotHere + ".next")
	}
	return w.tr("fail.unknown"), err.Error()
}

// reason says why something failed, if there are words for it here.
func (w *words) reason(f *control.Failure) (say, next string, ok bool) {
	key := "fail.why." + f.Reason
	if _, ok := w.table[key]; !ok {
		return "", "", false
	}
	args := make([]any, len(f.Args))
	for i, a := range f.Args {
		args[i] = a
	}
	if _, more := w.table[key+".next"]; more {
		next = w.tr(key + ".next")
	}
	return w.tr(key, args...), next, true
}

// daysBetween counts the midnights from t to now in now's zone.
func daysBetween(t, now time.Time) int {
	day := func(t time.Time) time.Time {
		y, m, d := t.In(now.Location()).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(day(now).Sub(day(t)) / (24 * time.Hour))
}
