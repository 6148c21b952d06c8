package weekly

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// zones have clocks that are set by an hour, by half an hour, by a day, at midnight, and
// never.
func zones() []string {
	return []string{
		"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Santiago", "Africa/Cairo",
		"Asia/Kathmandu", "Asia/Tehran", "Pacific/Auckland", "America/St_Johns", "Africa/Casablanca", "Asia/Gaza",
	}
}

// shows reports whether a clock on the wall shows a time within a schedule. It reads the
// clock as a person does, by the texts that are on it.
func shows(t time.Time, days []string, from, to string, zone *time.Location) bool {
	wall := t.In(zone).Format("Mon 15:04")
	today, hour := strings.ToLower(wall[:3]), wall[4:]
	on := func(name string) bool { return strings.Contains(strings.Join(days, " "), name) }
	yesterday := "sat sun mon tue wed thu fri sat"
	yesterday = yesterday[strings.Index(yesterday[4:], today):][:3]
	if from < to {
		return on(today) && from <= hour && hour < to
	}
	return on(today) && from <= hour || on(yesterday) && hour < to
}

// somewhen is a random time, often near one at which clocks are set.
func somewhen(r *rand.Rand, zone *time.Location) time.Time {
	t := time.Date(2010, 1, 1, 0, r.IntN(30*365*24*60), 0, 0, time.UTC)
	if _, set := t.In(zone).ZoneBounds(); !set.IsZero() && r.IntN(3) > 0 {
		t = set.Add(time.Duration(r.IntN(72*60)-36*60) * time.Minute)
	}
	return t
}

// TestWindows compares windows with what a clock on the wall shows, minute by minute.
func TestWindows(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for range 20 {
		zone, err := time.LoadLocation(zones()[r.IntN(len(zones()))])
		if err != nil {
			t.Fatal(err)
		}
		var days []string
		for _, name := range names() {
			if r.IntN(2) == 0 {
				days = append(days, name)
			}
		}
		from, to := r.IntN(24*60), r.IntN(24*60+1)
		if r.IntN(2) == 0 { // among the hours that clocks skip and show twice
			from, to = r.IntN(4*60), r.IntN(4*60)
		}
		if len(days) == 0 || from == to {
			continue
		}
		clock := func(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
		text := fmt.Sprintf("%s %s-%s", strings.Join(days, ","), clock(from), clock(to))
		s, err := Parse(text, zone.String())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		begin := somewhen(r, zone)
		for minute := 0; minute < 3*24*60; minute += 1 + r.IntN(9) {
			at := begin.Add(time.Duration(minute) * time.Minute)
			w := s.Next(at)
			want, got := shows(at, days, clock(from), clock(to), zone), !w.From.After(at)
			if want != got || !w.To.After(at) || !w.To.After(w.From) {
				t.Fatalf("seed %d: %s at %s: the window is %v, the clock says %v", seed, s, at.In(zone), w, want)
			}
			// It is the same at each end, and no time between is without it.
			if r.IntN(10) == 0 && (s.Next(w.From) != w || s.Next(w.To.Add(-time.Nanosecond)) != w || !s.Next(w.To).From.Add(time.Nanosecond).After(w.To)) {
				t.Fatalf("seed %d: %s at %s: the window %v is another one at its ends: %v, %v, %v", seed, s, at.In(zone), w,
					s.Next(w.From), s.Next(w.To.Add(-time.Nanosecond)), s.Next(w.To))
			}
			if !got && shows(w.From.Add(-time.Minute), days, clock(from), clock(to), zone) && w.From.Sub(at) > time.Minute {
				t.Fatalf("seed %d: %s at %s: a minute before the window %v the clock is in one", seed, s, at.In(zone), w)
			}
		}
	}
}

// TestClocksAreSet has the days of Berlin on which people look at this.
func TestClocksAreSet(t *testing.T) {
	for _, c := range []struct{ text, at, from, to string }{
		{"sun 02:00-04:00", "2026-12-01T00:00:00Z", "2026-12-06T01:00:00Z", "2026-12-06T03:00:00Z"},
		{"sun 02:00-04:00", "2027-03-28T00:00:00Z", "2027-03-28T01:00:00Z", "2027-03-28T02:00:00Z"}, // 02:00 to 03:00 is skipped
		{"sun 02:15-02:45", "2027-03-28T00:00:00Z", "2027-04-04T00:15:00Z", "2027-04-04T00:45:00Z"}, // nothing is left of it
		{"sun 02:15-02:45", "2027-10-31T00:00:00Z", "2027-10-31T00:15:00Z", "2027-10-31T00:45:00Z"}, // twice
		{"sun 02:15-02:45", "2027-10-31T00:50:00Z", "2027-10-31T01:15:00Z", "2027-10-31T01:45:00Z"},
		{"fri 22:00-06:00", "2026-12-05T00:00:00Z", "2026-12-04T21:00:00Z", "2026-12-05T05:00:00Z"},
		{"00:00-24:00", "2026-12-05T12:00:00Z", "2026-12-04T23:00:00Z", "2026-12-05T23:00:00Z"},
		{"Saturday-Monday 23:00-24:00", "2026-12-08T00:00:00Z", "2026-12-12T22:00:00Z", "2026-12-12T23:00:00Z"},
	} {
		s, err := Parse(c.text, "Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		w := s.Next(at)
		if from, to := w.From.UTC().Format(time.RFC3339), w.To.UTC().Format(time.RFC3339); from != c.from || to != c.to {
			t.Errorf("%s at %s: from %s to %s, want %s to %s", s, c.at, from, to, c.from, c.to)
		}
	}
}

func TestParseFaults(t *testing.T) {
	for _, c := range []struct{ text, zone, want string }{
		{"", "", "write it as"},
		{"sun", "", `"sun" is no span of time`},
		{"sub 02:00-04:00", "", `no day "sub"; did you mean`},
		{"sun, mon 02:00-04:00", "", "write it as"},
		{"sun 2:00-04:00", "", `"2:00" is no time of a day`},
		{"sun 02:00-25:00", "", `"25:00" is no time of a day`},
		{"sun 24:00-02:00", "", "begins at 24:00"},
		{"02:00-02:00", "", "a whole day is 00:00-24:00"},
		{"02:00-04:00", "Europe/Berlim", `no time zone "Europe/Berlim"`},
		{"02:00-04:00", "Local", "another one on each machine"},
		{"02:00-04:00", "../etc/passwd", "no time zone"},
	} {
		if _, err := Parse(c.text, c.zone); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q in %q: %v, want %q", c.text, c.zone, err, c.want)
		}
	}
}
