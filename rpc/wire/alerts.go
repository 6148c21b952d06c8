package wire

// This file holds the messages of alerts and silences.

// OwnAlertsParams are all inspectors of a host's own configuration, and the built-in
// ones, but none that a master has assigned.
type OwnAlertsParams struct {
	Inspectors []OwnAlerts `json:"inspectors"`
}

// OwnAlerts are the alerts that an inspector comes with.
type OwnAlerts struct {
	Inspector string `json:"inspector"`
	// Lines are the directives about alerts of its source, such as
	// alert full critical used_percent > 97; none if it has no alert.
	Lines []string `json:"lines,omitempty"`
	// IntervalMS is the time between two runs.
	IntervalMS int64 `json:"interval_ms,omitempty"`
}

// MaxOwnAlertLines and MaxOwnInspectors bound the list of a host.
const (
	MaxOwnAlertLines = 2000
	MaxOwnInspectors = 10000
)

// OwnAlertsResult says which alerts cannot be evaluated, and why.
type OwnAlertsResult struct {
	Faults []string `json:"faults,omitempty"`
}

// AlertThreshold is a number that people have set for an alert of inspectors, in place of
// that in its source.
type AlertThreshold struct {
	Alert string `json:"alert"`
	// Selector selects the hosts by their labels; "" is every host. If several select a
	// host, the one with the most labels wins.
	Selector string   `json:"selector,omitempty"`
	Value    *float64 `json:"value,omitempty"`
	Off      bool     `json:"off,omitempty"` // it does not fire there at all
	By       string   `json:"by,omitempty"`
	AtMS     int64    `json:"at_ms,omitempty"`
	Message  string   `json:"message,omitempty"`
	// Operator and Own are the comparison of the source.
	Operator string   `json:"operator,omitempty"`
	Own      *float64 `json:"own,omitempty"`
	// Idle is whether no inspector has such an alert now.
	Idle bool `json:"idle,omitempty"`
}

// AlertThresholdsResult has the thresholds by alert, those that win last.
type AlertThresholdsResult struct {
	Thresholds []AlertThreshold `json:"thresholds"`
}

// AlertThresholdParams sets a threshold: one of a value, off, and remove.
type AlertThresholdParams struct {
	Alert    string   `json:"alert"`
	Selector string   `json:"selector,omitempty"`
	Value    *float64 `json:"value,omitempty"`
	Off      bool     `json:"off,omitempty"`
	Remove   bool     `json:"remove,omitempty"`
	Message  string   `json:"message,omitempty"`
}

// States of an alert.
const (
	AlertPending = "pending" // not for long enough
	AlertFiring  = "firing"
	AlertUnknown = "unknown" // it fired, and its host is gone
	AlertEnded   = "ended"
)

// Alert is one that is pending, fires, or has ended in the last day.
type Alert struct {
	// ID identifies the alert; it is made from its labels.
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Host     string            `json:"host,omitempty"`
	Severity string            `json:"severity,omitempty"`
	Labels   map[string]string `json:"labels"`
	Summary  string            `json:"summary,omitempty"`
	State    string            `json:"state"`
	SinceMS  int64             `json:"since_ms"`
	EndedMS  int64             `json:"ended_ms,omitempty"`
	// Posted is whether another program has posted it to Alertmanager's API: it is of none
	// of the rules here.
	Posted bool `json:"posted,omitempty"`
	// SilencedBy are the silences, and InhibitedBy the alerts, that keep people from being
	// told.
	SilencedBy  []Silence  `json:"silenced_by,omitempty"`
	InhibitedBy []string   `json:"inhibited_by,omitempty"`
	Told        []TellNote `json:"told,omitempty"`
	// ShutHours are of those receivers whom the time intervals of their routes keep from
	// being told now.
	ShutHours []ShutHours `json:"shut_hours,omitempty"`
	// Receivers are those who are told according to the present configuration.
	Receivers []string `json:"receivers,omitempty"`
}

// ShutHours says why a receiver is told of nothing at this time of the day or week.
type ShutHours struct {
	Receiver string `json:"receiver"`
	// Intervals are the time intervals that mute the route now, and Outside those outside
	// of which it is silent.
	Intervals []string `json:"intervals,omitempty"`
	Outside   []string `json:"outside,omitempty"`
	// ToMS is when the receiver may be told again; 0: not in the next week.
	ToMS int64 `json:"to_ms,omitempty"`
}

// TellNote says that somebody was told of an alert, or could not be.
type TellNote struct {
	Receiver string `json:"receiver"` // with the way, such as ops/email[0]
	AtMS     int64  `json:"at_ms,omitempty"`
	Ended    bool   `json:"ended,omitempty"` // that it has ended
	Failed   string `json:"failed,omitempty"`
}

// AlertsParams selects alerts. An empty field selects all.
type AlertsParams struct {
	Name  string `json:"name,omitempty"`
	Host  string `json:"host,omitempty"`
	Ended bool   `json:"ended,omitempty"` // those of the last day, too
}

// AlertsResult has those that fire first.
type AlertsResult struct {
	Alerts    []Alert  `json:"alerts"`
	Receivers []string `json:"receivers"` // everybody who may be told of something
}

// AlertParams names an alert by its rule.
type AlertParams struct {
	Name string `json:"name"`
	Host string `json:"host,omitempty"`
}

// AlertRule is a rule, and how it was evaluated last.
type AlertRule struct {
	Name            string            `json:"name"`
	File            string            `json:"file"`
	Group           string            `json:"group"`
	Query           string            `json:"query"`
	Labels          map[string]string `json:"labels,omitempty"`
	IntervalSeconds float64           `json:"interval_seconds"`
	ForSeconds      float64           `json:"for_seconds"`
	KeepSeconds     float64           `json:"keep_seconds,omitempty"`
	EvaluatedMS     int64             `json:"evaluated_ms,omitempty"`
	Error           string            `json:"error,omitempty"`
}

// AlertExplanation says why an alert is as it is.
type AlertExplanation struct {
	Rules  []AlertRule `json:"rules"`
	Alerts []AlertFate `json:"alerts"`
}

// AlertFate is an alert, and when each receiver is told of it.
type AlertFate struct {
	Alert
	Value *float64  `json:"value,omitempty"` // as it was last
	Ways  []TellWay `json:"ways,omitempty"`
}

// TellWay is a route that an alert takes.
type TellWay struct {
	Receiver string `json:"receiver"`
	// WaitSeconds is how long the first message waits for others, AgainSeconds the time
	// after which the receiver is told again of an alert that still fires.
	WaitSeconds  float64 `json:"wait_seconds"`
	AgainSeconds float64 `json:"again_seconds"`
	// NextMS is the earliest time of the next message; 0: there is none while the alert is
	// muted.
	NextMS int64 `json:"next_ms,omitempty"`
}

// AlertTestParams names who gets a test message.
type AlertTestParams struct {
	To string `json:"to"`
}

// AlertTestResult says how each way took it.
type AlertTestResult struct {
	Ways []TellNote `json:"ways"`
}

// AlertAckParams acknowledges alerts: one by its id, or those of a name.
type AlertAckParams struct {
	ID      string `json:"id,omitempty"`
	Name    string `json:"name,omitempty"`
	Host    string `json:"host,omitempty"`
	Message string `json:"message,omitempty"`
}

// Silence keeps people from being told of alerts for a time.
type Silence struct {
	ID       string   `json:"id"`
	Matchers []string `json:"matchers"` // such as host="web-1"; all must match
	FromMS   int64    `json:"from_ms"`
	ToMS     int64    `json:"to_ms"`
	By       string   `json:"by"`
	Message  string   `json:"message,omitempty"`
	State    string   `json:"state"` // active, pending or expired
	// Ack is set of an acknowledgement: it ends when its alert does.
	Ack bool `json:"ack,omitempty"`
	// Maintenance is the id of the recurring maintenance that the silence is of, or "self"
	// if its host has asked for it.
	Maintenance string `json:"maintenance,omitempty"`
}

// SelfMaintenance is the Maintenance of a silence that a host has asked for.
const SelfMaintenance = "self"

// Maintenance recurs every week: nobody is told of the alerts of some hosts then.
type Maintenance struct {
	ID string `json:"id"`
	// Host is the one host, or Selector selects hosts by their labels, at each moment.
	Host     string `json:"host,omitempty"`
	Selector string `json:"selector,omitempty"`
	// Within is the selector that who made it is bound to: it holds for no other hosts.
	Within string `json:"within,omitempty"`
	// Every says when, such as sun 02:00-04:00, by the clock of Zone.
	Every   string `json:"every"`
	Zone    string `json:"zone"`
	By      string `json:"by,omitempty"`
	AtMS    int64  `json:"at_ms,omitempty"`
	Message string `json:"message,omitempty"`
	// FromMS and ToMS are when it is now, or else next.
	FromMS int64 `json:"from_ms,omitempty"`
	ToMS   int64 `json:"to_ms,omitempty"`
	// Hosts is for how many hosts it is now.
	Hosts int `json:"hosts,omitempty"`
}

// MaintenancesResult has those first that come first.
type MaintenancesResult struct {
	Maintenances []Maintenance `json:"maintenances"`
}

// MaintenanceParams makes a recurring maintenance, of one of a host and a selector.
type MaintenanceParams struct {
	Host     string `json:"host,omitempty"`
	Selector string `json:"selector,omitempty"`
	Every    string `json:"every"`
	Zone     string `json:"zone,omitempty"` // "" is UTC
	Message  string `json:"message,omitempty"`
}

// MaintenanceEndParams names a recurring maintenance to be removed.
type MaintenanceEndParams struct {
	ID string `json:"id"`
}

// SelfMaintenanceParams is a host's request for itself: either a time or an end.
type SelfMaintenanceParams struct {
	Hostname string  `json:"hostname"`
	Seconds  float64 `json:"seconds,omitempty"`
	End      bool    `json:"end,omitempty"`
	Message  string  `json:"message,omitempty"`
}

// SelfMaintenanceResult says until when nobody is told of the host's alerts, or which
// maintenance has ended.
type SelfMaintenanceResult struct {
	ToMS  int64 `json:"to_ms,omitempty"`
	Ended int   `json:"ended,omitempty"`
}

// SilencesParams selects silences.
type SilencesParams struct {
	Ended bool `json:"ended,omitempty"` // those of the last days, too
}

// SilencesResult has those first that end first.
type SilencesResult struct {
	Silences []Silence `json:"silences"`
}

// SilenceParams makes a silence.
type SilenceParams struct {
	Matchers []string `json:"matchers,omitempty"`
	// Selector names hosts by their labels: those that it selects now.
	Selector string  `json:"selector,omitempty"`
	Seconds  float64 `json:"seconds"`
	Message  string  `json:"message,omitempty"`
}

// SilenceEndParams names a silence that should end now.
type SilenceEndParams struct {
	Silence string `json:"silence"`
}

// AlertsSummary is the event alerts/summary.
type AlertsSummary struct {
	Firing  int `json:"firing"` // those of an unknown state among them
	Unknown int `json:"unknown"`
	Muted   int `json:"muted"` // that fire, and are silenced, acknowledged or inhibited
}
