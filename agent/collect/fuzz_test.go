package collect

import (
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/vedettehq/vedette/inspectors"
)

// Whatever an exporter answers, the samples are good ones, they are no more than
// Prometheus' own parser finds, and reading the answer again gives the same.
func FuzzBook(f *testing.F) {
	f.Add([]byte("# TYPE a counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} NaN\n"), false)
	f.Add([]byte("# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 1 2\na_sum 3\n"), false)
	f.Add([]byte("# TYPE a counter\n# UNIT a_seconds seconds\na_seconds_total 1 # {x=\"y\"} 1\n# EOF\n"), true)
	f.Add([]byte("{\"näme\",host=\"h\",key=\"k\",__x__=\"1\"} 1\n"), false)
	f.Add([]byte("a{job=\"j\",exported_job=\"e\"} 1e308\na{exported_job=\"e\",job=\"j\"} 2\n"), false)
	f.Fuzz(func(t *testing.T, body []byte, open bool) {
		contentType := "text/plain; version=0.0.4"
		if open {
			contentType = "application/openmetrics-text; version=1.0.0"
		}
		to := &target{labels: map[string]string{"job": "j", "instance": "i:80"}}
		now := run{at: time.UnixMilli(1), budget: inspectors.Budget{Series: 1000}}
		samples, scraped, err := to.book.read(body, contentType, to, now)
		finite, all, parsed := countSeries(body, contentType)
		if wholly := err == nil || errors.Is(err, inspectors.ErrSamples); wholly != (parsed && all <= 1000) {
			t.Fatalf("the error is %v; the parser reads %d, wholly: %v", err, all, parsed)
		}
		if len(samples) > finite || err == nil && (len(samples) != finite || scraped != all) {
			t.Fatalf("%d samples of %d finite ones, %d of %d scraped, %v", len(samples), finite, scraped, all, err)
		}
		seen := make(map[string]bool)
		for _, s := range samples {
			if faults := errors.Join(inspectors.ValidateKey(s.Key), s.Labels.Validate()); faults != nil || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
				t.Fatalf("%+v: %v", s, faults)
			}
			if id := s.Key + s.Labels.String(); seen[id] {
				t.Fatalf("%s is there twice", id)
			} else {
				seen[id] = true
			}
		}
		again, _, _ := to.book.read(body, contentType, to, now)
		if len(again) != len(samples) {
			t.Fatalf("%d samples, and then %d", len(samples), len(again))
		}
	})
}

// countSeries counts with the parser alone.
func countSeries(body []byte, contentType string) (finite, all int, wholly bool) {
	parser, _ := textparse.New(body, contentType, labels.NewSymbolTable(), textparse.ParserOptions{OpenMetricsSkipSTSeries: true})
	for {
		entry, err := parser.Next()
		if err != nil {
			return finite, all, errors.Is(err, io.EOF)
		}
		if entry == textparse.EntrySeries {
			all++
			if _, _, v := parser.Series(); !math.IsNaN(v) && !math.IsInf(v, 0) {
				finite++
			}
		}
	}
}
