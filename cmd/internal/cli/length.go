package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseLength parses a duration, which may be in days.
func ParseLength(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if n, err = strconv.Atoi(days); err == nil && n < 100_000 {
			d = time.Duration(n) * 24 * time.Hour
		}
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a length of time; write it as 30m, 24h or 7d", text)
	case d <= 0:
		return 0, fmt.Errorf("%q is not above 0; write a length of time such as 30m, 24h or 7d", text)
	}
	return d, nil
}

// Length formats a duration so that ParseLength can read it, without parts that are zero.
func Length(d time.Duration) string {
	if day := 24 * time.Hour; d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
