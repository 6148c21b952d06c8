package route

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
)

// postedPath is where programs post alerts, such as another Prometheus.
const postedPath = Prefix + "/api/v2/alerts"

// notePosted notes the alerts of a request that was accepted. They are not of our rules:
// whoever has posted them says when they end, or nothing for a while.
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

// IsPosted reports whether an alert came by the API.
func (r *Router) IsPosted(fp model.Fingerprint) bool {
	r.postedMu.Lock()
	defer r.postedMu.Unlock()
	return r.posted[fp]
}

// Posted are the alerts that were posted and are known still: those that fire, and
// those that have ended in the last half an hour.
func (r *Router) Posted() (list []*alert.Alert) {
	if !r.isOpen() {
		return nil
	}
	r.postedMu.Lock()
	before := maps.Clone(r.posted) // what is posted from now on may not be pending yet
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
