package route

import (
	"cmp"
	_ "embed" // the templates
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"

	"github.com/vedettehq/vedette/config"
)

const (
	// nobody is the receiver of alerts that no route matches.
	nobody = "nobody"
	// groupWait is how long the first message of a group waits for others, groupInterval
	// how long the next one does, and repeatInterval the time after which people are told
	// again of an alert that still fires.
	groupWait, groupInterval, repeatInterval = "15s", "2m", "12h"
	// webhookAlerts bounds the alerts in one message of a webhook.
	webhookAlerts = 200

	subjectTemplate = `{{ template "vedette.subject" . }}`
	textTemplate    = `{{ template "vedette.text" . }}`
	shortTemplate   = `{{ template "vedette.short" . }}`
)

//go:embed vedette.tmpl
var templates string

// readNames makes Alertmanager's parser accept names with "/", which alerts have.
var readNames = sync.OnceFunc(func() {
	compat.InitFromFlags(slog.New(slog.DiscardHandler), featurecontrol.NoopFlags{})
})

// Config says who is told of what.
type Config struct {
	alertmanager *amconfig.Config
	topics       map[string][]*ntfy // by receiver
	simple       bool               // so that the receiver nobody is ours
}

// Read reads the part of a master's configuration that says who is told: a file of
// Alertmanager's, or the simple form, or nothing, which tells nobody.
func Read(c config.Alerts) (*Config, error) {
	readNames()
	if c.AlertmanagerConfig != "" {
		read, err := amconfig.LoadFile(c.AlertmanagerConfig)
		if err != nil {
			return nil, fmt.Errorf("cannot use the configuration of Alertmanager %q: %w", c.AlertmanagerConfig, err)
		}
		return &Config{alertmanager: read}, nil
	}
	return simple(c)
}

// object is a part of Alertmanager's configuration.
type object map[string]any

// simple translates the simple form. Alerts of one name are told together, so an outage is
// one message and not one for each host. While a host is gone, its other alerts are not
// told.
func simple(c config.Alerts) (*Config, error) {
	topics := make(map[string][]*ntfy)
	routes, receivers := []object{}, []object{{"name": nobody}}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(c.Notify)) {
		to := c.Notify[name]
		way := object{"receiver": name, "continue": true}
		if to.Only != "" {
			way["matchers"] = []string{fmt.Sprintf("severity=%q", to.Only)}
		}
		routes = append(routes, way)
		receivers = append(receivers, receiver(name, to, c.SMTP))
		if to.Ntfy != "" {
			topic, err := newNtfy(to.Ntfy, to.TokenFile)
			if err != nil {
				faults = append(faults, fmt.Errorf("cannot use master.alerts.notify.%s.ntfy: %w", name, err))
			}
			topics[name] = []*ntfy{topic}
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	text, err := json.Marshal(object{ // which is YAML, too
		"route": object{
			"receiver": nobody, "group_by": []string{"alertname"},
			"group_wait": groupWait, "group_interval": groupInterval, "repeat_interval": repeatInterval, "routes": routes,
		},
		"inhibit_rules": []object{{
			"source_matchers": []string{`alertname="host/gone"`}, "target_matchers": []string{`alertname!="host/gone"`}, "equal": []string{"host"},
		}},
		"receivers": receivers,
	})
	if err != nil {
		return nil, err
	}
	read, err := amconfig.Load(string(text))
	if err != nil {
		return nil, fmt.Errorf("cannot use master.alerts.notify: %w", err)
	}
	return &Config{alertmanager: read, topics: topics, simple: true}, nil
}

// receiver translates one entry of the simple form, without ntfy.
func receiver(name string, to config.Notify, smtp config.SMTP) object {
	r := object{"name": name}
	if to.Email != "" {
		mail := object{
			"to": to.Email, "from": from(smtp), "smarthost": smtp.Server, "require_tls": smtp.TLS, "send_resolved": true,
			"html": "", "text": textTemplate, "headers": object{"Subject": subjectTemplate},
		}
		if smtp.User != "" {
			mail["auth_username"], mail["auth_password_file"] = smtp.User, smtp.PasswordFile
		}
		r["email_configs"] = []object{mail}
	}
	if to.Webhook != "" {
		hook := object{"url": to.Webhook, "max_alerts": webhookAlerts, "send_resolved": true}
		if to.TokenFile != "" {
			hook["http_config"] = object{"authorization": object{"credentials_file": to.TokenFile}}
		}
		r["webhook_configs"] = []object{hook}
	}
	return r
}

func from(smtp config.SMTP) string {
	machine, err := os.Hostname()
	if err != nil {
		machine = "localhost"
	}
	return cmp.Or(smtp.From, "vedette@"+machine)
}
