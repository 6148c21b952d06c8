package grafana

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The parts of a dashboard in Grafana's JSON that are written here.
type (
	dashboard struct {
		UID           string      `json:"uid"`
		Title         string      `json:"title"`
		Tags          []string    `json:"tags"`
		SchemaVersion int         `json:"schemaVersion"`
		Editable      bool        `json:"editable"`
		Refresh       string      `json:"refresh"`
		Time          timeRange   `json:"time"`
		Templating    variables   `json:"templating"`
		Annotations   annotations `json:"annotations"`
		Panels        []panel     `json:"panels"`
	}
	timeRange struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	source struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}
	variables struct {
		List []variable `json:"list"`
	}
	variable struct {
		Name       string `json:"name"`
		Type       string `json:"type"`
		Label      string `json:"label"`
		Query      string `json:"query"`
		Datasource source `json:"datasource"`
		Refresh    int    `json:"refresh"`
		Multi      bool   `json:"multi"`
		IncludeAll bool   `json:"includeAll"`
		AllValue   string `json:"allValue"`
		Sort       int    `json:"sort"`
	}
	annotations struct {
		List []annotation `json:"list"`
	}
	annotation struct {
		Name        string `json:"name"`
		Datasource  source `json:"datasource"`
		Enable      bool   `json:"enable"`
		Expr        string `json:"expr"`
		IconColor   string `json:"iconColor"`
		TitleFormat string `json:"titleFormat"`
		TextFormat  string `json:"textFormat"`
	}
	panel struct {
		ID          int         `json:"id"`
		Type        string      `json:"type"`
		Title       string      `json:"title"`
		Description string      `json:"description,omitempty"`
		Datasource  source      `json:"datasource"`
		GridPos     gridPos     `json:"gridPos"`
		FieldConfig fieldConfig `json:"fieldConfig"`
		Targets     []target    `json:"targets"`
	}
	gridPos struct {
		H int `json:"h"`
		W int `json:"w"`
		X int `json:"x"`
		Y int `json:"y"`
	}
	fieldConfig struct {
		Defaults  defaults `json:"defaults"`
		Overrides []any    `json:"overrides"`
	}
	defaults struct {
		Unit string   `json:"unit"`
		Min  *float64 `json:"min,omitempty"`
		Max  *float64 `json:"max,omitempty"`
	}
	target struct {
		RefID        string `json:"refId"`
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
		Datasource   source `json:"datasource"`
	}
)

const (
	// sourceUID and alertsUID are the uids of the data sources.
	sourceUID, alertsUID = "vedette", "vedette-alerts"
	schemaVersion        = 39 // for Grafana 10 and later
	panelWidth           = 12 // half of the page
	panelHeight          = 8
	// maxUID is the longest uid that Grafana accepts.
	maxUID = 40
)

func prometheus() source { return source{"prometheus", sourceUID} }

// boardsOf makes a dashboard for each chart, which is the first part of a key.
func boardsOf(metrics []metric) []dashboard {
	charts := make(map[string][]metric)
	for _, m := range metrics {
		chart, _, _ := strings.Cut(m.key, "/")
		charts[chart] = append(charts[chart], m)
	}
	var boards []dashboard
	for _, chart := range slices.Sorted(maps.Keys(charts)) {
		boards = append(boards, boardOf(chart, charts[chart]))
	}
	return boards
}

func boardOf(chart string, metrics []metric) dashboard {
	board := dashboard{
		UID: uidOf(chart), Title: "Vedette: " + chart, Tags: []string{"vedette"}, SchemaVersion: schemaVersion, Editable: true, Refresh: "10s",
		Time: timeRange{"now-1h", "now"},
		Templating: variables{[]variable{{
			Name: "host", Type: "query", Label: "Host", Query: hostsOf(selectorOf(chart)), Datasource: prometheus(),
			Refresh: 2, Multi: true, IncludeAll: true, AllValue: ".*", Sort: 1,
		}}},
		Annotations: annotations{[]annotation{{
			Name: "Alerts", Datasource: prometheus(), Enable: true, Expr: `ALERTS{alertstate="firing", host=~"$host"}`, IconColor: "red",
			TitleFormat: "{{alertname}}", TextFormat: "{{host}}: {{severity}}",
		}}},
	}
	for i, m := range metrics {
		unit, lowest, highest := m.format()
		board.Panels = append(board.Panels, panel{
			ID: i + 1, Type: "timeseries", Title: cmp.Or(strings.TrimPrefix(m.key, chart+"/"), m.key), Description: m.help, Datasource: prometheus(),
			GridPos:     gridPos{H: panelHeight, W: panelWidth, X: i % 2 * panelWidth, Y: i / 2 * panelHeight},
			FieldConfig: fieldConfig{Defaults: defaults{Unit: unit, Min: lowest, Max: highest}, Overrides: []any{}},
			Targets:     []target{{RefID: "A", Expr: m.expr(), LegendFormat: m.legend(), Datasource: prometheus()}},
		})
	}
	return board
}

// selectorOf returns a selector for all series of a chart.
func selectorOf(chart string) string {
	return fmt.Sprintf("{key=~%s}", strconv.Quote(regexp.QuoteMeta(chart)+"(/.*)?"))
}

// hostsOf is Grafana's query for the hosts of a selector.
func hostsOf(selector string) string { return "label_values(" + selector + ", host)" }

// selectorIn is the selector in such a query.
func selectorIn(query string) string {
	return strings.TrimSuffix(strings.TrimPrefix(query, "label_values("), ", host)")
}

// uidOf is the uid of a chart's dashboard: letters, digits, - and _, and the same at each
// export.
func uidOf(chart string) string {
	uid := "vedette-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, chart)
	if plain := strings.TrimPrefix(uid, "vedette-"); plain != chart || len(uid) > maxUID {
		sum := sha256.Sum256([]byte(chart))
		uid = uid[:min(len(uid), maxUID-9)] + "-" + hex.EncodeToString(sum[:4])
	}
	return uid
}

// selector returns a selector for the series of a metric; more are further matchers.
func (m metric) selector(more string) string {
	return fmt.Sprintf("%s{key=%s%s}", m.name, strconv.Quote(m.key), more)
}

func (m metric) counter() bool { return m.kind == "counter" }

func (m metric) expr() string {
	selected := m.selector(`, host=~"$host"`)
	if m.counter() {
		return "rate(" + selected + "[$__rate_interval])"
	}
	return selected
}

func (m metric) legend() string {
	text := "{{host}}"
	for _, name := range m.labels {
		text += " {{" + name + "}}"
	}
	return text
}

// format is Grafana's unit for a panel, and its bounds.
func (m metric) format() (unit string, lowest, highest *float64) {
	zero, hundred := 0.0, 100.0
	base := m.unit
	if base == "" {
		name := strings.TrimSuffix(m.name, "_total")
		base = name[strings.LastIndexByte(name, '_')+1:]
	}
	type units struct{ gauge, rate string }
	known := map[string]units{
		"bytes": {"bytes", "Bps"}, "seconds": {"s", "percentunit"}, "percent": {"percent", "percent"}, "ratio": {"percentunit", "percentunit"},
		"celsius": {"celsius", "celsius"}, "hertz": {"hertz", "hertz"}, "packets": {"short", "pps"},
	}
	one, ok := known[base]
	switch {
	case ok && m.counter():
		return one.rate, &zero, nil
	case ok && base == "percent":
		return one.gauge, &zero, &hundred
	case ok:
		return one.gauge, nil, nil
	case m.counter():
		return "cps", &zero, nil
	case m.unit != "":
		return "suffix: " + m.unit, nil, nil
	}
	return "short", nil, nil
}

// dataSources is the file that tells Grafana about the master.
func dataSources(address string) []byte {
	type object = map[string]any
	header, secure := "Authorization", object{"httpHeaderValue1": "Bearer $VEDETTE_TOKEN"}
	return provision(object{"apiVersion": 1, "datasources": []object{
		{
			"name": "Vedette", "uid": sourceUID, "type": "prometheus", "access": "proxy", "url": address,
			"jsonData": object{
				"httpMethod": "POST", "prometheusType": "Prometheus", "timeInterval": "1s", "manageAlerts": true, "alertmanagerUid": alertsUID,
				"httpHeaderName1": header,
			},
			"secureJsonData": secure,
		},
		{
			"name": "Vedette alerts", "uid": alertsUID, "type": "alertmanager", "access": "proxy", "url": address + "/alertmanager",
			"jsonData":       object{"implementation": "prometheus", "handleGrafanaManagedAlerts": false, "httpHeaderName1": header},
			"secureJsonData": secure,
		},
	}})
}

// provider is the file that makes Grafana load the dashboards.
func provider(folder string) []byte {
	type object = map[string]any
	return provision(object{"apiVersion": 1, "providers": []object{{
		"name": "Vedette", "folder": "Vedette", "type": "file", "updateIntervalSeconds": 30, "allowUiUpdates": false,
		"options": object{"path": folder},
	}}})
}

// provision encodes an object as JSON, which is also YAML.
func provision(of map[string]any) []byte {
	text, err := json.MarshalIndent(of, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("cannot write a file for Grafana: %v", err)) // strings and numbers can always be encoded
	}
	return append([]byte("# Made by vedette grafana export. JSON is YAML, too.\n"), append(text, '\n')...)
}
