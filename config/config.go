// Package config holds the typed configuration of master and agent and reads it:
// defaults, then a strict YAML file, then .env and the environment, then flags,
// then validation. All faults are reported together, each with its place, and
// every value knows where it came from.
package config

import (
	"cmp"
	"log/slog"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// Config is one whole configuration. One file may serve a master, an agent, or
// both.
//
// Each field declares its setting in its tags, which Setting describes. The
// comments of the fields are the text of docs/configuration.md.
type Config struct {
	// Log says which lines are logged, and how.
	Log Log `yaml:"log"`
	// Master configures the master; an agent ignores it.
	Master Master `yaml:"master"`
	// Agent configures the agent; a master ignores it.
	Agent Agent `yaml:"agent"`
	// Inspectors are the agent's own, by name. They run beside those of
	// Agent.Library, and replace one of the same name.
	Inspectors map[string]Inspector `yaml:"inspectors"`
	// Warnings are findings that are not faults, for the log.
	Warnings []string `yaml:"-"`

	src *source // nil in a Config that was not loaded
}

// Log says which lines are logged to standard error, and how.
type Log struct {
	// Level is the lowest level that is logged: debug, info, warn or error.
	Level slog.Level `yaml:"level" default:"info" env:"LOG_LEVEL"`
	// Components limits debug lines to those of the named components, such as
	// "master,agent".
	Components Components `yaml:"components" absent:"all" env:"LOG_COMPONENTS"`
	// Format is the form of the lines.
	Format string `yaml:"format" default:"text" one:"a format: text, json" env:"VEDETTE_LOG_FORMAT"`
}

// Components are names of components, a list or "master,agent" in YAML.
type Components []string

// Master configures the master.
type Master struct {
	// Name is shown to people.
	Name string `yaml:"name" default:"master" env:"VEDETTE_NAME"`
	// Listen is the host:port to listen on; port 0 takes a free one. Beyond
	// loopback, everything is encrypted, and everybody needs a credential.
	// MASTER_IP and MASTER_PORT replace its halves.
	Listen string `yaml:"listen" default:"127.0.0.1:50505" env:"VEDETTE_LISTEN"`
	// Data is the folder of the master's files. The user's state folder is
	// $XDG_STATE_HOME, else ~/.local/state, else /var/lib.
	Data string `yaml:"data" absent:"vedette in the user's state folder" env:"VEDETTE_MASTER_DATA" path:"true" private:"true"`
	// TLS says how the master proves its identity. Without it, a master on
	// loopback speaks plain HTTP, and one beyond loopback makes its own
	// certificate.
	TLS TLS `yaml:"tls"`
	// Join says how hosts join with a join token.
	Join Join `yaml:"join"`
	// Tokens are credentials to accept, in addition to those that are made on the
	// running master. Without any, the user who runs the master, and root, are
	// operators over loopback, and other users of the machine need the key that
	// the master makes itself.
	Tokens []Token `yaml:"tokens"`
	// Access says how long people stay logged in.
	Access Access `yaml:"access"`
	// OIDC has people log in at a provider of yours.
	OIDC OIDC `yaml:"oidc"`
	// TwoPersons says which changes of what hosts run need a second person. It may
	// change while the master runs.
	TwoPersons TwoPersons `yaml:"two_persons"`
	// Static maps URL paths to folders that are served there, for example
	// "/master/app": ./app.
	Static map[string]string `yaml:"static" path:"true"`
	// GoneAfter is how long a host that reports by single calls may be silent
	// before it counts as gone.
	GoneAfter time.Duration `yaml:"gone_after" default:"7s" min:"1s" max:"24h"`
	// History says which samples are kept, and for how long.
	History History `yaml:"history"`
	// RemoteWrite lists stores that get a copy of every sample, Prometheus among
	// them; at most ten.
	RemoteWrite []RemoteWrite `yaml:"remote_write"`
	// Alerts says which rules are evaluated, and who is told of firing alerts.
	Alerts Alerts `yaml:"alerts"`
	// Audit says where entries of the audit log are sent. It is read when the master
	// starts.
	Audit Audit `yaml:"audit"`
}

// Alerts configures the rules of the master. They are read when the master starts.
type Alerts struct {
	// BuiltIn evaluates the rules that come with the product: host gone, agent
	// cannot send, clock off, inspector failing or quarantined, disk filling, memory
	// nearly gone, and those of the master: its disk, and that it takes no samples.
	BuiltIn bool `yaml:"built_in" default:"true"`
	// Rules are files of rules in Prometheus' format.
	Rules []string `yaml:"rules" path:"true"`
	// Alertmanagers are the addresses of Alertmanagers to tell, for example
	// http://alertmanager:9093.
	Alertmanagers []string `yaml:"alertmanagers"`
	// AlertmanagerConfig is an Alertmanager configuration, an alertmanager.yml,
	// which says who is told. It replaces Alerts.Notify.
	AlertmanagerConfig string `yaml:"alertmanager_config" path:"true" private:"true"`
	// Notify says who is told, under names of your choice, for example ops:
	// {email: ops@example.org}.
	Notify map[string]Notify `yaml:"notify"`
	// SMTP is the mail server for Notify.Email.
	SMTP SMTP `yaml:"smtp"`
	// Thresholds are other numbers for alerts on some hosts, those of inspectors and those
	// that are built in and about hosts, for example
	// {alert: disk/full, value: 98, hosts: role=backup}.
	Thresholds []Threshold `yaml:"thresholds"`
	// URL is the address of the page, for the link in messages.
	URL string `yaml:"url" absent:"the address that the master listens on"`
}

// Threshold is another number for an alert. One that is set on the running
// master wins over one of as many labels.
type Threshold struct {
	// Alert is the name of the alert, such as disk/full.
	Alert string `yaml:"alert" required:"true"`
	// Value is the number that values are compared with, or off.
	Value string `yaml:"value" required:"true"`
	// Hosts selects hosts by their labels: role=db,zone in (a,b).
	Hosts string `yaml:"hosts" absent:"every host"`
}

// Number is the number of a threshold; ok is false of one that is off.
func (t Threshold) Number() (v float64, ok bool) {
	v, err := strconv.ParseFloat(t.Value, 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// Notify is one receiver of alerts, reached in one way or several.
type Notify struct {
	// Email is an address, or several separated by commas.
	Email string `yaml:"email"`
	// Ntfy is a topic of an ntfy server, for example https://ntfy.sh/my-topic.
	Ntfy string `yaml:"ntfy"`
	// Webhook is an address that takes JSON in Alertmanager's form.
	Webhook string `yaml:"webhook"`
	// TokenFile holds a bearer token for Ntfy and Webhook, and nothing else.
	TokenFile string `yaml:"token_file" path:"true" private:"true"`
	// Only is the one severity of alerts to tell of.
	Only string `yaml:"only" absent:"every severity"`
}

// SMTP is a mail server.
type SMTP struct {
	// Server is its host:port.
	Server string `yaml:"server" default:"localhost:25"`
	// From is the sender of mails.
	From string `yaml:"from" absent:"vedette@ and the name of the machine"`
	// User is the name to log in with.
	User string `yaml:"user" absent:"no login"`
	// PasswordFile holds the password and nothing else.
	PasswordFile string `yaml:"password_file" path:"true" private:"true"`
	// TLS says whether mails must be encrypted on their way to the server.
	TLS bool `yaml:"tls" default:"true"`
}

// History configures the master's store of samples.
type History struct {
	// Persist keeps samples in the folder "history" of Master.Data. Without it,
	// samples are kept until the master stops.
	Persist bool `yaml:"persist" default:"true"`
	// Retention is how long samples are kept.
	Retention time.Duration `yaml:"retention" default:"15d" min:"2h" max:"3650d"`
	// MaxBytes bounds the store on disk; the oldest samples go first.
	MaxBytes Bytes `yaml:"max_bytes" default:"0" min:"256MiB" zero:"no bound"`
	// MinFreeBytes is how much of the disk must stay free: with less, agents are
	// asked to keep their samples.
	MinFreeBytes Bytes `yaml:"min_free_bytes" default:"0" zero:"256MiB and a twentieth of the disk on top, 1280MiB at most"`
	// OutOfOrder is how late a sample may come, at most History.Retention. It
	// should be at least as long as agents keep samples while they cannot reach
	// the master. With a shorter retention, the default is the retention.
	OutOfOrder time.Duration `yaml:"out_of_order" default:"24h" min:"1m"`
	// MaxSeriesPerHost bounds the series of one host that are active at once. Plan
	// 3 KB of memory each.
	MaxSeriesPerHost int `yaml:"max_series_per_host" default:"50000" min:"1" max:"10000000"`
	// MaxSeries bounds the series of all hosts that are active at once.
	MaxSeries int `yaml:"max_series" default:"2000000" min:"1" max:"10000000"`
}

// The bounds of active series for a store that was not made from a configuration.
// A test makes sure that they are those of History.
const (
	DefaultMaxSeriesPerHost = 50_000
	DefaultMaxSeries        = 2_000_000
)

// Bytes is a size. In YAML it is a number of bytes, or a number with a unit such
// as 10GiB.
type Bytes int64

// TLS names PEM files, or makes the master do without them.
type TLS struct {
	// Cert is the file of the certificate chain.
	Cert string `yaml:"cert" path:"true"`
	// Key is the file of the private key.
	Key string `yaml:"key" path:"true" private:"true"`
	// Own makes the master speak TLS on loopback too, with a certificate that it
	// makes itself. Beyond loopback it does so in any case if TLS.Cert is absent.
	Own bool `yaml:"own" default:"false"`
	// Names are host names and addresses for the certificate that the master makes
	// itself, in addition to those of the machine. Hosts that have joined need
	// none.
	Names []string `yaml:"names"`
}

// Join says how hosts join with a join token, and how long their certificates are
// valid.
type Join struct {
	// Approve makes every host wait until an operator lets it in.
	Approve bool `yaml:"approve" default:"false"`
	// Lifetime is how long the certificate of a host is valid. The host renews it
	// when about half of that is over.
	Lifetime time.Duration `yaml:"lifetime" default:"3d" min:"10s" max:"365d"`
	// Grace is how long after its end a certificate can still be renewed, for
	// hosts that were away. It is not accepted for anything else then.
	Grace time.Duration `yaml:"grace" default:"30d" min:"1m" max:"3650d"`
}

// Access says how long people stay logged in.
type Access struct {
	// SessionIdle ends the session of a browser that has had no page open for this
	// long.
	SessionIdle time.Duration `yaml:"session_idle" default:"12h" min:"1m" max:"90d"`
	// SessionMax ends the session of a browser this long after the log-in, even if
	// it is in use.
	SessionMax time.Duration `yaml:"session_max" default:"7d" min:"1m" max:"366d"`
}

// Token is a credential that the master accepts. `vedette token` makes one.
type Token struct {
	// Name says who has the token.
	Name string `yaml:"name" required:"true"`
	// Role is agent (may report for Token.Host), viewer (may look), operator (may
	// change what runs) or admin (may also change who may do what).
	Role string `yaml:"role" required:"true" one:"a role: agent, viewer, operator, admin"`
	// Host is the host that an agent's token stands for. Only an agent's token has
	// one.
	Host string `yaml:"host"`
	// Hosts selects the hosts that a viewer or operator is bound to, by their
	// labels and the label host, which is their name: role=db,zone in (a,b).
	Hosts string `yaml:"hosts" absent:"all hosts"`
	// SHA256 is the hex SHA-256 of the token.
	SHA256 string `yaml:"sha256" required:"true"`
}

// Agent configures the agent.
type Agent struct {
	// Host is the name under which the agent reports.
	Host string `yaml:"host" absent:"the host name of the machine" env:"VEDETTE_HOST"`
	// Master is the address of the master, for example https://master:50505.
	// MASTER_IP and MASTER_PORT replace its halves.
	Master string `yaml:"master" default:"http://127.0.0.1:50505" env:"VEDETTE_MASTER"`
	// TokenFile holds the agent's token and nothing else. A file that every
	// user of the machine can read is refused.
	TokenFile string `yaml:"token_file" absent:"the credential agent.token that systemd passes on" env:"VEDETTE_TOKEN_FILE" path:"true" private:"true"`
	// Token is the agent's token. It is never in the file: Agent.TokenFile or the
	// environment gives it.
	Token string `yaml:"-" name:"token" env:"VEDETTE_TOKEN"`
	// CA is a PEM file of the authorities to trust for the master's
	// certificate.
	CA string `yaml:"ca" absent:"the authorities of the system" env:"VEDETTE_CA" path:"true"`
	// Data is the folder of the agent's files. Its default contains the name of
	// the host, so that several agents may share a machine.
	Data string `yaml:"data" absent:"vedette-agent/HOST in the user's state folder" env:"VEDETTE_AGENT_DATA" path:"true" private:"true"`
	// Labels describe the host, for example role: db.
	Labels map[string]string `yaml:"labels"`
	// Library names the built-in inspectors to run: all, none, or a list of
	// names.
	Library Library `yaml:"library" default:"all"`
	// AcceptPushedInspectors lets the master send code to this host.
	AcceptPushedInspectors bool `yaml:"accept_pushed_inspectors" default:"false"`
	// Policy bounds what code from a master may reach on this host. It does not
	// bound the inspectors of this configuration and the built-in ones, except for
	// the programs that they run.
	Policy Policy `yaml:"policy"`
	// Secrets are values that scripts of this host may read, by name, such as
	// passwords; see Secret.
	Secrets map[string]Secret `yaml:"secrets"`
	// Upgrade says whether the master may replace the agent's own program.
	Upgrade Upgrade `yaml:"upgrade"`
	// ScriptUser is the number of the user and the group that scripts run as if
	// the agent runs as root. No system assigns the default to anybody.
	ScriptUser int `yaml:"script_user" default:"1986356340" min:"1" max:"2147483647"`
	// BufferReports is how many reports are kept in memory while the master does
	// not acknowledge them; the oldest are dropped first.
	BufferReports int `yaml:"buffer_reports" default:"10000" min:"1" max:"1000000"`
	// Spool stores reports on the disk that the master does not acknowledge soon.
	Spool Spool `yaml:"spool"`
	// MetricsListen is the host:port on which the agent serves its own metrics, at
	// /metrics in the text format of Prometheus, for example 127.0.0.1:50506; port
	// 0 takes a free one. It must be on loopback, because nobody is asked for a
	// token there.
	MetricsListen string `yaml:"metrics_listen"`
}

// Spool keeps an agent's reports on its disk while the master is away, so that
// they outlive a restart of the agent. Its file spool.db is in Agent.Data. While
// the master acknowledges reports, nothing is written.
type Spool struct {
	// On keeps reports on the disk. Without it they are kept in memory, as many as
	// Agent.BufferReports allows.
	On bool `yaml:"on" default:"true"`
	// MaxBytes bounds the file; the oldest reports are dropped first.
	MaxBytes Bytes `yaml:"max_bytes" default:"64MiB" min:"1MiB" max:"64GiB"`
	// MaxAge is how long a report is kept. The master takes samples that are as
	// late as its History.OutOfOrder.
	MaxAge time.Duration `yaml:"max_age" default:"24h" min:"1m" max:"30d"`
}

// OrDefault returns the spool with the defaults in its zero fields.
func (s Spool) OrDefault() Spool {
	var d Spool
	setDefaults(reflect.ValueOf(&d).Elem())
	s.MaxBytes = cmp.Or(s.MaxBytes, d.MaxBytes)
	s.MaxAge = cmp.Or(s.MaxAge, d.MaxAge)
	return s
}

// Policy says what code from a master may need, and which programs any script may
// run; see inspectors.Needs. Everything that is not named is refused.
type Policy struct {
	// Net lets code connect to other machines, but not to this one, to addresses
	// on its link, or to the metadata of a cloud.
	Net bool `yaml:"net" default:"false"`
	// Connect lists further places that code may connect to: HOST:PORT, or a
	// network such as 10.0.0.0/8:443, where the port may be *.
	Connect []string `yaml:"connect"`
	// Unix lists sockets in the file system, and folders with sockets, that code
	// may connect to.
	Unix []string `yaml:"unix"`
	// Processes lets code look into processes of other users: their input and
	// output, open files and programs.
	Processes bool `yaml:"processes" default:"false"`
	// FS lists files, and folders with everything in them, that code may read.
	FS []string `yaml:"fs"`
	// Exec lists programs that scripts may run, by their absolute paths. It
	// applies to every script, including those of this configuration.
	Exec []string `yaml:"exec"`
	// Plugins accepts plugins, which are compiled programs with all the rights of
	// the agent.
	Plugins bool `yaml:"plugins" default:"false"`
	// Signers lists public keys, in the form that `vedette key` prints. If there
	// are any, code from a master runs only with a signature by one of them.
	// Without any, no signature is needed.
	Signers []string `yaml:"signers"`
	// SignersNeeded is how many of Policy.Signers must have signed code. It has no
	// effect if there are none.
	SignersNeeded int `yaml:"signers_needed" default:"1" min:"1" max:"16"`
}

// Needs returns the policy in the form of package inspectors.
func (p Policy) Needs() inspectors.Policy {
	return inspectors.Policy{Net: p.Net, Endpoints: p.Connect, Sockets: p.Unix, Processes: p.Processes, Files: p.FS, Programs: p.Exec, Plugins: p.Plugins}
}

// Secret is a value that scripts of this host may read, such as a password, and
// says which scripts. Only its name leaves the host.
type Secret struct {
	// File holds the value and nothing else; a newline at its end is left out. It
	// is read again each time. A file that every user of the machine can read is
	// refused.
	File string `yaml:"file" absent:"the credential of the secret's name that systemd passes on" path:"true" private:"true"`
	// Env is the variable of the agent's environment that holds the value, instead
	// of a file.
	Env string `yaml:"env"`
	// For names the inspectors that may read it, or patterns of their names, for
	// example pg/*.
	For []string `yaml:"for"`
	// Signers lists public keys, in the form that `vedette key` prints. Code from
	// a master may read the secret only with a signature by one of them, even if
	// Policy.Signers is empty. For or Signers must be given; if both are, both
	// must be met.
	Signers []string `yaml:"signers"`
}

// Library is a choice of built-in inspectors.
type Library struct {
	All   bool
	Names []string
}

// Inspector is one entry of the inspectors map. Exactly one of Inspector.Go,
// Inspector.File, Inspector.Plugin, Inspector.Check, Inspector.Scrape,
// Inspector.StatsD and Inspector.Probe is given; Inspector.FileSD may be given
// with Inspector.Scrape or instead of it.
type Inspector struct {
	// Interval is the time between runs.
	Interval time.Duration `yaml:"interval" absent:"the script's //vedette:interval, else 10s" min:"100ms" max:"24h"`
	// Timeout is the longest that one run may take, at most the interval.
	Timeout time.Duration `yaml:"timeout" absent:"the script's //vedette:timeout, else 80 % of the interval" max:"24h"`
	// Budget bounds what it may take besides time. Where it is absent, the
	// script's //vedette:budget applies.
	Budget Budget `yaml:"budget"`
	// Isolation is the process that a script runs in: shared with others, or own,
	// which takes some 10 MiB more.
	Isolation string `yaml:"isolation" absent:"the script's //vedette:isolation, else shared" one:"a kind of isolation: shared, own"`
	// Go is the source: a whole file, or the bare body of a function.
	Go string `yaml:"go"`
	// File is a Go file.
	File string `yaml:"file" path:"true"`
	// Plugin is the path of a program.
	Plugin string `yaml:"plugin" path:"true"`
	// Check is the command line of a Nagios check, which starts with the absolute
	// path of a program that agent.policy.exec names. There is no shell.
	Check string `yaml:"check"`
	// Scrape is the address of a Prometheus exporter, for example
	// http://127.0.0.1:9100/metrics.
	Scrape string `yaml:"scrape"`
	// FileSD lists files of further exporters, or patterns of such files, in the
	// form of Prometheus' file_sd_configs.
	FileSD []string `yaml:"file_sd" path:"true"`
	// StatsD is where StatsD packets are received: an address such as :8125, which
	// is on loopback, or the path of a socket to make.
	StatsD string `yaml:"statsd"`
	// Probe asks services whether they are well, and measures how long they take
	// to answer.
	Probe string `yaml:"probe" one:"a probe: http, tls-expiry, dns, tcp, ping"`
	// Params say what a probe asks.
	Params Params `yaml:"params"`
	// Labels are added to every series of a scrape, of StatsD or of a probe, for
	// example team: db.
	Labels map[string]string `yaml:"labels" absent:"of a scrape job, which is the name of the inspector, and instance, which is host:port of the address"`
	// HonorLabels keeps the exporter's labels if Inspector.Labels has the same
	// names; otherwise they are renamed with exported_ in front.
	HonorLabels bool `yaml:"honor_labels" default:"false"`
	// Client says how exporters, and the services of the probe http, are asked.
	Client HTTPClient `yaml:"client"`
	// SHA256 is the expected hex checksum of the plugin's file.
	SHA256 string `yaml:"sha256"`
	// Args are the plugin's arguments.
	Args []string `yaml:"args"`

	place codePlace // for Go in the configuration
}

// Budget bounds what one inspector may take; see inspectors.Budget. A run that
// takes more is cut off and counted.
type Budget struct {
	// CPU is the processor time of one run.
	CPU time.Duration `yaml:"cpu" absent:"a quarter of the interval, at least 100ms and at most 10s" min:"1ms" max:"24h"`
	// Heap is the memory that a script may hold.
	Heap Bytes `yaml:"heap" absent:"64MiB" min:"1MiB" max:"4GiB"`
	// Output is the size of the samples and the printed text of one run; for a
	// scrape, the size of each exporter's answer, unpacked.
	Output Bytes `yaml:"output" absent:"1MiB, of a scrape 8MiB" min:"1KiB" max:"8MiB"`
	// Series is how many distinct series it may yield in about a day. If an
	// exporter shows more at once, its answer is refused as a whole.
	Series int `yaml:"series" absent:"5000" min:"1" max:"1000000"`
}
