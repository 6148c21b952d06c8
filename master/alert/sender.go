package alert

import (
	"fmt"
	"log/slog"
	"net/url"
	"strconv"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/notifier"
)

// queueAlerts is how many alerts wait for an Alertmanager; the oldest go first.
const queueAlerts = 10_000

// sender sends alerts to Alertmanagers, each from a queue of its own: one that
// hangs delays no other.
type sender struct {
	manager *notifier.Manager
	targets map[string][]*targetgroup.Group
}

// newSender makes a sender; it starts nothing that has to be stopped before run.
func newSender(log *slog.Logger, addresses []string) (*sender, error) {
	s := &sender{targets: make(map[string][]*targetgroup.Group)}
	s.manager = notifier.NewManager(&notifier.Options{QueueCapacity: queueAlerts}, model.UTF8Validation, log.With("component", "alertmanager"))
	var cfg config.Config
	for i, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("cannot use the Alertmanager %q: write its address as http://alertmanager:9093", address)
		}
		one := config.DefaultAlertmanagerConfig
		one.Scheme, one.PathPrefix = u.Scheme, u.Path
		cfg.AlertingConfig.AlertmanagerConfigs = append(cfg.AlertingConfig.AlertmanagerConfigs, &one)
		// The key is the one that config.AlertmanagerConfigs.ToMap gives.
		s.targets["config-"+strconv.Itoa(i)] = []*targetgroup.Group{{Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(u.Host)}}}}
	}
	if err := s.manager.ApplyConfig(&cfg); err != nil {
		return nil, fmt.Errorf("cannot use the Alertmanagers: %w", err)
	}
	return s, nil
}

// Send implements rules.Sender.
func (s *sender) Send(alerts ...*notifier.Alert) { s.manager.Send(alerts...) }

// run sends until the function that it returns is called, which waits for the end.
func (s *sender) run() (stop func()) {
	targets := make(chan map[string][]*targetgroup.Group, 1)
	targets <- s.targets
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.manager.Run(targets)
	}()
	return func() {
		s.manager.Stop()
		<-done
	}
}
