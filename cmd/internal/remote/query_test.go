package remote

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/internal/patience"
)

func TestHTTPAddress(t *testing.T) {
	for master, want := range map[string]string{
		"http://m:1":      "http://m:1/artefacts/ab",
		"wss://m:1/rpc?x": "https://m:1/artefacts/ab",
	} {
		if got, err := (&Client{URL: master}).HTTPAddress("/artefacts/ab"); err != nil || got != want {
			t.Errorf("%s: got %s, %v", master, got, err)
		}
	}
}

// Every kind of answer of the API is decoded.
func TestQuery(t *testing.T) {
	var asked url.Values
	status, body := http.StatusOK, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked = r.Form
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	c := &Client{URL: server.URL, Timeout: patience.Limit}
	for _, tt := range []struct {
		status     int
		body, want string
		exit       int
	}{
		{200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"host":"a"},"value":[1.5,"2"]}]}}`, `[{"metric":{"host":"a"},"points":[[1500,2]]}]`, 0},
		{200, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"NaN"],[2,"+Inf"]]}]}}`, `[{"metric":{},"points":[[1000,"NaN"],[2000,"+Inf"]]}]`, 0},
		{200, `{"status":"success","data":{"resultType":"scalar","result":[3,"-1e3"]}}`, `[{"metric":{},"points":[[3000,-1000]]}]`, 0},
		{200, `{"status":"success","data":{"resultType":"string","result":[3,"x"]}}`, `the expression is a text`, cli.ExitUsage},
		{400, `{"status":"error","errorType":"bad_data","error":"1:3: parse error"}`, `the master answered: 1:3: parse error`, cli.ExitAnswer},
		{401, `{"status":"error","error":"no token"}`, `refuses`, cli.ExitRefused},
		{502, `<html>`, `its answer is none of a master (HTTP 502)`, cli.ExitUnreachable},
	} {
		status, body = tt.status, tt.body
		all, _, err := c.Query(t.Context(), "query", url.Values{"query": {"up & + x"}})
		if cli.Status(err) != tt.exit || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v with status %d, want %s", tt.body, err, cli.Status(err), tt.want)
		}
		if text, e := json.Marshal(all); err == nil && (e != nil || string(text) != tt.want) {
			t.Errorf("%s: got %s, %v", tt.body, text, e)
		}
		if asked.Get("query") != "up & + x" {
			t.Errorf("the master was asked %q", asked)
		}
	}
}

func TestPointOfAnything(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 1000 {
		v := math.Float64frombits(r.Uint64())
		if text, err := json.Marshal(Point{r.Int64(), v}); err != nil || !json.Valid(text) {
			t.Fatalf("seed %d: %v is written as %s, %v", seed, v, text, err)
		}
	}
}
