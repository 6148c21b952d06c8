package alert

import (
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"sync"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/notifier"
)

// queueAlerts is how many alerts wait for an Alertmanager; the oldest are dropped first.
const (
	queueAlerts = 10_000
	// endsFor is how long Alertmanagers are told again that an alert has ended, because
	// one may have been away.
	endsFor = 15 * time.Minute
)

// sender sends alerts to Alertmanagers, each from its own queue: one that hangs delays
// no other.
type sender struct {
	manager *notifier.Manager
	targets map[string][]*targetgroup.Group

	mu    sync.Mutex
	ended map[model.Fingerprint]*ending // guarded by mu
}

// ending is an alert that has ended.
type ending struct {
	*amalert.Alert
	sent time.Time
}

// newSender makes a sender. Nothing has to be stopped before run.
func newSender(log *slog.Logger, addresses []string) (*sender, error) {
	s := &sender{targets: make(map[string][]*targetgroup.Group), ended: make(map[model.Fingerprint]*ending)}
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
		// The key has the form that config.AlertmanagerConfigs.ToMap gives.
		s.targets["config-"+strconv.Itoa(i)] = []*targetgroup.Group{{Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(u.Host)}}}}
	}
	if err := s.manager.ApplyConfig(&cfg); err != nil {
		return nil, fmt.Errorf("cannot use the Alertmanagers: %w", err)
	}
	return s, nil
}

// put sends alerts as they are now.
func (s *sender) put(list []*amalert.Alert) {
	if len(s.targets) == 0 {
		return
	}
	s.mu.Lock()
	for _, a := range list {
		if a.Timeout {
			delete(s.ended, a.Fingerprint())
		} else {
			s.ended[a.Fingerprint()] = &ending{a, time.Now()}
		}
	}
	s.mu.Unlock()
	s.send(list)
}

// repeat sends again the alerts that ended recently.
func (s *sender) repeat(now time.Time) {
	var list []*amalert.Alert
	s.mu.Lock()
	for fp, one := range s.ended {
		switch {
		case now.Sub(one.EndsAt) > endsFor:
			delete(s.ended, fp)
		case now.Sub(one.sent) >= resendDelay:
			one.sent = now
			list = append(list, one.Alert)
		}
	}
	s.mu.Unlock()
	s.send(list)
}

func (s *sender) send(list []*amalert.Alert) {
	if len(list) == 0 {
		return
	}
	sent := make([]*notifier.Alert, len(list))
	for i, a := range list {
		sent[i] = &notifier.Alert{
			Labels: promLabels(a.Labels), Annotations: promLabels(a.Annotations), StartsAt: a.StartsAt, EndsAt: a.EndsAt, GeneratorURL: a.GeneratorURL,
		}
	}
	s.manager.Send(sent...)
}

func promLabels(set model.LabelSet) labels.Labels {
	m := make(map[string]string, len(set))
	for name, value := range set {
		m[string(name)] = string(value)
	}
	return labels.FromMap(m)
}

// run sends until the function that it returns is called, which waits until all goroutines
// have ended.
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
