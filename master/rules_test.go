package master

import (
	"testing"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
)

// Prometheus' own client reads the rules and the alerts of a master.
func TestOfficialClientReadsRules(t *testing.T) {
	m := start(t, config.Master{Alerts: config.Alerts{BuiltIn: true}})
	client, err := api.NewClient(api.Config{Address: m.URL()})
	if err != nil {
		t.Fatal(err)
	}
	prom := promv1.NewAPI(client)
	patience.Until(t, "the built-in rules", func() bool {
		rules, err := prom.Rules(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range rules.Groups {
			for _, rule := range group.Rules {
				if alerting, ok := rule.(promv1.AlertingRule); ok && alerting.Name == "host/gone" {
					return true
				}
			}
		}
		return false
	})
	if alerts, err := prom.Alerts(t.Context()); err != nil || len(alerts.Alerts) > 0 {
		t.Errorf("there are the alerts %v, %v", alerts.Alerts, err)
	}
}
