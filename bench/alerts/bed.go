package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// The programs that are compared, and the states of alerts.
const (
	vedette    = "Vedette"
	prometheus = "Prometheus and Alertmanager"
	firing     = "firing"
	resolved   = "resolved"
	high, low  = 97.0, 10.0
)

func systems() []string { return []string{vedette, prometheus} }

// bed is an exporter of values that change, and the webhooks of both systems.
type bed struct {
	server *httptest.Server

	mu     sync.Mutex
	values map[string]float64         // guarded by mu
	told   map[string]time.Time       // guarded by mu: when a webhook was told last, by system, id and state
	took   map[string][]time.Duration // guarded by mu: by system and state
	bell   chan struct{}              // guarded by mu: closed when told changes
}

func newBed(o options) *bed {
	b := &bed{values: make(map[string]float64), told: make(map[string]time.Time), took: make(map[string][]time.Duration), bell: make(chan struct{})}
	for i := range o.series + 1 {
		b.values[fmt.Sprint(i)] = low
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", b.serveValues)
	for i, who := range systems() {
		mux.HandleFunc(fmt.Sprint("/hook/", i), func(_ http.ResponseWriter, r *http.Request) { b.hook(who, r) })
	}
	b.server = httptest.NewServer(mux)
	return b
}

func (b *bed) serveValues(w http.ResponseWriter, _ *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintln(w, "# TYPE bench_level gauge")
	for id, v := range b.values {
		fmt.Fprintf(w, "bench_level{id=%q} %g\n", id, v)
	}
}

// hook takes a message.
func (b *bed) hook(who string, r *http.Request) {
	now := time.Now()
	var message struct {
		Alerts []struct {
			Status string
			Labels map[string]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range message.Alerts {
		b.told[strings.Join([]string{who, one.Labels["id"], one.Status}, " ")] = now
	}
	close(b.bell)
	b.bell = make(chan struct{})
}

// set changes a value, and returns when.
func (b *bed) set(id string, v float64) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.values[id] = v
	for _, who := range systems() {
		for _, state := range []string{firing, resolved} {
			delete(b.told, strings.Join([]string{who, id, state}, " "))
		}
	}
	return time.Now()
}

// await waits until both webhooks were told of a state, and notes how long that took
// since a time, unless that is nil.
func (b *bed) await(id, state string, since *time.Time) error {
	deadline := time.After(patience)
	left := systems()
	for {
		b.mu.Lock()
		var still []string
		for _, who := range left {
			at, told := b.told[strings.Join([]string{who, id, state}, " ")]
			switch {
			case !told:
				still = append(still, who)
			case since != nil:
				b.took[who+" "+state] = append(b.took[who+" "+state], at.Sub(*since))
			}
		}
		bell := b.bell
		b.mu.Unlock()
		if left = still; len(left) == 0 {
			return nil
		}
		select {
		case <-bell:
		case <-deadline:
			return fmt.Errorf("after %s the webhook of %s has not been told that the value %s is %s", patience, strings.Join(left, " and of "), id, state)
		}
	}
}
