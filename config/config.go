// Package config holds the typed configuration of master and agent and reads
// it: defaults, then a strict YAML file, then the environment and .env, then
// flags, then validation. Every fault is reported with the place where it
// stands, all of them at once, and every value knows where it came from.
package config

import (
	"log/slog"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// Config is the whole of one configuration. One file may serve a master, an
// agent, or both.
type Config struct {
	// Log says what is logged.
	Log Log `yaml:"log"`
	// Master configures the master; an agent ignores it.
	Master Master `yaml:"master"`
	// Agent configures the agent; a master ignores it.
	Agent Agent `yaml:"agent"`
	// Inspectors are the agent's own, keyed by name. They come beside those of
	// agent.library, and replace one of the same name.
	Inspectors map[string]Inspector `yaml:"inspectors"`
	// Warnings are what was found and is no fault, for the log.
	Warnings []string `yaml:"-"`

	src *source // or nil, in a Config that was not loaded
}

// Log says what is logged, to standard error.
type Log struct {
	// Level is the least that is logged: debug, info, warn or error.
	// Default info. Environment: LOG_LEVEL.
	Level slog.Level `yaml:"level"`
	// Components limits debug lines to those of the named components, as
	// "master,agent". Default all. Environment: LOG_COMPONENTS.
	Components Components `yaml:"components"`
	// Format is text or json. Default text. Environment: VEDETTE_LOG_FORMAT.
	Format string `yaml:"format"`
}

// Components are names of components, a list or "master,agent" in YAML.
type Components []string

// Master configures the master.
type Master struct {
	// Name is shown to people. Default "master". Environment: VEDETTE_NAME.
	Name string `yaml:"name"`
	// Listen is the host:port to listen on. Default 127.0.0.1:50505; port 0
	// takes a free one. Beyond loopback, TLS and Tokens are required.
	// Environment: VEDETTE_LISTEN, or MASTER_IP and MASTER_PORT.
	Listen string `yaml:"listen"`
	// Data is the folder of the master's files. Default: vedette in the user's
	// state folder ($XDG_STATE_HOME, else ~/.local/state, else /var/lib).
	// Environment: VEDETTE_MASTER_DATA.
	Data string `yaml:"data"`
	// TLS are the files of the certificate; none means plain HTTP.
	TLS TLS `yaml:"tls"`
	// Tokens are the credentials that are accepted. None means that the user who
	// runs the master, and root, are operators over loopback, and that other users of
	// the machine need the key that the master makes itself.
	Tokens []Token `yaml:"tokens"`
	// Static maps URL paths to folders that are served there, as
	// "/master/app": ./app.
	Static map[string]string `yaml:"static"`
	// GoneAfter is how long a host that reports by single calls may be silent
	// before it counts as gone, 1s to 24h. Default 7s.
	GoneAfter time.Duration `yaml:"gone_after"`
	// History says which samples are kept, and for how long.
	History History `yaml:"history"`
	// RemoteWrite are stores that get a copy of every sample, Prometheus among
	// them. Default none.
	RemoteWrite []RemoteWrite `yaml:"remote_write"`
}

// History configures the master's store of samples.
type History struct {
	// Persist keeps samples in the folder "history" of Master.Data. Without, they
	// are kept until the master stops. Default true.
	Persist bool `yaml:"persist"`
	// Retention is how long samples are kept, 2h to 10 years (3650d). Default
	// 15d.
	Retention time.Duration `yaml:"retention"`
	// MaxBytes bounds the store on disk, from 256MiB; the oldest samples go
	// first. Default 0, which is no bound.
	MaxBytes Bytes `yaml:"max_bytes"`
	// MinFreeBytes is how much of the disk is left alone: with less, agents are
	// asked to keep their samples. Default 0, which is 256MiB and a twentieth
	// of the disk on top, 1280MiB at most.
	MinFreeBytes Bytes `yaml:"min_free_bytes"`
	// OutOfOrder is how late a sample may come, 1m to Retention. It should be
	// no less than what agents keep while they cannot reach the master. Default
	// 24h, or Retention where that is shorter.
	OutOfOrder time.Duration `yaml:"out_of_order"`
	// MaxSeriesPerHost and MaxSeries bound the series that are active at once,
	// 1 to 10000000. Plan 3 KB of memory each. DefaultMaxSeriesPerHost and
	// DefaultMaxSeries.
	MaxSeriesPerHost int `yaml:"max_series_per_host"`
	MaxSeries        int `yaml:"max_series"`
}

// How many series may be active at once where nothing is said.
const (
	DefaultMaxSeriesPerHost = 50_000
	DefaultMaxSeries        = 2_000_000
)

// Bytes is a size. In YAML it is a number of bytes, or one with a unit, as
// 10GiB.
type Bytes int64

// TLS names PEM files.
type TLS struct {
	// Cert is the certificate chain.
	Cert string `yaml:"cert"`
	// Key is the private key.
	Key string `yaml:"key"`
}

// Token is a credential that the master accepts. `vedette token` makes one.
type Token struct {
	// Name says whose it is.
	Name string `yaml:"name"`
	// Role is agent (may report for Host), viewer (may look) or operator (may
	// do everything).
	Role string `yaml:"role"`
	// Host is the host that an agent's token stands for.
	Host string `yaml:"host"`
	// SHA256 is the hex SHA-256 of the token.
	SHA256 string `yaml:"sha256"`
}

// Agent configures the agent.
type Agent struct {
	// Host is the name under which the agent reports. Default: the host name
	// of the machine. Environment: VEDETTE_HOST.
	Host string `yaml:"host"`
	// Master is the address of the master, as https://master:50505. Default
	// http://127.0.0.1:50505. Environment: VEDETTE_MASTER, or MASTER_IP and
	// MASTER_PORT.
	Master string `yaml:"master"`
	// TokenFile holds the agent's token and nothing else. A file that every
	// user of the machine can read is refused. Environment: VEDETTE_TOKEN_FILE;
	// VEDETTE_TOKEN holds the token itself.
	TokenFile string `yaml:"token_file"`
	// Token is never in a file; it is what TokenFile or the environment gave.
	Token string `yaml:"-"`
	// CA is a PEM file of the authorities to trust for the master's
	// certificate. Default: those of the system. Environment: VEDETTE_CA.
	CA string `yaml:"ca"`
	// Data is the folder of the agent's files. Default: vedette-agent/HOST in
	// the user's state folder, as for the master, so that several agents may
	// share a machine. Environment: VEDETTE_AGENT_DATA.
	Data string `yaml:"data"`
	// Labels describe the host, as role: db.
	Labels map[string]string `yaml:"labels"`
	// Library names the built-in inspectors to run: all, none, or a list of
	// names. Default all.
	Library Library `yaml:"library"`
	// AcceptPushedInspectors lets the master send code to this host. Default
	// false.
	AcceptPushedInspectors bool `yaml:"accept_pushed_inspectors"`
	// Policy bounds what code that a master sends may reach on this host. The
	// inspectors of this configuration and the built-in ones are not bounded by
	// it, but for the programs that they run.
	Policy Policy `yaml:"policy"`
	// ScriptUser is the number of the user and the group that scripts run as
	// where the agent runs as root, 1 to 2147483647. Default 1986356340, which no
	// system gives to anybody.
	ScriptUser int `yaml:"script_user"`
	// BufferReports is how many reports are kept in memory while the master
	// does not acknowledge them, 1 to 1000000; the oldest go first. Default
	// 10000.
	BufferReports int `yaml:"buffer_reports"`
	// Spool is where reports go that the master does not acknowledge soon.
	Spool Spool `yaml:"spool"`
	// MetricsListen is the host:port on which the agent tells how it is, at
	// /metrics in the text format of Prometheus, as 127.0.0.1:50506; port 0 takes
	// a free one. It must be of loopback, as nobody is asked for a token there.
	// Default none.
	MetricsListen string `yaml:"metrics_listen"`
}

// Spool keeps an agent's reports on its disk while the master is away, so that
// they outlive a restart of the agent. Its file spool.db is in Agent.Data. While
// the master acknowledges, nothing is written.
type Spool struct {
	// On keeps reports on the disk. Without, they are kept in memory, as far as
	// Agent.BufferReports goes. Default true.
	On bool `yaml:"on"`
	// MaxBytes bounds the file, 1MiB to 64GiB; the oldest reports go first.
	// Default 64MiB.
	MaxBytes Bytes `yaml:"max_bytes"`
	// MaxAge is how long a report is kept, 1m to 30d. The master takes samples
	// that are as late as its History.OutOfOrder. Default 24h.
	MaxAge time.Duration `yaml:"max_age"`
}

// OrDefault returns the spool with its defaults for what is zero.
func (s Spool) OrDefault() Spool {
	if s.MaxBytes == 0 {
		s.MaxBytes = 64 << 20
	}
	if s.MaxAge == 0 {
		s.MaxAge = day
	}
	return s
}

// Policy is what code that a master sends may need, and which programs any script
// may; see inspectors.Needs. What is not named is refused.
type Policy struct {
	// Net lets it connect to other machines, but not to this one, to what is on
	// its link, or to the metadata of a cloud. Default false.
	Net bool `yaml:"net"`
	// Connect is what it may connect to beside that: HOST:PORT, or a network as
	// 10.0.0.0/8:443, where the port may be *. Default none.
	Connect []string `yaml:"connect"`
	// Unix are sockets of the file system, and folders of them, that it may
	// connect to. Default none.
	Unix []string `yaml:"unix"`
	// Processes lets it look into what belongs to processes of other users: their
	// input and output, open files and programs. Default false.
	Processes bool `yaml:"processes"`
	// FS are files, and folders with all that is in them, that it may read.
	// Default none.
	FS []string `yaml:"fs"`
	// Exec are programs that may be run, by their absolute paths. It holds for
	// every script, for those of this configuration too. Default none.
	Exec []string `yaml:"exec"`
	// Plugins lets it be plugins, which are compiled programs with all the rights
	// of the agent. Default false.
	Plugins bool `yaml:"plugins"`
	// Signers are public keys, as `vedette key` prints them. Where there are any,
	// code that a master sends runs only with a signature by one of them. Default
	// none, which wants no signature.
	Signers []string `yaml:"signers"`
}

// Needs returns the policy as package inspectors knows it.
func (p Policy) Needs() inspectors.Policy {
	return inspectors.Policy{Net: p.Net, Endpoints: p.Connect, Sockets: p.Unix, Processes: p.Processes, Files: p.FS, Programs: p.Exec, Plugins: p.Plugins}
}

// Library is a choice of built-in inspectors.
type Library struct {
	All   bool
	Names []string
}

// Inspector is one entry of the inspectors map. Exactly one of Go, File and
// Plugin is given.
type Inspector struct {
	// Interval is the time between runs, 100ms to 24h. Default: the script's
	// own //vedette:interval, else 10s.
	Interval time.Duration `yaml:"interval"`
	// Timeout is the longest that one run may take. Default: the script's own
	// //vedette:timeout, else 80 % of Interval.
	Timeout time.Duration `yaml:"timeout"`
	// Budget is what it may take beside time. Default: the script's own
	// //vedette:budget, else that of each field.
	Budget Budget `yaml:"budget"`
	// Isolation is the process that a script runs in: shared with others, or
	// own, for some 10 MiB more. Default: the script's own //vedette:isolation,
	// else shared.
	Isolation string `yaml:"isolation"`
	// Go is the source: a whole file, or the bare body of a function.
	Go string `yaml:"go"`
	// File is a Go file, relative to the configuration.
	File string `yaml:"file"`
	// Plugin is a program, relative to the configuration.
	Plugin string `yaml:"plugin"`
	// SHA256 is the expected hex checksum of the plugin's file.
	SHA256 string `yaml:"sha256"`
	// Args are the plugin's arguments.
	Args []string `yaml:"args"`

	place codePlace // of Go in the configuration
}

// Budget is what one inspector may take; see inspectors.Budget. A run that
// takes more is cut off and counted.
type Budget struct {
	// CPU is the processor time of one run, 1ms to 24h. Default a quarter of
	// the interval, at least 100ms and at most 10s.
	CPU time.Duration `yaml:"cpu"`
	// Heap is the memory that a script may hold, 1MiB to 4GiB. Default 64MiB.
	Heap Bytes `yaml:"heap"`
	// Output is the samples and the printed text of one run, 1KiB to 8MiB.
	// Default 1MiB.
	Output Bytes `yaml:"output"`
	// Series is how many distinct series it may yield in about a day, 1 to
	// 1000000. Default 5000.
	Series int `yaml:"series"`
}
