package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// Part is a part of the product that a process runs. Parts are added with "|".
type Part uint8

// The parts.
const (
	PartMaster Part = 1 << iota
	PartAgent
)

// LoadOptions say where a configuration comes from.
type LoadOptions struct {
	// Path is the configuration file. Empty means none.
	Path string
	// Dir is where .env is looked for. Empty means the current directory.
	Dir string
	// Environ are the variables as NAME=value. Nil means those of the process.
	Environ []string
	// Overrides are what the command line says; they win over all else, and
	// the last of them over the others.
	Overrides []Override
	// For are the parts that will run. Only their needs are checked: that their
	// files exist and are kept safe, and that the master may listen on its
	// address. So one file may serve two machines.
	For Part
	// Client is set for a client of a master, which is not a part. Of the settings
	// it gets only the agent's token, and that only from the place that gives the
	// master's address.
	Client bool
	// Library are the names of the built-in inspectors. Nil means that the names
	// in agent.library are not checked.
	Library []string
}

// Override is one setting from the command line.
type Override struct {
	// Path is the setting, such as master.listen or master.static[/master/app].
	Path string
	// Value is its text, in the form that the environment has.
	Value string
	// Flag is the name of the flag that gave it, without dashes.
	Flag string
}

// Load reads a configuration: defaults, then the file, then .env, then the
// environment, then the command line, and checks the whole. The error is
// Faults, with every fault that there is.
//
// Relative paths of the file are made relative to the folder of the file, those
// of the environment and of flags are relative to the current directory.
func Load(o LoadOptions) (*Config, error) {
	environ := o.Environ
	if environ == nil {
		environ = os.Environ()
	}
	c := Default(environ)
	l := &loader{source: newSource(), c: c}
	c.src = l.source
	if o.Path != "" {
		l.readFile(o.Path)
	}
	if o.Client {
		l.clientLayers(o, environ)
	} else {
		l.dotEnv(o.Dir)
		l.environment(environ)
		for _, override := range o.Overrides {
			l.set(override.Path, override.Value, Origin{kind: fromFlag, name: override.Flag})
		}
	}
	if l.origins["agent.data"].kind == fromDefault && c.Agent.Host != "" {
		c.Agent.Data = filepath.Join(c.Agent.Data, c.Agent.Host)
	}
	l.absoluteData()
	l.validate(o)
	if o.For&PartAgent != 0 || o.For == 0 {
		l.readToken()
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Default returns the configuration without any settings. environ tells where the
// user's state folder is: XDG_STATE_HOME and HOME count.
func Default(environ []string) *Config {
	c := new(Config)
	setDefaults(reflect.ValueOf(c).Elem())
	c.Master.Data = filepath.Join(stateFolder(environ), "vedette")
	c.Agent.Data = filepath.Join(stateFolder(environ), "vedette-agent")
	c.Agent.TokenFile = credential(environ, "agent.token")
	if host, err := os.Hostname(); err == nil {
		c.Agent.Host = hostName(host)
		if c.Agent.Host != host {
			c.Warnings = append(c.Warnings, fmt.Sprintf("the machine's host name %s has characters that a host's name may not have; it reports as %s; set "+
				"agent.host to choose another", quote(host), quote(c.Agent.Host)))
		}
	}
	c.src = newSource()
	return c
}

// HostBy says who gave agent.host: "machine" where it is the machine's own name, or
// the absolute path of the file that has it. It is "" for the environment and for
// flags, which may differ from one start to the next, and in a Config that was not
// loaded.
func (c *Config) HostBy() string {
	if c.src == nil {
		return ""
	}
	switch o := c.src.origins["agent.host"]; o.kind {
	case fromDefault:
		return "machine"
	case fromFile:
		if path, err := filepath.Abs(o.name); err == nil {
			return path
		}
	}
	return ""
}

// credential returns the file of a credential that the service manager passes on,
// or "".
func credential(environ []string, name string) string {
	for _, e := range environ {
		if dir, ok := strings.CutPrefix(e, "CREDENTIALS_DIRECTORY="); ok && filepath.IsAbs(dir) {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				return filepath.Join(dir, name)
			}
		}
	}
	return ""
}

// stateFolder is where the XDG base directory specification puts the data that a
// program keeps between runs. A service without a home keeps it in /var/lib.
func stateFolder(environ []string) string {
	home := ""
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, "XDG_STATE_HOME="); ok && filepath.IsAbs(v) {
			return v
		}
		if v, ok := strings.CutPrefix(e, "HOME="); ok {
			home = v
		}
	}
	if filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state")
	}
	return "/var/lib"
}

// hostName turns a machine's own name into a valid one.
func hostName(name string) string {
	legal := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, name)
	legal = strings.TrimLeft(legal[:min(len(legal), inspectors.MaxHostBytes)], "-_.")
	if inspectors.ValidateHost(legal) != nil {
		return "localhost"
	}
	return legal
}

func (l *loader) readFile(path string) {
	l.file = path
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.fault(l.fileOrigin(), "there is no such file")
	case err != nil:
		l.fault(l.fileOrigin(), "cannot read the file: %v", unwrapPath(err))
	default:
		decode(l.source, text, l.c)
		l.resolvePaths(filepath.Dir(path))
	}
}

// resolvePaths makes the file's own relative paths relative to the current
// directory instead of the file's folder.
func (l *loader) resolvePaths(dir string) {
	l.settings(func(path string, v reflect.Value, s Setting) {
		if s.File && v.String() != "" && !filepath.IsAbs(v.String()) && l.origins[path].kind == fromFile {
			v.SetString(filepath.Join(dir, v.String()))
		}
	})
}

// absoluteData makes the data folders absolute, because the processes that an agent starts
// have another current directory.
func (l *loader) absoluteData() {
	for _, folder := range []*string{&l.c.Master.Data, &l.c.Agent.Data} {
		if abs, err := filepath.Abs(*folder); err == nil && *folder != "" {
			*folder = abs
		}
	}
}

// readToken takes the agent's token from its file, unless the token itself was
// given in the same layer or a later one.
func (l *loader) readToken() {
	a := &l.c.Agent
	const path = "agent.token_file"
	if a.TokenFile != "" && l.origins[path].kind > l.origins["agent.token"].kind {
		a.Token = ""
	}
	if a.Token == "" && a.TokenFile != "" {
		text, err := readSecret(a.TokenFile, maxTokenBytes)
		if err != nil {
			l.fault(l.at(path), "%s: %v", path, err)
			return
		}
		a.Token = strings.TrimSpace(string(text))
		switch {
		case a.Token == "":
			l.fault(l.at(path), "%s: the file %s is empty; it must hold the token", path, quote(a.TokenFile))
		case strings.ContainsAny(a.Token, " \t\r\n"):
			l.fault(l.at(path), "%s: the file %s holds more than one word; it must hold the token alone", path, quote(a.TokenFile))
		}
	}
	if a.Token == "" {
		return
	}
	if u, err := url.Parse(a.Master); err == nil && !isTLS(u) && !IsLoopback(u.Hostname()) {
		l.fault(l.at("agent.master"), "agent.master: the token would cross the network in clear to %s; write https://, or remove the token", quote(a.Master))
	}
}

const maxTokenBytes = 4 << 10

func isTLS(u *url.URL) bool { return u.Scheme == "https" || u.Scheme == "wss" }

// IsLoopback reports whether a host part of an address cannot be reached from
// another machine: a loopback address, or localhost.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Origin returns where the value of a setting came from. Path is a path such as
// master.listen, inspectors[load/average-1].interval or master.tokens[0].role.
func (c *Config) Origin(path string) Origin {
	if c.src == nil {
		return Origin{}
	}
	return c.src.origins[path]
}

// unwrapPath removes the path from an error whose message already has it.
func unwrapPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
