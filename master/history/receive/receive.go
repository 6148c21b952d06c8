// Package receive takes samples by Prometheus remote write 1.0
// (https://prometheus.io/docs/specs/prw/remote_write_spec/), so that samples from a
// Prometheus or a similar agent appear on the same charts. It also takes InfluxDB's line
// protocol, which Telegraf and many others write, and OTLP, which programs with
// OpenTelemetry send.
//
// Of remote write, float samples are taken. Exemplars and metadata are ignored. Native
// histograms are refused, and the answer says so.
package receive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/prompb"
)

// Limits of a request, in bytes, as sent and unpacked.
const (
	MaxPackedBytes   = 16 << 20
	MaxUnpackedBytes = 64 << 20
)

// messageType is the one that is understood, in the Content-Type.
const messageType = "prometheus.WriteRequest"

// Label is a name and a value.
type Label struct{ Name, Value string }

// Point is a value at a time.
type Point struct {
	T int64 // ms since the epoch, UTC
	V float64
}

// Series is one series of a request.
type Series struct {
	Name   string  // of the metric, or ""
	Labels []Label // the others, unchanged
	Points []Point
	Line   int // of the request, from 1; 0 if it has no lines
}

// Result is the outcome of a request.
type Result struct {
	Refused int   // samples that were refused for good
	Reason  error // of the first of them
	// By counts the refused samples by reason; nil if there are none.
	By map[string]int

	line int // of the request, which Reason is about; 0 if that is not known
}

// Refuse counts refused samples.
func (r *Result) Refuse(n int, reason string, err error) {
	if n == 0 {
		return
	}
	if r.Refused == 0 {
		r.Reason, r.By = err, make(map[string]int)
	}
	r.Refused += n
	r.By[reason] += n
}

// RefuseLine counts refused samples of a line of the request. The reason of the first
// line is kept, in whatever order lines are refused. A line of 0 is not known.
func (r *Result) RefuseLine(line, n int, reason string, err error) {
	if n > 0 && line > 0 {
		err = fmt.Errorf("line %d: %w", line, err)
	}
	r.refuse(line, n, reason, err)
}

func (r *Result) refuse(line, n int, reason string, err error) {
	if n == 0 {
		return
	}
	r.Refuse(n, reason, err)
	if line > 0 && (r.line == 0 || line < r.line) {
		r.Reason, r.line = err, line
	}
}

// add counts what another part of the work on a request has refused.
func (r *Result) add(other Result) {
	for reason, n := range other.By {
		r.refuse(other.line, n, reason, other.Reason)
	}
}

// says tells a sender what was refused of what it has sent.
func (r *Result) says(what string) string {
	return fmt.Sprintf("refused %s: %d (%s), the others were taken; the first: %v", what, r.Refused, r.reasons(), r.Reason)
}

// reasons lists the reasons, those for most samples first.
func (r *Result) reasons() string {
	names := slices.SortedFunc(maps.Keys(r.By), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.By[b], r.By[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, r.By[name])
	}
	return strings.Join(names, ", ")
}

// Busy is implemented by an error that says: try again later.
type Busy interface {
	error
	// RetrySeconds is how long to wait.
	RetrySeconds() int
}

// Handler serves remote write.
type Handler struct {
	// Take stores the series of a request and returns when they are stored. If an error is
	// a Busy, the sender should try again; any other error is the sender's fault.
	Take func(series []Series) (Result, error)
	// Count, or nil, is told how many samples were refused for which reason.
	Count func(reason string, n int)
	// Memory is what all requests share; handlers of one master have the same.
	Memory *Memory
	Log    *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status, err := checkHeader(r); err != nil {
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		http.Error(w, err.Error(), status)
		return
	}
	body, err := h.Memory.read(w, r, "snappy")
	if err != nil {
		h.unread(w, err)
		return
	}
	defer body.done()
	series, histograms, err := parse(body.text)
	if err != nil {
		h.unread(w, err)
		return
	}
	h.store(w, r, series, func(result *Result) {
		result.Refuse(histograms, "histogram", errors.New("native histograms are not kept; send classic ones"))
	})
}

// unread answers a request that could not be read.
func (h *Handler) unread(w http.ResponseWriter, err error) {
	var busy Busy
	if errors.As(err, &busy) {
		w.Header().Set("Retry-After", strconv.Itoa(busy.RetrySeconds()))
	}
	http.Error(w, "cannot read the request: "+err.Error(), statusOf(err))
}

// store takes series, and answers. It adds the count of the unreadable ones.
func (h *Handler) store(w http.ResponseWriter, r *http.Request, series []Series, refuse func(*Result)) {
	result, err := h.Take(series)
	var busy Busy
	switch {
	case errors.As(err, &busy):
		w.Header().Set("Retry-After", strconv.Itoa(max(1, busy.RetrySeconds())))
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	case errors.Is(err, context.Canceled):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	refuse(&result)
	h.countRefused(r, &result)
	if result.Refused > 0 {
		http.Error(w, result.says("samples"), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// countRefused counts the samples that were refused.
func (h *Handler) countRefused(r *http.Request, result *Result) {
	if h.Count != nil {
		for reason, n := range result.By {
			h.Count(reason, n)
		}
	}
	if result.Refused > 0 {
		h.Log.Debug("samples refused", "remote", r.RemoteAddr, "count", result.Refused, "by", result.reasons(), "first", result.Reason)
	}
}

// checkHeader returns why a kind of request is not understood.
func checkHeader(r *http.Request) (status int, err error) {
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, errors.New("remote write is a POST")
	}
	if text := r.Header.Get("Content-Type"); text != "" {
		media, params, err := mime.ParseMediaType(text)
		if err != nil || media != "application/x-protobuf" || params["proto"] != "" && params["proto"] != messageType {
			return http.StatusUnsupportedMediaType, fmt.Errorf("the content type %q is not taken; send application/x-protobuf;proto=%s, which is remote write 1.0",
				text, messageType)
		}
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "snappy" {
		return http.StatusUnsupportedMediaType, fmt.Errorf("the content encoding %q is not taken; send snappy", coding)
	}
	return 0, nil
}

var errTooLarge = fmt.Errorf("it is larger than %d bytes", MaxUnpackedBytes)

// parse reads a request. It counts the native histograms.
func parse(raw []byte) (series []Series, histograms int, err error) {
	if err := checkParts(raw, remoteRequest, remoteField); err != nil {
		return nil, 0, err
	}
	var request prompb.WriteRequest
	if err := request.Unmarshal(raw); err != nil {
		return nil, 0, err
	}
	for i := range request.Timeseries {
		from := &request.Timeseries[i]
		histograms += len(from.Histograms)
		if len(from.Samples) > 0 {
			series = append(series, convert(from))
		}
	}
	return series, histograms, nil
}

func convert(from *prompb.TimeSeries) Series {
	to := Series{Labels: make([]Label, 0, len(from.Labels)), Points: make([]Point, len(from.Samples))}
	for _, l := range from.Labels {
		if l.Name == "__name__" {
			to.Name = l.Value
		} else {
			to.Labels = append(to.Labels, Label{l.Name, l.Value})
		}
	}
	for i, s := range from.Samples {
		to.Points[i] = Point{s.Timestamp, s.Value}
	}
	return to
}

// IsFinite reports whether a value can be drawn. Prometheus sends a NaN when a series
// ends.
func IsFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
