package master

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/forward"
)

// newForwarders makes a forwarder for each store of the configuration. The folder
// of its queue is named after the address, so samples that wait for one store are
// never sent to another.
func newForwarders(cfg config.Master, deps Deps) ([]*forward.Forwarder, error) {
	var forwarders []*forward.Forwarder
	for _, r := range cfg.RemoteWrite {
		sum := sha256.Sum256([]byte(r.URL))
		f, err := forward.New(forward.Options{
			URL: r.URL, Token: r.Token, Labels: r.Labels, MaxBytes: int64(r.MaxBytes),
			Dir: filepath.Join(cfg.Data, "forward", hex.EncodeToString(sum[:8])),
			Log: deps.Log, Agent: "vedette/" + deps.Version,
		})
		if err != nil {
			return nil, err
		}
		forwarders = append(forwarders, f)
	}
	return forwarders, nil
}

// observeForwarders publishes the counts of all forwarders together.
func observeForwarders(store *history.Store, forwarders []*forward.Forwarder) {
	if len(forwarders) == 0 {
		return
	}
	for _, m := range []struct {
		name, help string
		value      func(forward.Stats) float64
	}{
		{"forward_sent_samples_total", "Samples that other stores have taken.", func(s forward.Stats) float64 { return float64(s.Sent) }},
		{"forward_refused_samples_total", "Samples that other stores refused.", func(s forward.Stats) float64 { return float64(s.Refused) }},
		{
			"forward_dropped_samples_total", "Samples that were not sent to other stores because the queue was full.",
			func(s forward.Stats) float64 { return float64(s.Dropped) },
		},
		{"forward_pending_bytes", "Bytes in the queues for other stores.", func(s forward.Stats) float64 { return float64(s.Pending) }},
	} {
		store.Observe(m.name, m.help, func() float64 {
			total := 0.0
			for _, f := range forwarders {
				total += m.value(f.Stats())
			}
			return total
		})
	}
}
