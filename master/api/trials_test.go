package api

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Random reports of many hosts, read at random times or not at all: the first run of
// each host and each end come, in order, with every value or with the number of those
// that are left out; and what waits stays within its bounds.
func TestFirstRunsAndEndsAreNeverLost(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		trial := &trial{bell: make(chan struct{}, 1), running: map[string]*rpc.Peer{}, ran: map[string]bool{}}
		peer := &rpc.Peer{}
		hosts := 1 + r.IntN(maxTrialHosts)
		for i := range hosts {
			trial.running[fmt.Sprint("h", i)] = peer
		}
		values := map[string]int{} // of the first run, by host
		runs, ends := map[string]int{}, map[string]int{}
		read := func() {
			for _, e := range must(trial.take()) {
				if e.Run != nil {
					if runs[e.Host]++; runs[e.Host] == 1 && len(e.Run.Samples)+e.Run.More != values[e.Host] {
						t.Errorf("seed %d: the first run of %s has %d values and %d left out, want %d together", seed, e.Host, len(e.Run.Samples), e.Run.More, values[e.Host])
					}
				}
				if e.Ended {
					ends[e.Host]++
				}
			}
		}
		perRun, slow := 1+r.IntN(400), r.IntN(3) == 0
		for range 3 {
			for i := range hosts {
				host := fmt.Sprint("h", i)
				report := wire.TrialReport{State: wire.ReceiptVerified, Lines: []string{strings.Repeat("x", r.IntN(2000))}}
				if r.IntN(3) > 0 {
					report = wire.TrialReport{Run: &wire.TrialRun{Samples: make([]wire.Metric, r.IntN(perRun))}}
					if _, ran := values[host]; !ran {
						values[host] = len(report.Run.Samples)
					}
				}
				trial.add(host, peer, report)
				if !slow && r.IntN(100) == 0 {
					read()
				}
			}
		}
		if most := maxTrialBytes + hosts*512; trial.bytes > most {
			t.Errorf("seed %d: %d bytes wait, want at most %d", seed, trial.bytes, most)
		}
		for i := range hosts {
			trial.add(fmt.Sprint("h", i), peer, wire.TrialReport{Ended: true})
		}
		read()
		if len(ends) != hosts || len(runs) != len(values) {
			t.Errorf("seed %d: of %d hosts %d ends came, and %d of %d first runs", seed, hosts, len(ends), len(runs), len(values))
		}
	}
}

func must(events []wire.TrialEvent, _ bool) []wire.TrialEvent { return events }
