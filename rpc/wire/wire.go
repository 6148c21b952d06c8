// Package wire holds the messages of the Vedette protocol: one row for each
// method, and the shapes of params and results as both ends write them in JSON or
// CBOR. rpc/PROTOCOL.md explains the messages.
package wire

import "slices"

//go:generate go run ./internal/gen

// Version is the version of the protocol. A master speaks with an agent of the
// same version only.
//
//	1 (2026-11-22): login, info, hello, report, status, reportMetric,
//	  subscribe, unsubscribe, hosts, history.range, release
//	1 (2026-11-29): before the first release, the catalog, assignments and
//	  receipts, rollouts, trials, boosts, the audit log; hello tells of pushed code
const Version = 1

// Subprotocols of the WebSocket, in our order of preference. A client that asks for
// none speaks JSON.
const (
	SubprotocolCBOR = "vedette.v1.cbor" // binary frames
	SubprotocolJSON = "vedette.v1.json" // text frames
)

// Path is the one endpoint of the master.
const Path = "/rpc"

// Codes of errors, beside those of JSON-RPC 2.0.
const (
	CodeUnauthenticated = -32001 // log in first
	CodeForbidden       = -32003 // the credential does not allow this
	CodeNotFound        = -32004 // no such host, subscription …
	CodeConflict        = -32009 // the state has moved on
	CodeEarly           = -32025 // the report is ahead of the master's clock: try it again after data.retry_after_ms
	CodeBusy            = -32029 // try again after the time in data.retry_after_ms
)

// Close codes of the WebSocket, from its private range (RFC 6455, 7.4.2).
const (
	CloseUnauthenticated = 4401 // no login in time, or a wrong one: do not retry
	CloseForbidden       = 4403 // do not retry
	CloseReplaced        = 4409 // the same agent has connected again
	CloseVersion         = 4426 // the protocol versions differ: do not retry
)

// Empty is the result of a method that has nothing to say.
type Empty struct{}

// LoginParams are the credentials of a client that could not send them in the
// Authorization header: a token, or the name and the password of a user. The
// walkthrough's client sends a token's name and the token in those too.
type LoginParams struct {
	Token    string `json:"token,omitempty"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// LoginResult says who the caller now is.
type LoginResult struct {
	Name string `json:"name"` // of the credential; "local" without one on loopback
	Role string `json:"role"` // agent, viewer, operator or admin
	// Bound selects the hosts that the role is for; "" is all.
	Bound string `json:"bound,omitempty"`
}

// InfoResult describes the master.
type InfoResult struct {
	Name             string  `json:"name"`
	Version          string  `json:"version"`
	Protocol         int     `json:"protocol"`
	StartedMS        int64   `json:"started_ms"`
	NowMS            int64   `json:"now_ms"`
	HeartbeatSeconds float64 `json:"heartbeat_seconds"`
	Hosts            int     `json:"hosts"`
	Series           int     `json:"series"`
	Role             string  `json:"role"` // of the caller
	// Bound selects the hosts that the role is for; "" is all. Hosts and Series count
	// those alone.
	Bound string `json:"bound,omitempty"`
	// Audit says how the audit log gets off the master's machine. Only operators of all
	// hosts are told.
	Audit []AuditReceiver `json:"audit,omitempty"`
}

// HelloParams is an agent's first call on a connection.
type HelloParams struct {
	Protocol  int               `json:"protocol"`
	Host      string            `json:"host"`
	AgentID   string            `json:"agent_id"` // one installation; survives restarts
	BootID    string            `json:"boot_id"`  // one run of the agent's process
	Version   string            `json:"version"`
	OS        string            `json:"os"`
	Arch      string            `json:"arch"`
	Labels    map[string]string `json:"labels,omitempty"`
	StartedMS int64             `json:"started_ms"`
	NowMS     int64             `json:"now_ms"` // the agent's clock, for its skew
	// AcceptsPushed is whether the host's configuration lets a master send code.
	AcceptsPushed bool `json:"accepts_pushed"`
	// Signers are the ids of the keys that the host's configuration trusts, and of those
	// that have followed them. One of them must have signed pushed code; if there are
	// none, the host wants no signature.
	Signers []string `json:"signers,omitempty"`
	// SignersNeeded is how many signers must have signed; 0 is 1 where there are Signers.
	// The keys of one line are one signer.
	SignersNeeded int `json:"signers_needed,omitempty"`
	// Policy is what the host lets pushed code need, or nil if the agent does not tell.
	Policy *Policy `json:"policy,omitempty"`
	// Assigned is the hash of the assignment that the agent has, or "".
	Assigned string `json:"assigned,omitempty"`
}

// IgnoresUnknownMembers says that an agent may tell more than this master knows: hello
// is where ends of different age meet.
func (HelloParams) IgnoresUnknownMembers() {}

// Policy is what a host's own configuration (agent.policy) lets pushed code need. FS and
// Unix have a path twice if a link leads to it.
type Policy struct {
	Net       bool     `json:"net,omitempty"`
	Connect   []string `json:"connect,omitempty"`
	Unix      []string `json:"unix,omitempty"`
	Processes bool     `json:"processes,omitempty"`
	FS        []string `json:"fs,omitempty"`
	Exec      []string `json:"exec,omitempty"`
	Plugins   bool     `json:"plugins,omitempty"`
	// Secrets are the names of the secrets of the host, with who may know them. Their
	// values are never told.
	Secrets map[string]SecretRule `json:"secrets,omitempty"`
}

// SecretRule says which inspectors may know a secret: those whose names match one of For,
// if that is given, and that one of the keys has signed, if Signers are given.
type SecretRule struct {
	For     []string `json:"for,omitempty"`
	Signers []string `json:"signers,omitempty"` // the ids of keys
}

// MaxPolicy is how many places, paths and secrets a Policy names at most. An agent does not
// tell a longer one.
const MaxPolicy = 256

// Size is how many places, paths and secrets the policy names, with who may know those.
func (p *Policy) Size() int {
	n := len(p.Connect) + len(p.Unix) + len(p.FS) + len(p.Exec)
	for _, rule := range p.Secrets {
		n += 1 + len(rule.For) + len(rule.Signers)
	}
	return n
}

// HelloResult accepts an agent.
type HelloResult struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
	NowMS    int64  `json:"now_ms"`
	// AckedSeq is a mark up to and including which the master has every report
	// of this boot id; 0 where it has none. It may have later ones too.
	AckedSeq uint64 `json:"acked_seq"`
	// Takes are the parts of messages that came later than version 1 and that the master
	// takes. It refuses a message with one that it does not know, so an agent sends no
	// others.
	Takes []string `json:"takes,omitempty"`
}

// Parts of messages that an agent sends only to a master that takes them.
const (
	TakesEnds  = "ends"  // ends of series, in a report
	TakesAbout = "about" // descriptions of metrics, in a report
)

// Series declares a number for a series. The number holds for one connection.
type Series struct {
	ID     uint32            `json:"id"`
	Host   string            `json:"host,omitempty"` // master to browser only
	Key    string            `json:"key"`
	Labels map[string]string `json:"labels,omitempty"`
	Kind   string            `json:"kind,omitempty"` // gauge (default) or counter
	// About describes the metric of the series, on one of those that a report declares.
	About *About `json:"about,omitempty"`
}

// About describes a metric that an agent has from an exporter.
type About struct {
	Metric string `json:"metric"`         // for a histogram without _bucket
	Type   string `json:"type,omitempty"` // such as counter, gauge, histogram or summary
	Unit   string `json:"unit,omitempty"`
	Help   string `json:"help,omitempty"`
}

// Columns are samples by column: sample i is value V[i] of series S[i] at time
// T[i]. The three have one length.
type Columns struct {
	T []int64   `json:"t"` // ms since the epoch, UTC
	S []uint32  `json:"s"` // numbers of declared series
	V []float64 `json:"v"` // finite
}

// ReportParams is a numbered batch of samples from one agent. The master's result is its
// acknowledgement; until then the agent keeps the report and sends it again on the next
// connection. Seq counts from 1 within a boot id, which names a numbering: that of the run
// that said hello ("" is the same), that of an earlier run, or that of the reports that
// were stored on the disk.
type ReportParams struct {
	BootID string   `json:"boot_id"`
	Seq    uint64   `json:"seq"`
	Series []Series `json:"series,omitempty"` // first used in this report
	// NowMS is the agent's clock when it sends this, for its skew. With it, a
	// report from the future is answered with CodeEarly; without, such samples
	// are refused.
	NowMS int64 `json:"now_ms,omitempty"`
	// Ends are the series that have come to an end: they have no value from then on,
	// until the next one.
	Ends *Ends `json:"ends,omitempty"`
	Columns
}

// Ends hold the ends of series, by column: series S[i] has ended at time T[i]. Both are
// of one length.
type Ends struct {
	T []int64  `json:"t"` // ms since the epoch, UTC
	S []uint32 `json:"s"` // numbers of declared series
}

// ReportResult acknowledges the one report Seq. Reports may be sent and
// acknowledged in any order, so that live ones can overtake a backlog.
type ReportResult struct {
	Seq     uint64 `json:"seq"`
	Refused int    `json:"refused,omitempty"` // samples that were not taken
	Reason  string `json:"reason,omitempty"`  // of the first of them
}

// Metric is one sample in the form of the walkthrough.
type Metric struct {
	TS     int64             `json:"ts"` // ms since the epoch, UTC
	Key    string            `json:"key"`
	Val    *float64          `json:"val"`
	Labels map[string]string `json:"labels"` // {} or absent where there are none
}

// ReportMetricParams are reportMetric(hostname, {ts, key, val}), also as an
// array of two.
type ReportMetricParams struct {
	Hostname string `json:"hostname"`
	Metric   Metric `json:"metric"`
}

// StatusParams tell how the inspectors of an agent are. All is true when the
// list is the whole set, as in the first status of a connection; otherwise it
// holds those that changed.
type StatusParams struct {
	All        bool              `json:"all"`
	Inspectors []InspectorStatus `json:"inspectors"`
	Removed    []string          `json:"removed,omitempty"`
	Agent      *AgentStatus      `json:"agent,omitempty"`
}

// AgentStatus is what an agent knows of itself.
type AgentStatus struct {
	ReportsQueued int `json:"reports_queued"` // in memory and on its disk
	// SamplesDropped counts samples that the master will never have, since the
	// agent's data folder was made.
	SamplesDropped uint64 `json:"samples_dropped"`
	// Spool is where reports are kept that the master does not acknowledge soon:
	// disk, memory, or "memory: " and why the disk cannot be used.
	Spool string `json:"spool,omitempty"`
	// Isolation is how the agent's scripts are kept from harming the host, once
	// it has run one.
	Isolation *Isolation `json:"isolation,omitempty"`
	// Starved says why the host is starved, and is empty if it is not.
	Starved string `json:"starved,omitempty"`
	// StarvedSeconds is for how long, since the agent's start, something of it
	// waited for a processor.
	StarvedSeconds float64 `json:"starved_seconds,omitempty"`
}

// Isolation says which layers keep scripts from harming their host: user,
// mounts, landlock, seccomp, and broker for what the agent looks up for them.
type Isolation struct {
	Layers  []string       `json:"layers"` // in force
	Missing []MissingLayer `json:"missing,omitempty"`
}

// MissingLayer is a layer that is not in force, or not wholly.
type MissingLayer struct {
	Layer  string `json:"layer"`
	Reason string `json:"reason"`
}

// InspectorState is how an inspector is.
type InspectorState = string

// States of an inspector.
const (
	StateStarting    InspectorState = "starting"    // not run yet
	StateOK          InspectorState = "ok"          // the last run was good
	StateFailing     InspectorState = "failing"     // the last run ended in an error or a timeout
	StateQuarantined InspectorState = "quarantined" // not run for a while; Error says why
	StateStarved     InspectorState = "starved"     // its host has no processor time for it
)

// InspectorStatus is the health of one inspector on one host.
type InspectorStatus struct {
	Name       string         `json:"name"`
	Kind       string         `json:"kind"` // script or plugin
	Revision   string         `json:"revision"`
	IntervalMS int64          `json:"interval_ms"`
	State      InspectorState `json:"state"`
	Error      string         `json:"error,omitempty"` // of the last bad run
	SinceMS    int64          `json:"since_ms"`        // when State began
	Runs       uint64         `json:"runs"`
	Failures   uint64         `json:"failures"` // errors and timeouts
	Timeouts   uint64         `json:"timeouts"`
	Missed     uint64         `json:"missed"`                // ticks without a run: the last was still going, or nothing could run it
	Crashes    uint64         `json:"crashes"`               // of the process while this ran
	OverBudget uint64         `json:"over_budget,omitempty"` // runs that were cut off, or blamed, for taking too much
	CPUSeconds float64        `json:"cpu_seconds,omitempty"` // processor time of all runs
	// Assigned is the revision of the catalog that runs, or "" for the host's own.
	Assigned string `json:"assigned,omitempty"`
	// BoostedMS is the interval while somebody has it run faster, or 0.
	BoostedMS int64 `json:"boosted_ms,omitempty"`
}

// SubscribeParams asks for live events whose path matches the pattern, in which
// "*" stands for any run of characters, "/" too. Also as an array of one.
type SubscribeParams struct {
	Pattern string `json:"pattern"`
	// Format is "events" (default): one NotifyEvent each; or "columns":
	// NotifySamples for metrics, NotifyEvent for all else.
	Format string `json:"format,omitempty"`
}

// SubscribeResult names the subscription.
type SubscribeResult struct {
	Subscription uint64 `json:"subscription"`
}

// UnsubscribeParams end a subscription.
type UnsubscribeParams struct {
	Subscription uint64 `json:"subscription"`
}

// Event is one thing that happened. Paths begin with metrics/, hosts/ …; the
// data of metrics/<host>/<chart>/<item> is a Metric, that of hosts/<host> a Host.
type Event struct {
	Subscription uint64 `json:"subscription"`
	Path         string `json:"path"`
	Data         any    `json:"data"`
}

// Samples are live samples in columns. Series are declared on first use and
// hold for the subscription. The first Samples of a subscription carry the
// latest value of every series that is known.
type Samples struct {
	Subscription uint64   `json:"subscription"`
	Series       []Series `json:"series,omitempty"`
	Columns
}

// HistoryRangeParams ask for samples of the past, thinned out for a chart.
type HistoryRangeParams struct {
	// Pattern selects series by their path, as in SubscribeParams.
	Pattern string `json:"pattern"`
	// FromMS and ToMS bound the time, both included, in ms since the epoch. A
	// FromMS below 0 counts back from ToMS; a ToMS of 0 is now.
	FromMS int64 `json:"from_ms"`
	ToMS   int64 `json:"to_ms,omitempty"`
	// Points is how many points wide the chart is, 1 to 10000.
	Points int `json:"points"`
	// Means asks for the mean of each point of each gauge too.
	Means bool `json:"means,omitempty"`
}

// HistoryRangeResult holds the lowest and the highest sample of each point and series, and
// the last sample of each series. Samples are ordered by series, then by time.
type HistoryRangeResult struct {
	FromMS int64 `json:"from_ms"`
	ToMS   int64 `json:"to_ms"`
	Points int   `json:"points"` // fewer than asked for when it would be too much
	// Truncated is true when more series match than fit.
	Truncated bool     `json:"truncated,omitempty"`
	Series    []Series `json:"series"`
	Columns
	// Means has, if they were requested, the mean of all samples of each point and gauge,
	// at the time at which the point begins.
	Means *Columns `json:"means,omitempty"`
}

// Lost tells a subscriber that read too slowly how many live events it missed
// since the last one it was sent. History has them.
type Lost struct {
	Subscription uint64 `json:"subscription"`
	Events       uint64 `json:"events"`
}

// Heartbeat shows a browser, which cannot see pings, that the link is alive.
type Heartbeat struct {
	NowMS int64 `json:"now_ms"`
}

// ReleaseParams name an inspector of a host whose quarantine should end.
type ReleaseParams struct {
	Host      string `json:"host"`
	Inspector string `json:"inspector"`
}

// AgentReleaseParams name an inspector.
type AgentReleaseParams struct {
	Inspector string `json:"inspector"`
}

// HostParams name a host.
type HostParams struct {
	Host string `json:"host"`
}

// HostsParams select hosts by their labels, and by the label host, which is their
// name; "" selects every host.
type HostsParams struct {
	Selector string `json:"selector,omitempty"`
}

// HostsResult lists every host that the master has seen, by name.
type HostsResult struct {
	Hosts []Host `json:"hosts"`
}

func (r *HostsResult) keep(sees Sees) {
	r.Hosts = slices.DeleteFunc(r.Hosts, func(h Host) bool { return !sees(h.Host) })
}

// HostState is whether a host reports.
type HostState = string

// States of a host.
const (
	HostUp   HostState = "up"   // connected, or reported within the last few seconds
	HostGone HostState = "gone" // has stopped reporting
)

// Host is what the master knows of one host.
type Host struct {
	Host       string            `json:"host"`
	State      HostState         `json:"state"`
	SinceMS    int64             `json:"since_ms"`     // when State began
	LastSeenMS int64             `json:"last_seen_ms"` // the master's clock
	SkewMS     int64             `json:"skew_ms"`      // the agent's clock less the master's
	Version    string            `json:"version,omitempty"`
	OS         string            `json:"os,omitempty"`
	Arch       string            `json:"arch,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	Remote     string            `json:"remote,omitempty"` // address of the agent
	Series     int               `json:"series"`
	Samples    uint64            `json:"samples"` // taken since the master started
	Agent      *AgentStatus      `json:"agent,omitempty"`
	Inspectors []InspectorStatus `json:"inspectors,omitempty"`
	Simple     bool              `json:"simple,omitempty"` // known by reportMetric only
	// AcceptsPushed is whether the host lets a master send code.
	AcceptsPushed bool `json:"accepts_pushed,omitempty"`
	// Signers are the ids of the keys that the host trusts. One of them must have
	// signed the code that a master sends; if there are none, no signature is wanted.
	Signers []string `json:"signers,omitempty"`
	// SignersNeeded is how many of them must have; 0 is 1 where there are any.
	SignersNeeded int `json:"signers_needed,omitempty"`
	// Policy is what the host lets pushed code need, or nil if it does not tell.
	Policy *Policy `json:"policy,omitempty"`
	// NotKept is why the history does not store the host's samples now; "" if it does.
	NotKept string `json:"not_kept,omitempty"`
}

// MaxLogLines is how many lines one call of LogsGet returns at most.
const MaxLogLines = 1000

// LogsParams ask for what an inspector prints on one host.
type LogsParams struct {
	Host string `json:"host"`
	AgentLogsParams
}

// AgentLogsParams ask for lines that an inspector has printed: the latest Limit of
// those that are kept, or, with the Boot and Last of an answer in Boot and After, the
// next after that.
type AgentLogsParams struct {
	Inspector string `json:"inspector"`
	Limit     int    `json:"limit"`
	Boot      string `json:"boot,omitempty"`
	After     uint64 `json:"after,omitempty"`
}

// LogsResult are lines, oldest first. An agent keeps some kilobytes of them, in memory.
type LogsResult struct {
	Lines []LogLine `json:"lines"`
	Boot  string    `json:"boot"` // names the numbering, which ends with the agent's process
	Last  uint64    `json:"last"` // number of the last line that was looked at
	// Missed is set where lines after After are not kept any more.
	Missed bool `json:"missed,omitempty"`
}

// LogLine is one line that an inspector has printed.
type LogLine struct {
	Seq  uint64 `json:"seq"`
	AtMS int64  `json:"at_ms"` // by the host's clock
	Text string `json:"text"`
}
