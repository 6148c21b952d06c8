// Package http asks web services for a page: it tells the status of the answer, how
// long it took, and whether it contains the right text.
//
//vedette:name http
//vedette:interval 10s
//vedette:timeout 8s
//vedette:needs net:127.0.0.1:8080
//vedette:alert down critical up < 1 for 1m "{{ $labels.url }} is down, asked by {{ $labels.host }}"
package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// The addresses to ask. Name the host and port of each in needs above too.
var urls = []string{"http://127.0.0.1:8080/health"}

// The text that the body of a good answer contains; "" is any body.
const wanted = ""

// Inspect reports up as 1 if the status is below 400 and the body is good.
func Inspect(ctx context.Context, r *inspectors.Report) error {
	var all error
	for _, url := range urls {
		up := 1.0
		if err := one(ctx, r, url); err != nil {
			up = 0
			all = errors.Join(all, fmt.Errorf("%s: %w", url, err))
		}
		r.Gauge("up", up, "url", url)
	}
	return all
}

func one(ctx context.Context, r *inspectors.Report, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 3 * time.Second}
	begun := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	r.Gauge("answer_seconds", time.Since(begun).Seconds(), "url", url)
	r.Gauge("status", float64(response.StatusCode), "url", url)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= 400:
		return fmt.Errorf("the status is %s", response.Status)
	case !strings.Contains(string(body), wanted):
		return fmt.Errorf("the answer has no %q", wanted)
	}
	return nil
}
