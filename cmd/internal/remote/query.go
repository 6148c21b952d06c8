package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/cmd/internal/cli"
)

// mostAnswer bounds the size of an answer of the HTTP API.
const mostAnswer = 256 << 20

// Series is one series of the result of an expression.
type Series struct {
	Metric map[string]string `json:"metric"`
	Points []Point           `json:"points"`
}

// Point is a value at a time in ms since the epoch. The value may be NaN or infinite, which
// JSON encodes as "NaN", "+Inf" or "-Inf".
type Point struct {
	AtMS  int64
	Value float64
}

// MarshalJSON writes [ms, value].
func (p Point) MarshalJSON() ([]byte, error) {
	value := strconv.FormatFloat(p.Value, 'g', -1, 64)
	if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
		value = strconv.Quote(value)
	}
	return fmt.Appendf(nil, "[%d,%s]", p.AtMS, value), nil
}

// UnmarshalJSON reads a point as Prometheus writes it: seconds, and the value as text.
func (p *Point) UnmarshalJSON(text []byte) error {
	var seconds float64
	var value string
	pair := []any{&seconds, &value}
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return err
	}
	p.AtMS, p.Value = int64(math.Round(seconds*1000)), v
	return nil
}

// answer is an answer of the HTTP API.
type answer struct {
	Status   string          `json:"status"`
	Error    string          `json:"error"`
	Warnings []string        `json:"warnings"`
	Data     json.RawMessage `json:"data"`
}

// HTTPGet gets a path below /api/v1/ of the master's HTTP API, and decodes the data of the
// answer. It must be called after the settings were read.
func (c *Client) HTTPGet(ctx context.Context, path string, params url.Values, data any) (warnings []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	u, err := c.HTTPAddress("/api/v1/" + path)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u, strings.NewReader(params.Encode()))
	if err == nil && (params == nil || strings.HasPrefix(path, "label/")) { // Prometheus accepts no POST there
		req, err = http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
		if err == nil {
			req.URL.RawQuery = params.Encode()
		}
	}
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return nil, c.Explain(err)
	}
	var a answer
	switch err := json.Unmarshal(text, &a); {
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return nil, c.Refused(strings.TrimSpace(a.Error + string(text[:min(len(text), 200)])))
	case err != nil:
		return nil, c.unreachable(fmt.Sprintf("its answer is none of a master (HTTP %d)", res.StatusCode))
	case a.Status != "success":
		return nil, cli.Exit(cli.ExitAnswer, fmt.Errorf("the master answered: %s", a.Error))
	}
	return a.Warnings, json.Unmarshal(a.Data, data)
}

// Query evaluates a PromQL expression, now with "query" and over a time with "query_range".
func (c *Client) Query(ctx context.Context, kind string, params url.Values) ([]Series, []string, error) {
	var data struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	}
	warnings, err := c.HTTPGet(ctx, kind, params, &data)
	if err != nil {
		return nil, nil, err
	}
	if data.Type == "scalar" {
		all := []Series{{Metric: map[string]string{}, Points: make([]Point, 1)}}
		return all, warnings, json.Unmarshal(data.Result, &all[0].Points[0])
	}
	if data.Type == "string" {
		return nil, nil, cli.Usagef("the expression is a text, and no number")
	}
	var rows []struct {
		Metric map[string]string `json:"metric"`
		Value  *Point            `json:"value"`
		Values []Point           `json:"values"`
	}
	if err := json.Unmarshal(data.Result, &rows); err != nil {
		return nil, nil, fmt.Errorf("cannot read what the master answered: %w", err)
	}
	var all []Series
	for _, row := range rows {
		s := Series{Metric: row.Metric, Points: row.Values}
		if row.Value != nil {
			s.Points = []Point{*row.Value}
		}
		all = append(all, s)
	}
	return all, warnings, nil
}

// HTTPAddress is the URL of a path of the master's HTTP server.
func (c *Client) HTTPAddress(path string) (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return "", err
	}
	u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1)
	u.Path, u.RawQuery, u.Fragment = path, "", ""
	return u.String(), nil
}

// Do sends a request to the master's HTTP server, with the credential. The caller must
// close the body of the answer. It must be called after the settings were read.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	if value := c.Dialed.Header.Get("Authorization"); value != "" {
		req.Header.Set("Authorization", value)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = c.Dialed.TLS
	transport.DisableKeepAlives = true
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, c.Explain(err)
	}
	return res, nil
}
