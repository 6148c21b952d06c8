package route

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
)

// postedPath is the path to which programs post alerts, for example another Prometheus.
const postedPath = Prefix + "/api/v2/alerts"

// notePosted records the alerts of an accepted request. They belong to none of our rules:
// they end when the program that posted them says so, or when it has not posted them for a
// while.
func (r *Router) notePosted(req *http.Request, body []byte) {
	if req.Method != http.MethodPost || strings.TrimSuffix(req.URL.Path, "/") != postedPath {
		return
	}
	var posted []struct {
		Labels model.LabelSet `json:"labels"`
	}
	if err := json.Unmarshal(body, &posted); err != nil {
		return // it was refused
	}
	r.postedMu.Lock()
	defer r.postedMu.Unlock()
	for _, one := range posted {
		set := one.Labels.Clone()
		for name, value := range set {
			if value == "" {
				delete(set, name) // as Alertmanager does
			}
		}
		r.posted[set.Fingerprint()] = true
	}
}

// IsPosted reports whether an alert came through the API.
func (r *Router) IsPosted(fp model.Fingerprint) bool {
	r.postedMu.Lock()
	defer r.postedMu.Unlock()
	return r.posted[fp]
}

// Posted are the posted alerts that are still known: those that fire, and those that ended
// in the last half hour.
func (r *Router) Posted() (list []*alert.Alert) {
	if !r.isOpen() {
		return nil
	}
	r.postedMu.Lock()
	before := maps.Clone(r.posted) // alerts posted from now on may not be pending yet
	r.postedMu.Unlock()
	known := make(map[model.Fingerprint]bool)
	pending := r.alerts.GetPending()
	defer pending.Close()
	for one := range pending.Next() {
		fp := one.Data.Fingerprint()
		known[fp] = true
		if r.IsPosted(fp) {
			list = append(list, one.Data)
		}
	}
	r.postedMu.Lock()
	defer r.postedMu.Unlock()
	for fp := range before {
		if !known[fp] {
			delete(r.posted, fp)
		}
	}
	return list
}
