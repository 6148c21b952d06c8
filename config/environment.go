package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// variable is a setting that a variable of the environment may give.
type variable struct {
	name string
	path string // of the setting
}

// variables lists them. MASTER_IP and MASTER_PORT come first, so that the more
// specific ones win.
func variables() []variable {
	list := []variable{{"MASTER_IP", ""}, {"MASTER_PORT", ""}}
	for _, s := range Settings() {
		if s.Env != "" {
			list = append(list, variable{s.Env, s.Path})
		}
	}
	return list
}

// VariableConfig is the variable that names the configuration file. The
// commands read it, not Load.
const VariableConfig = "VEDETTE_CONFIG"

// VariableSignKey is the variable that names the file with the key that signs
// what is pushed. The commands that push read it, not Load.
const VariableSignKey = "VEDETTE_SIGN_KEY"

// VariableTimeout is the variable that says how long commands wait for an answer
// of the master. They read it, not Load.
const VariableTimeout = "VEDETTE_TIMEOUT"

// dotEnvName is read in the current directory only.
const dotEnvName = ".env"

const maxDotEnvBytes = 64 << 10

// loader applies the layers of a configuration, one over the other.
type loader struct {
	*source
	c *Config
}

// dotEnv applies the .env file of a directory. If there is none, or if another
// program's file has this name, that is no fault: a file that cannot be read or
// understood is a fault only if it may contain our settings.
func (l *loader) dotEnv(dir string) {
	file, fault := readDotEnv(dir)
	if fault != "" && file.ours {
		l.fault(file.at, "%s", fault)
	} else if fault != "" {
		l.c.Warnings = append(l.c.Warnings, file.at.place()+": left out: "+fault)
	}
	l.variables(file.values, file.origin)
}

// dotEnvFile is the content of a .env file.
type dotEnvFile struct {
	path   string
	values map[string]string
	lines  []string
	ours   bool   // it may contain settings that nothing else reads
	at     Origin // of the fault, if there is one
}

// origin returns the place of a variable.
func (f *dotEnvFile) origin(name string) Origin {
	return Origin{kind: fromDotEnv, name: name, file: f.path, line: dotEnvLine(f.lines, name)}
}

// readDotEnv reads the .env file of a directory, and returns its fault, if any. It
// returns no values if there is no file: a folder may be called .env too.
func readDotEnv(dir string) (file dotEnvFile, fault string) {
	file.path = filepath.Join(dir, dotEnvName)
	file.at = Origin{kind: fromFile, name: file.path}
	info, err := os.Stat(file.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return file, ""
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(file.path)
	}
	if err != nil {
		file.ours = true // who knows
		return file, fmt.Sprintf("cannot read the file: %v", unwrapPath(err))
	}
	file.ours = slices.ContainsFunc([]string{"VEDETTE_", "MASTER_IP", "MASTER_PORT"}, func(name string) bool { // LOG_LEVEL is anybody's
		return bytes.Contains(text, []byte(name))
	})
	if len(text) > maxDotEnvBytes {
		return file, fmt.Sprintf("the file is %d bytes long; at most %d are allowed", len(text), maxDotEnvBytes)
	}
	values, err := parseDotEnv(text)
	if err != nil {
		// The parser's own message would show the content of the file.
		file.at.line, file.at.col = dotEnvFault(text), 1
		return file, "cannot be understood; write NAME=value, with quotes around a value that has spaces or #"
	}
	file.values, file.lines = values, strings.Split(string(text), "\n")
	return file, ""
}

func parseDotEnv(text []byte) (values map[string]string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("cannot be understood")
		}
	}()
	return godotenv.Parse(bytes.NewReader(text))
}

// dotEnvFault finds the first line with which the text cannot be parsed.
func dotEnvFault(text []byte) int {
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) > searchLines {
		return 1
	}
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := parseDotEnv(bytes.Join(lines[:n], nil)); err == nil {
			return n + 1
		}
	}
	return 1
}

// dotEnvLine finds the line that gives a variable; the last one counts.
func dotEnvLine(lines []string, name string) int {
	for i, line := range slices.Backward(lines) {
		line = strings.TrimSpace(line)
		line = strings.TrimSpace(strings.TrimPrefix(line, "export "))
		rest, found := strings.CutPrefix(line, name)
		if rest = strings.TrimSpace(rest); found && rest != "" && (rest[0] == '=' || rest[0] == ':') {
			return i + 1
		}
	}
	return 1
}

// environment applies the variables of the process.
func (l *loader) environment(environ []string) {
	values := make(map[string]string, len(environ))
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok {
			values[name] = value
		}
	}
	l.variables(values, func(name string) Origin { return Origin{kind: fromEnv, name: name} })
}

// variables applies one layer of the environment. An empty variable counts as
// absent.
func (l *loader) variables(values map[string]string, origin func(name string) Origin) {
	l.masterAddress(values, origin)
	known := []string{VariableConfig, VariableSignKey, VariableTimeout}
	for _, v := range variables() {
		known = append(known, v.name)
		if text := values[v.name]; text != "" && v.path != "" {
			l.set(v.path, text, origin(v.name))
		}
	}
	var unknown []string
	for name := range values {
		if strings.HasPrefix(name, "VEDETTE_") && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		// Not a fault: container platforms add their own variables.
		l.c.Warnings = append(l.c.Warnings, origin(name).String()+": no such setting"+didYouMean(name, known))
	}
}

// masterAddress applies MASTER_IP and MASTER_PORT: where the master listens, and
// where the agent finds it. Each replaces only its half of the address.
func (l *loader) masterAddress(values map[string]string, origin func(name string) Origin) {
	ip, port := values["MASTER_IP"], values["MASTER_PORT"]
	if ip != "" && net.ParseIP(ip) == nil && strings.ContainsAny(ip, ":/ ") {
		l.fault(origin("MASTER_IP"), "%s is neither an address nor a host name; the port goes into MASTER_PORT", quote(ip))
		ip = ""
	}
	if port != "" && !validPort(port) {
		l.fault(origin("MASTER_PORT"), "%s is not a port; write a number from 0 to 65535", quote(port))
		port = ""
	}
	if ip == "" && port == "" {
		return
	}
	host, oldPort, err := net.SplitHostPort(l.c.Master.Listen)
	if err == nil {
		l.c.Master.Listen = net.JoinHostPort(or(ip, host), or(port, oldPort))
		l.origins["master.listen"] = l.half(ip, port, origin, "master.listen")
	}
	if u, err := url.Parse(l.c.Agent.Master); err == nil && u.Host != "" {
		u.Host = net.JoinHostPort(or(ip, u.Hostname()), or(port, u.Port()))
		l.c.Agent.Master = u.String()
		l.origins["agent.master"] = l.half(ip, port, origin, "agent.master")
	}
}

// half is the origin of an address of which a layer gave one half, or both.
func (l *loader) half(ip, port string, origin func(name string) Origin, path string) Origin {
	if ip != "" && port != "" {
		o := origin("MASTER_IP")
		o.beside = origin("MASTER_PORT").String()
		return o
	}
	o := origin("MASTER_PORT")
	if ip != "" {
		o = origin("MASTER_IP")
	}
	if before := l.origins[path]; before.kind != fromDefault {
		before.beside = ""
		o.beside = before.String()
	}
	return o
}

// set gives one setting a value from its text.
func (l *loader) set(path, text string, o Origin) {
	if key, ok := strings.CutPrefix(path, "master.static["); ok {
		key = strings.TrimSuffix(key, "]")
		static := map[string]string{key: text}
		for k, v := range l.c.Master.Static {
			if k != key {
				static[k] = v
			}
		}
		l.c.Master.Static = static
		l.origins[l.entry("master.static", key)] = o
		l.keys[l.entry("master.static", key)] = o
		return
	}
	v, ok := settingOf(l.c, path)
	if !ok {
		l.fault(o, "there is no setting %s", path)
		return
	}
	if err := setText(v, text); err != nil {
		l.fault(o, "%v", err)
		return
	}
	l.origins[path] = o
}

// settingOf finds a setting by its path, such as master.listen.
func settingOf(c *Config, path string) (reflect.Value, bool) {
	if path == "agent.token" { // not in the file, so not among its fields
		return reflect.ValueOf(&c.Agent.Token).Elem(), true
	}
	v := reflect.ValueOf(c).Elem()
	for name := range strings.SplitSeq(path, ".") {
		if v.Kind() != reflect.Struct {
			return v, false
		}
		fields := fieldsOf(v.Type())
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			return v, false
		}
		v = v.FieldByIndex(fields[i].index)
	}
	return v, true
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
