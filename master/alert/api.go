package alert

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/vedettehq/vedette/master/scope"
)

// The forms of Prometheus' HTTP API.
type (
	groupAnswer struct {
		Name           string    `json:"name"`
		File           string    `json:"file"`
		Rules          []any     `json:"rules"`
		Interval       float64   `json:"interval"`
		Limit          int       `json:"limit"`
		EvaluationTime float64   `json:"evaluationTime"`
		LastEvaluation time.Time `json:"lastEvaluation"`
	}
	ruleAnswer struct {
		Name           string        `json:"name"`
		Query          string        `json:"query"`
		Labels         labels.Labels `json:"labels"`
		Health         string        `json:"health"`
		LastError      string        `json:"lastError,omitempty"`
		EvaluationTime float64       `json:"evaluationTime"`
		LastEvaluation time.Time     `json:"lastEvaluation"`
		Type           string        `json:"type"`
	}
	alertingAnswer struct {
		ruleAnswer
		State         string        `json:"state"`
		Duration      float64       `json:"duration"`
		KeepFiringFor float64       `json:"keepFiringFor"`
		Annotations   labels.Labels `json:"annotations"`
		Alerts        []alertAnswer `json:"alerts"`
	}
	alertAnswer struct {
		Labels          labels.Labels `json:"labels"`
		Annotations     labels.Labels `json:"annotations"`
		State           string        `json:"state"`
		ActiveAt        *time.Time    `json:"activeAt,omitempty"`
		KeepFiringSince *time.Time    `json:"keepFiringSince,omitempty"`
		Value           string        `json:"value"`
	}
)

// ServeRules answers /api/v1/rules, with the parameters type, rule_name[],
// rule_group[], file[] and exclude_alerts.
func (a *Alerts) ServeRules(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	kind := q.Get("type")
	if kind != "" && kind != "alert" && kind != "record" {
		answer(w, http.StatusBadRequest, map[string]string{"status": "error", "errorType": "bad_data", "error": "invalid parameter \"type\": it is alert or record"})
		return
	}
	withAlerts := q.Get("exclude_alerts") != "true"
	wanted := func(name, value string) bool { return len(q[name]) == 0 || slices.Contains(q[name], value) }
	groups, caller := []groupAnswer{}, scope.From(r.Context())
	for _, g := range a.ruleGroups() {
		if !wanted("rule_group[]", g.Name()) || !wanted("file[]", g.File()) {
			continue
		}
		one := groupAnswer{
			Name: g.Name(), File: g.File(), Rules: []any{}, Interval: g.Interval().Seconds(), Limit: g.Limit(),
			EvaluationTime: g.GetEvaluationTime().Seconds(), LastEvaluation: g.GetLastEvaluation(),
		}
		for _, rule := range rulesFor(caller, g) {
			alerting, isAlerting := rule.(*rules.AlertingRule)
			if !wanted("rule_name[]", rule.Name()) || kind == "alert" && !isAlerting || kind == "record" && isAlerting {
				continue
			}
			if isAlerting {
				one.Rules = append(one.Rules, alertingOf(caller, alerting, withAlerts))
			} else {
				one.Rules = append(one.Rules, ruleOf(rule, "recording"))
			}
		}
		if len(one.Rules) > 0 || len(q) == 0 {
			groups = append(groups, one)
		}
	}
	answer(w, http.StatusOK, map[string]any{"status": "success", "data": map[string]any{"groups": groups}})
}

// ServeAlerts answers /api/v1/alerts.
func (a *Alerts) ServeAlerts(w http.ResponseWriter, r *http.Request) {
	alerts := []alertAnswer{}
	for _, g := range a.ruleGroups() {
		for _, rule := range g.AlertingRules() {
			alerts = append(alerts, alertsOf(scope.From(r.Context()), rule)...)
		}
	}
	answer(w, http.StatusOK, map[string]any{"status": "success", "data": map[string]any{"alerts": alerts}})
}

// ruleGroups are the groups that are evaluated; none before the history is open.
func (a *Alerts) ruleGroups() []*rules.Group {
	select {
	case <-a.started:
		return a.manager.RuleGroups()
	default:
		return nil
	}
}

func ruleOf(rule rules.Rule, kind string) ruleAnswer {
	one := ruleAnswer{
		Name: rule.Name(), Query: rule.Query().String(), Labels: rule.Labels(), Health: string(rule.Health()), Type: kind,
		EvaluationTime: rule.GetEvaluationDuration().Seconds(), LastEvaluation: rule.GetEvaluationTimestamp(),
	}
	if err := rule.LastError(); err != nil {
		one.LastError = err.Error()
	}
	return one
}

func alertingOf(caller scope.Scope, rule *rules.AlertingRule, withAlerts bool) alertingAnswer {
	one := alertingAnswer{
		ruleAnswer: ruleOf(rule, "alerting"), State: stateFor(caller, rule).String(), Duration: rule.HoldDuration().Seconds(),
		KeepFiringFor: rule.KeepFiringFor().Seconds(), Annotations: rule.Annotations(), Alerts: []alertAnswer{},
	}
	if withAlerts {
		one.Alerts = append(one.Alerts, alertsOf(caller, rule)...)
	}
	return one
}

// alertsOf returns the pending and firing alerts of a rule.
func alertsOf(caller scope.Scope, rule *rules.AlertingRule) []alertAnswer {
	var list []alertAnswer
	for _, alert := range activeFor(caller, rule) {
		one := alertAnswer{
			Labels: alert.Labels, Annotations: alert.Annotations, State: alert.State.String(),
			ActiveAt: &alert.ActiveAt, Value: strconv.FormatFloat(alert.Value, 'e', -1, 64),
		}
		if !alert.KeepFiringSince.IsZero() {
			one.KeepFiringSince = &alert.KeepFiringSince
		}
		list = append(list, one)
	}
	return list
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
