package receive

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// MaxInfluxLines bounds the lines of one request.
const MaxInfluxLines = 200_000

var errLines = fmt.Errorf("it has more than %d lines; send smaller batches", MaxInfluxLines)

// ServeInflux takes samples in InfluxDB's line protocol, plain or compressed with gzip. It
// serves /write of InfluxDB's version 1 and /api/v2/write of version 2. The database,
// organisation or bucket that a request names does not matter. Unreadable lines are
// refused, and the others taken.
func (h *Handler) ServeInflux(w http.ResponseWriter, r *http.Request) {
	unit, err := influxPrecision(r.URL.Query().Get("precision"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := h.Memory.read(w, r, r.Header.Get("Content-Encoding"))
	if err != nil {
		h.unread(w, err)
		return
	}
	defer body.done()
	if err := checkInflux(body.text); err != nil {
		h.unread(w, err)
		return
	}
	var bad Result
	series := ParseInflux(body.text, unit, time.Now(), &bad)
	h.store(w, r, series, func(result *Result) { result.add(bad) })
}

// checkInflux bounds the lines of a request, and their tags and fields.
func checkInflux(text []byte) error {
	if bytes.Count(text, []byte("\n")) > MaxInfluxLines {
		return errLines
	}
	if bytes.Count(text, []byte("=")) > MaxParts {
		return errParts
	}
	return nil
}

// influxPrecision returns the unit of the times of a request.
func influxPrecision(name string) (time.Duration, error) {
	switch name {
	case "", "ns", "n":
		return time.Nanosecond, nil
	case "us", "u", "µ":
		return time.Microsecond, nil
	case "ms":
		return time.Millisecond, nil
	case "s":
		return time.Second, nil
	case "m":
		return time.Minute, nil
	case "h":
		return time.Hour, nil
	}
	return 0, fmt.Errorf("the precision %q is not known; use ns, us, ms, s, m or h", name)
}
