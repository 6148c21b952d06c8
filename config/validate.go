package config

import (
	"crypto/tls"
	"encoding/hex"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/adapt"
	"github.com/vedettehq/vedette/internal/signing"
)

const maxNameBytes = 100

// validate checks the whole configuration: its own content always, and the files
// and addresses that it refers to only for the parts that will run.
func (l *loader) validate(o LoadOptions) {
	l.ranges()
	l.log()
	l.master()
	l.history()
	l.remoteWrite()
	l.alerts()
	l.audit()
	l.oidc()
	l.tokens()
	l.twoPersons()
	l.static()
	l.agent(o.Library)
	for _, name := range slices.Sorted(maps.Keys(l.c.Inspectors)) {
		l.inspector(name, l.c.Inspectors[name], o.For&PartAgent != 0)
	}
	if o.For&PartMaster != 0 {
		l.masterFiles()
	}
	if o.For&PartAgent != 0 {
		l.agentFiles()
	}
}

// faulty reports whether a value has a fault already, so that its consequences are
// not reported as well.
func (l *loader) faulty(path string) bool {
	at := l.at(path)
	return slices.ContainsFunc(l.faults, func(f Fault) bool {
		return f.Origin == at && strings.HasPrefix(f.Message, path)
	})
}

// check reports a fault of a value unless it has one already.
func (l *loader) check(bad bool, path, format string, args ...any) {
	if bad && !l.faulty(path) {
		l.fault(l.at(path), path+": "+format, args...)
	}
}

func (l *loader) log() {
	for _, name := range l.c.Log.Components {
		l.check(strings.TrimSpace(name) == "", "log.components", "the name of a component is empty")
	}
}

func (l *loader) master() {
	m := l.c.Master
	l.check(m.Name == "", "master.name", "the name is empty")
	l.check(len(m.Name) > maxNameBytes || printable(m.Name) != m.Name, "master.name",
		"%s is not a name of at most %d printable characters", quote(m.Name), maxNameBytes)
	host, port, err := net.SplitHostPort(m.Listen)
	switch {
	case err != nil && !strings.Contains(m.Listen, ":"):
		l.check(true, "master.listen", "%s has no port; write host:port, such as 127.0.0.1:50505", quote(m.Listen))
	case err != nil:
		l.check(true, "master.listen", "%s is not an address; write host:port, such as 127.0.0.1:50505 or [::1]:50505", quote(m.Listen))
	default:
		l.check(!validPort(port), "master.listen", "%s is not a port; write a number from 0 to 65535", quote(port))
		l.check(strings.ContainsAny(host, " /@"), "master.listen", "%s is not a host", quote(host))
	}
	l.check(m.Data == "", "master.data", "the folder has no name")
	l.check(m.TLS.Cert != "" && m.TLS.Key == "", "master.tls", "cert is given without key; both are needed")
	l.check(m.TLS.Cert == "" && m.TLS.Key != "", "master.tls", "key is given without cert; both are needed")
	l.check(m.TLS.Cert != "" && m.TLS.Own, "master.tls", "own is given with cert; the master either makes its certificate or uses that one")
	l.check(m.TLS.Cert != "" && len(m.TLS.Names) > 0, "master.tls", "names are given with cert; they are for a certificate that the master makes itself")
	for i, name := range m.TLS.Names {
		const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
		bad := net.ParseIP(name) == nil && (name == "" || len(name) > 253 || strings.Trim(name, allowed) != "")
		l.check(bad, l.entry("master.tls.names", i), "%s is neither a host name nor an address; write it as vedette.example or 192.0.2.7", quote(name))
	}
}

func (l *loader) history() {
	h, window := &l.c.Master.History, "master.history.out_of_order"
	if _, given := l.origins[window]; !given {
		h.OutOfOrder = min(h.OutOfOrder, h.Retention)
	}
	l.check(h.OutOfOrder > h.Retention, window, "%s is longer than the retention of %s", short(h.OutOfOrder), short(h.Retention))
}

// Exposed reports whether the master listens beyond loopback.
func (m Master) Exposed() bool {
	host, _, err := net.SplitHostPort(m.Listen)
	return err == nil && !IsLoopback(host)
}

// OwnCertificate reports whether the master makes its certificate itself.
func (m Master) OwnCertificate() bool { return m.TLS.Cert == "" && (m.TLS.Own || m.Exposed()) }

// Secure reports whether the master speaks TLS.
func (m Master) Secure() bool { return m.TLS.Cert != "" || m.OwnCertificate() }

func validPort(port string) bool {
	n, err := strconv.Atoi(port)
	return err == nil && 0 <= n && n <= 65535 && !strings.HasPrefix(port, "+")
}

// Roles of a token.
const (
	RoleAgent    = "agent"
	RoleViewer   = "viewer"
	RoleOperator = "operator"
	RoleAdmin    = "admin"
)

func (l *loader) tokens() {
	names, sums := make(map[string]int), make(map[string]int)
	for i, t := range l.c.Master.Tokens {
		at := l.entry("master.tokens", i)
		name, host, sum := l.child(at, "name"), l.child(at, "host"), l.child(at, "sha256")
		l.check(t.Name == "", name, "the token has no name; say whose it is")
		l.check(len(t.Name) > maxNameBytes || printable(t.Name) != t.Name, name, "%s is not a name of at most %d printable characters", quote(t.Name), maxNameBytes)
		if first, twice := names[t.Name]; twice && t.Name != "" {
			l.check(true, name, "%s is the name of token %d already", quote(t.Name), first+1)
		} else {
			names[t.Name] = i
		}
		l.check(t.Role == RoleAgent && t.Host == "", host, "an agent's token must say which host it stands for")
		if t.Role == RoleAgent && t.Host != "" {
			err := inspectors.ValidateHost(t.Host)
			l.check(err != nil, host, "%v", err)
		}
		l.check(t.Role != RoleAgent && t.Host != "", host, "only an agent's token stands for a host; remove it")
		l.check(t.Role == RoleAgent && t.Hosts != "", l.child(at, "hosts"), "an agent's token stands for its one host; remove it")
		l.check(t.Role == RoleAdmin && t.Hosts != "", l.child(at, "hosts"), "an admin's token is for all hosts; remove it, or make the role operator")
		raw, err := hex.DecodeString(t.SHA256)
		l.check(err != nil || len(raw) != 32, sum, "%s is not a SHA-256 in hex, 64 digits; `vedette token` prints it", quote(t.SHA256))
		if first, twice := sums[strings.ToLower(t.SHA256)]; twice && t.SHA256 != "" {
			l.check(true, sum, "this is the SHA-256 of token %d already", first+1)
		} else {
			sums[strings.ToLower(t.SHA256)] = i
		}
	}
}

// ownPaths are the first segments of the URL paths that the master serves itself.
func ownPaths() []string { return []string{"-", "api", "assets", "hosts", "metrics", "rpc", "write"} }

func (l *loader) static() {
	for _, at := range slices.Sorted(maps.Keys(l.c.Master.Static)) {
		p := l.entry("master.static", at)
		first, _, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
		var message string
		switch {
		case !strings.HasPrefix(at, "/"):
			message = "the URL path %s must start with /, such as /master/app"
		case path.Clean(at) != at:
			message = "the URL path %s must be plain, without //, /./, /../ and a / at its end"
		case at == "/" || slices.Contains(ownPaths(), first):
			message = "the URL path %s is the master's own; choose another, such as /master/app"
		case strings.ContainsAny(at, "{}?# %") || printable(at) != at:
			message = "the URL path %s has characters that a path may not have; use letters, digits, -, _ and ."
		}
		if message != "" {
			l.fault(l.atKey(p), "master.static: "+message, quote(at))
		}
		l.check(l.c.Master.Static[at] == "", p, "the folder has no name")
	}
}

func (l *loader) agent(library []string) {
	a := l.c.Agent
	err := inspectors.ValidateHost(a.Host)
	l.check(err != nil && a.Host != "", "agent.host", "%v", err)
	if l.origins["agent.host"].kind != fromDefault {
		l.check(a.Host == "", "agent.host", "the host name is empty; remove the line to take the machine's own")
	}
	l.masterURL()
	l.check(a.Data == "", "agent.data", "the folder has no name")
	l.metricsListen()
	l.policy()
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		p := l.entry("agent.labels", name)
		if _, err := inspectors.LabelsFromMap(map[string]string{name: a.Labels[name]}); err != nil {
			l.fault(l.atKey(p), "agent.labels: %v", err)
		}
	}
	l.check(len(a.Labels) > inspectors.MaxLabels, "agent.labels", "%d labels are given; at most %d are allowed", len(a.Labels), inspectors.MaxLabels)
	if library == nil {
		return
	}
	for i, name := range a.Library.Names {
		p := l.entry("agent.library", i)
		if !slices.Contains(library, name) {
			hint := didYouMean(name, library)
			if hint == "" {
				hint = "; `vedette inspector list` shows them"
			}
			l.fault(l.at(p), "agent.library: there is no built-in inspector %s%s", quote(name), hint)
		}
	}
}

// metricsListen refuses an address that others could reach, because it has no
// access control.
func (l *loader) metricsListen() {
	const p = "agent.metrics_listen"
	listen := l.c.Agent.MetricsListen
	if listen == "" {
		return
	}
	host, port, err := net.SplitHostPort(listen)
	l.check(err != nil, p, "%s is not an address; write host:port, such as 127.0.0.1:50506", quote(listen))
	l.check(err == nil && !validPort(port), p, "%s is not a port; write a number from 0 to 65535", quote(port))
	l.check(err == nil && !IsLoopback(host), p,
		"%s can be reached from other machines, and an agent asks nobody for a token; listen on 127.0.0.1, and put a proxy with TLS and a password in front if "+
			"others need it", quote(listen))
}

func (l *loader) policy() {
	for i, p := range l.c.Agent.Policy.FS {
		at := l.entry("agent.policy.fs", i)
		_, err := inspectors.ParseNeeds("fs:" + p)
		switch {
		case strings.ContainsAny(p, " \t\n"):
			l.check(true, at, "%s has spaces, and no script can name it; name the folder that it is in", quote(p))
		case err != nil:
			l.check(true, at, "%s is not a path that a script can name; write it absolute and plain, such as /var/log/app", quote(p))
		}
	}
	for i, p := range l.c.Agent.Policy.Connect {
		_, err := inspectors.ParseEndpoint(p)
		l.check(err != nil, l.entry("agent.policy.connect", i),
			"%s is not what a script can name; write HOST:PORT or a network, such as db-1:5432, 127.0.0.1:8080 or 10.0.0.0/8:443", quote(p))
	}
	for i, p := range l.c.Agent.Policy.Unix {
		_, err := inspectors.ParseNeeds("unix:" + p)
		l.check(err != nil || strings.ContainsAny(p, " \t\n"), l.entry("agent.policy.unix", i),
			"%s is not a socket that a script can name; write its absolute and plain path, such as /run/app.sock", quote(p))
	}
	l.publicKeys("agent.policy.signers", l.c.Agent.Policy.Signers)
	switch p := l.c.Agent.Policy; {
	case len(p.Signers) > 0:
		l.check(p.SignersNeeded > len(p.Signers), "agent.policy.signers_needed",
			"%d must have signed, but agent.policy.signers names %d", p.SignersNeeded, len(p.Signers))
	case p.SignersNeeded > 1:
		l.c.Warnings = append(l.c.Warnings, "agent.policy.signers_needed is given, but agent.policy.signers names nobody, so no signature is needed")
	}
	l.secrets()
	l.upgrade()
	for i, p := range l.c.Agent.Policy.Exec {
		_, err := inspectors.ParseNeeds("exec:" + p)
		if err != nil || strings.ContainsAny(p, " \t\n") {
			l.check(true, l.entry("agent.policy.exec", i), "%s is not a program that a script can name; write its absolute and plain path, such as /usr/bin/uptime",
				quote(p))
		}
	}
}

// publicKeys checks a list of public keys.
func (l *loader) publicKeys(path string, texts []string) {
	first := make(map[string]int)
	for i, text := range texts {
		at := l.entry(path, i)
		if _, err := signing.ParsePublic(text); err != nil {
			l.check(true, at, "%s is not a public key: %v; write it as `vedette key` prints it, %sBASE64", quote(text), err, signing.Prefix)
			continue
		}
		before, twice := first[text]
		l.check(twice, at, "it is the same key as %s", l.entry(path, before))
		if !twice {
			first[text] = i
		}
	}
}

func (l *loader) masterURL() {
	const p = "agent.master"
	master := l.c.Agent.Master
	u, err := url.Parse(master)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		example := "https://master:50505"
		if host, port, err := net.SplitHostPort(master); err == nil && host != "" && validPort(port) {
			example = "https://" + master
			if address, err := netip.ParseAddr(host); err == nil && address.IsLoopback() || host == "localhost" {
				example = "http://" + master
			}
		}
		l.check(true, p, "%s is not an address; write it as %s", quote(master), example)
	case !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme):
		l.check(true, p, "%s starts with %s; write http:// or https://", quote(master), quote(u.Scheme+"://"))
	case u.User != nil:
		// The address is not shown: it contains a secret.
		l.faults = append(l.faults, Fault{
			Origin:  l.at(p),
			Message: p + ": a name or password in the address is not used; put a token into a file and name that in token_file",
		})
	case u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/"):
		l.check(true, p, "%s goes on after the port; write it as https://master:50505", quote(master))
	case u.Port() != "" && !validPort(u.Port()):
		l.check(true, p, "%s is not a port; write a number from 1 to 65535", quote(u.Port()))
	}
}

func (l *loader) inspector(name string, in Inspector, files bool) {
	at := l.entry("inspectors", name)
	if err := inspectors.ValidateKey(name); err != nil {
		l.fault(l.atKey(at), "inspectors: %v", err)
	} else if chart, _ := inspectors.SplitKey(name); chart == "vedette" {
		l.fault(l.atKey(at), "inspectors: the chart vedette is the agent's own; choose another name than %s", quote(name))
	}
	l.schedule(at, in)
	l.budget(l.child(at, "budget"), in)
	l.isolation(l.child(at, "isolation"), in)
	kinds := 0
	for field, text := range map[string]string{
		"go": in.Go, "file": in.File, "plugin": in.Plugin, "check": in.Check, "scrape": in.Scrape, "statsd": in.StatsD, "probe": in.Probe,
	} {
		if _, given := l.origins[l.child(at, field)]; given || text != "" {
			kinds++
			l.check(strings.TrimSpace(text) == "", l.child(at, field), "it is empty")
		}
	}
	if len(in.FileSD) > 0 && in.Scrape == "" {
		kinds++
	}
	switch {
	case l.origins[at].kind == fromFile && kinds == 0 && !l.broken[at] && !l.faulty(at):
		l.fault(l.atKey(at), "%s: one of go, file, plugin, check, scrape, file_sd, statsd and probe must be given", at)
	case kinds > 1:
		l.fault(l.atKey(at), "%s: only one of go, file, plugin, check, scrape, statsd and probe may be given", at)
	}
	l.check(len(in.Go) > inspectors.MaxSourceBytes, l.child(at, "go"), "the code is %d bytes long; at most %d are allowed", len(in.Go), inspectors.MaxSourceBytes)
	if strings.TrimSpace(in.Check) != "" {
		_, err := adapt.Check(in.Check)
		l.check(err != nil, l.child(at, "check"), "%v", err)
	}
	l.collectors(at, in, files)
	if in.SHA256 != "" {
		raw, err := hex.DecodeString(in.SHA256)
		l.check(err != nil || len(raw) != 32, l.child(at, "sha256"), "%s is not a SHA-256 in hex, 64 digits; `sha256sum FILE` prints it", quote(in.SHA256))
	}
	l.check(in.SHA256 != "" && in.Plugin == "", l.child(at, "sha256"), "only a plugin has a checksum; remove it")
	l.check(len(in.Args) > 0 && in.Plugin == "", l.child(at, "args"), "only a plugin has arguments; remove them")
	if files && kinds == 1 {
		l.inspectorFiles(at, in)
	}
}

func (l *loader) schedule(at string, in Inspector) {
	timeout := l.child(at, "timeout")
	_, given := l.origins[timeout]
	l.check(given && in.Timeout <= 0, timeout, "%s is not above 0", short(in.Timeout))
	l.check(in.Interval >= inspectors.MinInterval && in.Timeout > in.Interval, timeout,
		"%s is longer than the interval %s; a run must end before the next is due", short(in.Timeout), short(in.Interval))
}

func (l *loader) budget(at string, in Inspector) {
	l.check(in.Budget.Heap != 0 && in.Plugin != "", l.child(at, "heap"), "the heap of a plugin is not measured; remove it")
}

func (l *loader) isolation(at string, in Inspector) {
	l.check(in.Plugin != "" && in.Isolation != "", at, "a plugin always has its own process; remove it")
}

// checkTLS loads the certificate as the server will.
func checkTLS(t TLS) error {
	_, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	return unwrapPath(err)
}
