package receive

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protowire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type busy struct{}

func (busy) Error() string     { return "not now" }
func (busy) RetrySeconds() int { return 7 }

func pack(t testing.TB, request *prompb.WriteRequest) []byte {
	t.Helper()
	raw, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return snappy.Encode(nil, raw)
}

func oneSeries() *prompb.WriteRequest {
	return &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels:  []prompb.Label{{Name: "__name__", Value: "up"}, {Name: "job", Value: "node"}},
		Samples: []prompb.Sample{{Timestamp: 5, Value: 1}, {Timestamp: 6, Value: 0}},
	}}}
}

func TestHandler(t *testing.T) {
	good := pack(t, oneSeries())
	withHistogram := oneSeries()
	withHistogram.Timeseries = append(withHistogram.Timeseries, prompb.TimeSeries{Histograms: []prompb.Histogram{{}}})
	bomb := snappy.Encode(nil, make([]byte, MaxUnpackedBytes+1))
	for _, c := range []struct {
		name   string
		body   []byte
		header string // of the content, as type|encoding
		result Result
		err    error
		status int
		want   string
	}{
		{"good", good, "application/x-protobuf|snappy", Result{}, nil, http.StatusNoContent, ""},
		{"good, its type named", good, "application/x-protobuf;proto=prometheus.WriteRequest|snappy", Result{}, nil, http.StatusNoContent, ""},
		{"without headers", good, "|", Result{}, nil, http.StatusNoContent, ""},
		{
			"some refused", good, "|",
			Result{Refused: 1, Reason: errors.New("too old"), By: map[string]int{"late": 1}},
			nil, http.StatusBadRequest,
			"refused samples: 1 (late 1), the others were taken; the first: too old",
		},
		{"busy", good, "|", Result{}, busy{}, http.StatusServiceUnavailable, "not now"},
		{"an error", good, "|", Result{}, errors.New("no"), http.StatusBadRequest, "no"},
		{"histogram", pack(t, withHistogram), "|", Result{}, nil, http.StatusBadRequest, "native histograms are not kept"},
		{"version 2", good, "application/x-protobuf;proto=io.prometheus.write.v2.Request|snappy", Result{}, nil, http.StatusUnsupportedMediaType, "remote write 1.0"},
		{"JSON", good, "application/json|", Result{}, nil, http.StatusUnsupportedMediaType, `"application/json" is not taken`},
		{"gzip", good, "application/x-protobuf|gzip", Result{}, nil, http.StatusUnsupportedMediaType, "send snappy"},
		{"not packed", []byte("hello"), "|", Result{}, nil, http.StatusBadRequest, "cannot read the request"},
		{"not protobuf", snappy.Encode(nil, []byte("hello")), "|", Result{}, nil, http.StatusBadRequest, "cannot read the request"},
		{"too much when unpacked", bomb, "|", Result{}, nil, http.StatusRequestEntityTooLarge, "larger than"},
		{"too much", make([]byte, MaxPackedBytes+1), "|", Result{}, nil, http.StatusRequestEntityTooLarge, "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []Series
			h := Handler{Log: slog.New(slog.DiscardHandler), Memory: NewMemory(), Take: func(series []Series) (Result, error) {
				got = series
				return c.result, c.err
			}}
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(c.body))
			contentType, encoding, _ := strings.Cut(c.header, "|")
			r.Header.Set("Content-Type", contentType)
			r.Header.Set("Content-Encoding", encoding)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, c.status, c.want)
			}
			if c.status == http.StatusNoContent {
				if text := fmt.Sprint(got); text != "[{up [{job node}] [{5 1} {6 0}] 0}]" {
					t.Errorf("took %s", text)
				}
			}
			if retry := w.Header().Get("Retry-After"); (c.err == busy{}) != (retry == "7") {
				t.Errorf("Retry-After is %q", retry)
			}
		})
	}
	w := httptest.NewRecorder()
	(&Handler{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a GET gave %d", w.Code)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(pack(f, oneSeries()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 1<<16 {
			return
		}
		if size, err := snappy.DecodedLen(body); err != nil || size > MaxUnpackedBytes {
			return
		}
		raw, err := snappy.Decode(nil, body)
		if err != nil {
			return
		}
		parts := 0 // it ends, whatever it reads
		_ = countParts(raw, remoteRequest, remoteField, &parts, protowire.DefaultRecursionLimit)
		var request prompb.WriteRequest
		if err := request.Unmarshal(raw); err == nil && len(request.Timeseries) > parts {
			t.Errorf("%d parts were counted, and there are %d series", parts, len(request.Timeseries))
		}
		series, _, err := parse(raw)
		if err != nil && series != nil {
			t.Errorf("an error and %d series", len(series))
		}
	})
}
