// Package weekly has spans of time that recur every week, such as Sundays from 02:00 to
// 04:00 in Berlin. A span holds while a wall clock there shows a time within it. So an
// hour that is skipped when clocks are set forward is missing, and an hour that is shown
// twice when they are set back counts twice.
package weekly

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // for machines that have no time zones

	"github.com/vedettehq/vedette/internal/nearest"
)

// day is the length of a day on a clock that is never changed.
const day = 24 * time.Hour

// Schedule is a span of time on some days of the week.
type Schedule struct {
	days     [7]bool // by time.Weekday: where the span begins
	from, to time.Duration
	zone     *time.Location
	text     string
}

// Window is one occurrence of a span: from From until just before To.
type Window struct{ From, To time.Time }

// names are those of the days, by time.Weekday.
func names() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// Parse reads a schedule, such as "sun 02:00-04:00", "mon-fri,sun 22:00-02:00" or, for
// every day, "02:00-04:00". The zone is a name such as Europe/Berlin; "" is UTC.
func Parse(text, zone string) (*Schedule, error) {
	s := &Schedule{}
	var err error
	if s.zone, err = readZone(zone); err != nil {
		return nil, err
	}
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) == 0 || len(fields) > 2 {
		return nil, fmt.Errorf("the schedule %q cannot be read: write it as \"sun 02:00-04:00\", \"mon-fri 22:00-02:00\" or \"02:00-04:00\" for every day", text)
	}
	times := fields[len(fields)-1]
	if len(fields) == 1 {
		s.days = [7]bool{true, true, true, true, true, true, true}
	} else if err := s.readDays(fields[0]); err != nil {
		return nil, fmt.Errorf("the schedule %q cannot be read: %w", text, err)
	}
	if err := s.readTimes(times); err != nil {
		return nil, fmt.Errorf("the schedule %q cannot be read: %w", text, err)
	}
	s.text = strings.Join(fields, " ")
	return s, nil
}

func readZone(name string) (*time.Location, error) {
	if strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("the time zone %q is another one on each machine; write its name, such as Europe/Berlin", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q; write it as Europe/Berlin or UTC", name)
	}
	return zone, nil
}

// readDays reads days such as mon-fri,sun.
func (s *Schedule) readDays(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		first, last, several := strings.Cut(part, "-")
		from, err := readDay(first)
		if err != nil {
			return err
		}
		to := from
		if several {
			if to, err = readDay(last); err != nil {
				return err
			}
		}
		for i := from; ; i = (i + 1) % 7 { // sat-mon goes over the end of the week
			s.days[i] = true
			if i == to {
				break
			}
		}
	}
	return nil
}

func readDay(text string) (int, error) {
	for i, name := range names() {
		if text == name || text == strings.ToLower(time.Weekday(i).String()) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("there is no day %q%s; the days are mon, tue, wed, thu, fri, sat and sun", text, nearest.Ask(text, names()))
}

// readTimes reads times such as 22:00-02:00.
func (s *Schedule) readTimes(text string) (err error) {
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return fmt.Errorf("%q is no span of time; write it as 02:00-04:00", text)
	}
	if s.from, err = readTime(from); err != nil {
		return err
	}
	if s.to, err = readTime(to); err != nil {
		return err
	}
	switch {
	case s.from == day:
		return fmt.Errorf("it begins at 24:00; write 00:00, and the day after")
	case s.from == s.to:
		return fmt.Errorf("it ends when it begins; a whole day is 00:00-24:00")
	}
	if s.to < s.from {
		s.to += day
	}
	return nil
}

func readTime(text string) (time.Duration, error) {
	if text == "24:00" {
		return day, nil
	}
	at, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("%q is no time of a day; write it as 02:00, from 00:00 to 24:00", text)
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, nil
}

// String is the schedule as it was written, with its zone.
func (s *Schedule) String() string { return s.text + " " + s.zone.String() }

// longest is longer than any window, even if clocks are changed meanwhile.
const longest = 3 * day

// Next is the window that contains a time, or else the first one after it.
func (s *Schedule) Next(t time.Time) Window {
	var w Window
	for at := t.In(s.zone).Add(-longest).Truncate(time.Second); ; {
		in, begins := s.at(at)
		if (!in || begins) && !w.From.IsZero() {
			if w.To = at; w.To.After(t) {
				return w
			}
			w = Window{}
		}
		if in && w.From.IsZero() {
			w.From = at
		}
		at = s.change(at)
	}
}

// at reports whether a time is in a window, and whether one begins at that time.
func (s *Schedule) at(t time.Time) (in, begins bool) {
	weekday, shown := s.clock(t)
	today, yesterday := s.days[weekday], s.days[(weekday+6)%7]
	in = today && s.from <= shown && shown < s.to || yesterday && shown+day < s.to
	return in, today && shown == s.from
}

// change is the next time at which a window may begin or end.
func (s *Schedule) change(t time.Time) time.Time {
	_, shown := s.clock(t)
	wait := day - shown
	for _, edge := range []time.Duration{s.from, s.to, s.to - day} {
		if edge > shown {
			wait = min(wait, edge-shown)
		}
	}
	next := t.Add(wait)
	if _, set := t.In(s.zone).ZoneBounds(); !set.IsZero() && set.Before(next) {
		return set // the clock was changed, and shows another time
	}
	return next
}

// clock is what a clock in the zone shows.
func (s *Schedule) clock(t time.Time) (time.Weekday, time.Duration) {
	t = t.In(s.zone)
	hour, minute, second := t.Clock()
	return t.Weekday(), time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second +
		time.Duration(t.Nanosecond())
}
