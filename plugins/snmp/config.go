package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"
	"go.yaml.in/yaml/v3"

	"github.com/vedettehq/vedette/internal/secretfile"
)

// Settings are the configuration of the plugin.
type Settings struct {
	// Devices are asked side by side, by name, which is the label device.
	Devices map[string]*Device `yaml:"devices"`
}

// Device is one device and what it is asked.
type Device struct {
	// Address is HOST or HOST:PORT, of UDP. The port is 161 by default.
	Address string `yaml:"address"`
	// Version is 2c or 3.
	Version string `yaml:"version"`
	// CommunityFile is the path of a file with the community of version 2c. It is relative
	// to the configuration. CommunityEnv is the environment variable that has it instead.
	CommunityFile string `yaml:"community_file"`
	CommunityEnv  string `yaml:"community_env"`
	// User is that of version 3. Auth is the protocol that authenticates it, by default
	// sha256, and Privacy the one that encrypts, by default aes. Each has a passphrase.
	User        string `yaml:"user"`
	Auth        string `yaml:"auth"`
	AuthFile    string `yaml:"auth_file"`
	AuthEnv     string `yaml:"auth_env"`
	Privacy     string `yaml:"privacy"`
	PrivacyFile string `yaml:"privacy_file"`
	PrivacyEnv  string `yaml:"privacy_env"`
	// Context is the context of version 3. Most devices have only the empty one.
	Context string `yaml:"context"`
	// Timeout is how long the device may take for one answer, by default 2s. It is then
	// asked again, Retries times; by default 2.
	Timeout Duration `yaml:"timeout"`
	Retries *int     `yaml:"retries"`
	// Repetitions are how many rows one answer may have, by default 25. Some devices need
	// fewer.
	Repetitions uint32 `yaml:"repetitions"`
	// MaxRows bounds the rows of one table, by default 1000.
	MaxRows int `yaml:"max_rows"`
	// Walk lists what is read beside Values and Tables: system and interfaces, which is
	// the default, or nothing.
	Walk *[]string `yaml:"walk"`
	// Interfaces are the interfaces to report, by name. By default all are.
	Interfaces Pattern `yaml:"interfaces"`
	// Values are single objects.
	Values []Object `yaml:"values"`
	// Tables are read a column at a time.
	Tables []Table `yaml:"tables"`
}

// Object is one object, or one column of a table.
type Object struct {
	// Name is that of the sample.
	Name string `yaml:"name"`
	// OID is the object in numbers, of a single one with its .0.
	OID string `yaml:"oid"`
	// Scale is multiplied with the value. 0 is 1.
	Scale float64 `yaml:"scale"`
	// Counter says that the value only grows, where the device calls it a number.
	Counter bool `yaml:"counter"`
}

// Table is a table of a device.
type Table struct {
	// Name begins the names of the samples.
	Name string `yaml:"name"`
	// Labels are columns by the label that each becomes.
	Labels map[string]string `yaml:"labels"`
	// Index is the label of the row's index. Without any label it is index.
	Index string `yaml:"index"`
	// Values are the columns to report.
	Values []Object `yaml:"values"`
}

// Duration is a time such as 2s.
type Duration time.Duration

// UnmarshalYAML reads it.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	parsed, err := time.ParseDuration(n.Value)
	if err != nil || parsed <= 0 || parsed > time.Hour {
		return fmt.Errorf("line %d: %q is not a time such as 2s, up to 1h", n.Line, n.Value)
	}
	*d = Duration(parsed)
	return nil
}

// Pattern is a regular expression that has to match a whole text, or nil for any text.
type Pattern struct{ *regexp.Regexp }

// UnmarshalYAML reads it.
func (p *Pattern) UnmarshalYAML(n *yaml.Node) error {
	parsed, err := regexp.Compile("^(?:" + n.Value + ")$")
	if err != nil {
		return fmt.Errorf("line %d: %q is not a regular expression: %v", n.Line, n.Value, err)
	}
	p.Regexp = parsed
	return nil
}

const (
	defaultTimeout     = Duration(2 * time.Second)
	defaultRetries     = 2
	defaultRepetitions = 25
	defaultRows        = 1000
	maxConfig          = 1 << 20
	maxDevices         = 500
	maxObjects         = 100 // of each kind
	maxRows            = 5000
	maxCommunity       = 127 // of the library
	minPassphrase      = 8   // RFC 3414
)

var (
	names = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

	// types are names of this program in errors of the YAML library.
	types = regexp.MustCompile(` in type main\.\w+`)

	auths = map[string]gosnmp.SnmpV3AuthProtocol{
		"md5": gosnmp.MD5, "sha": gosnmp.SHA, "sha224": gosnmp.SHA224, "sha256": gosnmp.SHA256, "sha384": gosnmp.SHA384, "sha512": gosnmp.SHA512,
	}
	privacies = map[string]gosnmp.SnmpV3PrivProtocol{
		"des": gosnmp.DES, "aes": gosnmp.AES, "aes192": gosnmp.AES192, "aes256": gosnmp.AES256, "aes192c": gosnmp.AES192C, "aes256c": gosnmp.AES256C,
	}
	// own are the names of samples that the plugin gives by itself.
	own = regexp.MustCompile(`^(up|info|uptime_seconds|walk_duration_seconds|interface_.*)$`)
)

// parse reads a configuration, and names all of its faults.
func parse(text []byte) (*Settings, error) {
	var s Settings
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(types.ReplaceAllString(err.Error(), ""))
	}
	if err := d.Decode(new(yaml.Node)); err == nil {
		return nil, errors.New("it has a second document; put all into one")
	}
	return &s, s.check()
}

// add notes a fault of a configuration.
type add func(place, format string, args ...any)

func (s *Settings) check() error {
	var faults []error
	add := func(place, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: %s", place, fmt.Sprintf(format, args...)))
	}
	if n := len(s.Devices); n == 0 || n > maxDevices {
		add("devices", "%d are listed; list 1 to %d", n, maxDevices)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Devices)) {
		place, d := "devices."+name, s.Devices[name]
		if name == "" || len(name) > 128 || strings.TrimSpace(name) != name {
			add(place, "its name is empty, too long, or has space around it")
		}
		if d == nil {
			add(place, "it is empty; give it address, version and a secret")
			continue
		}
		d.check(place, add)
	}
	return errors.Join(faults...)
}

func (d *Device) check(place string, add add) {
	if host, port, err := d.hostPort(); err != nil || host == "" || port == 0 {
		add(place+".address", "%q is not an address; write HOST or HOST:PORT", d.Address)
	}
	switch d.Version {
	case "2c":
		d.checkCommunity(place, add)
	case "3":
		d.checkUser(place, add)
	default:
		add(place+".version", "%q is not a version; use 3, or 2c, which sends everything in the clear", d.Version)
	}
	if d.Timeout == 0 {
		d.Timeout = defaultTimeout
	}
	if d.Retries == nil {
		d.Retries = new(int(defaultRetries))
	}
	if *d.Retries < 0 || *d.Retries > 10 {
		add(place+".retries", "%d is out of range; use 0 to 10", *d.Retries)
	}
	if d.Repetitions == 0 {
		d.Repetitions = defaultRepetitions
	}
	if d.Repetitions > 100 {
		add(place+".repetitions", "%d is out of range; use 1 to 100", d.Repetitions)
	}
	if d.MaxRows == 0 {
		d.MaxRows = defaultRows
	}
	if d.MaxRows < 0 || d.MaxRows > maxRows {
		add(place+".max_rows", "%d is out of range; use 1 to %d", d.MaxRows, maxRows)
	}
	if d.Walk == nil {
		d.Walk = &[]string{"system", "interfaces"}
	}
	for _, what := range *d.Walk {
		if what != "system" && what != "interfaces" {
			add(place+".walk", "%q cannot be walked; use system and interfaces", what)
		}
	}
	d.checkObjects(place, add)
}

func (d *Device) checkCommunity(place string, add add) {
	if (d.CommunityFile == "") == (d.CommunityEnv == "") {
		add(place, "give either community_file, a file with the community, or community_env, the variable that has it")
	}
	if d.User+d.Auth+d.AuthFile+d.AuthEnv+d.Privacy+d.PrivacyFile+d.PrivacyEnv+d.Context != "" {
		add(place, "user, auth, privacy and context are for version 3; this is version 2c")
	}
}

func (d *Device) checkUser(place string, add add) {
	if d.CommunityFile+d.CommunityEnv != "" {
		add(place, "a community is for version 2c; this is version 3")
	}
	if d.User == "" || len(d.User) > 32 {
		add(place+".user", "it has %d characters; write 1 to 32", len(d.User))
	}
	if d.Auth == "" {
		d.Auth = "sha256"
	}
	if d.Privacy == "" {
		d.Privacy = "aes"
	}
	if _, known := auths[d.Auth]; !known {
		add(place+".auth", "%q is not known; use one of %s", d.Auth, strings.Join(slices.Sorted(maps.Keys(auths)), ", "))
	}
	if _, known := privacies[d.Privacy]; !known {
		add(place+".privacy", "%q is not known; use one of %s", d.Privacy, strings.Join(slices.Sorted(maps.Keys(privacies)), ", "))
	}
	if (d.AuthFile == "") == (d.AuthEnv == "") {
		add(place, "give either auth_file, a file with the passphrase that authenticates, or auth_env, the variable that has it")
	}
	if (d.PrivacyFile == "") == (d.PrivacyEnv == "") {
		add(place, "give either privacy_file, a file with the passphrase that encrypts, or privacy_env, the variable that has it")
	}
}

func (d *Device) checkObjects(place string, add add) {
	if len(d.Values) > maxObjects || len(d.Tables) > maxObjects {
		add(place, "it lists %d values and %d tables; at most %d of each are allowed", len(d.Values), len(d.Tables), maxObjects)
	}
	seen := make(map[string]bool)
	name := func(at, name string) {
		switch {
		case !names.MatchString(name):
			add(at, "%q is not a name; use lower-case letters, digits and _, with a letter first", name)
		case own.MatchString(name):
			add(at, "%q is what the plugin reports by itself; use another name", name)
		case seen[name]:
			add(at, "%q is there twice", name)
		}
		seen[name] = true
	}
	for i := range d.Values {
		at := fmt.Sprintf("%s.values[%d]", place, i)
		name(at+".name", d.Values[i].Name)
		d.Values[i].check(at, add)
	}
	for i := range d.Tables {
		t, at := &d.Tables[i], fmt.Sprintf("%s.tables[%d]", place, i)
		if !names.MatchString(t.Name) {
			add(at+".name", "%q is not a name; use lower-case letters, digits and _, with a letter first", t.Name)
		}
		t.check(at, add)
		for j := range t.Values {
			v := fmt.Sprintf("%s.values[%d]", at, j)
			name(v+".name", t.sample(&t.Values[j]))
			t.Values[j].check(v, add)
		}
	}
}

func (t *Table) check(place string, add add) {
	if len(t.Labels) == 0 && t.Index == "" {
		t.Index = "index"
	}
	for _, label := range append(slices.Sorted(maps.Keys(t.Labels)), t.Index) {
		_, column := t.Labels[label]
		switch {
		case label == "" && !column: // there is no index
		case !names.MatchString(label):
			add(place+".labels", "%q is not a label; use lower-case letters, digits and _, with a letter first", label)
		case label == "device":
			add(place+".labels", `the label "device" is the name in the configuration; use another one`)
		case label == t.Index && column:
			add(place+".index", "%q is a label that is read from a column already", label)
		case column && !isOID(t.Labels[label]):
			add(place+".labels."+label, "%q is not an OID in numbers, such as 1.3.6.1.2.1.31.1.1.1.1", t.Labels[label])
		}
	}
	if n := len(t.Values); n == 0 || n > maxObjects {
		add(place+".values", "%d columns are listed; list 1 to %d", n, maxObjects)
	}
}

func (o *Object) check(place string, add add) {
	if !isOID(o.OID) {
		add(place+".oid", "%q is not an OID in numbers, such as 1.3.6.1.2.1.1.3.0", o.OID)
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	if math.IsNaN(o.Scale) || math.IsInf(o.Scale, 0) {
		add(place+".scale", "%v is not a finite number", o.Scale)
	}
}

// isOID reports whether a text is an OID in numbers.
func isOID(text string) bool {
	parts := strings.Split(strings.TrimPrefix(text, "."), ".")
	return len(parts) > 1 && len(parts) <= 128 && slices.Contains([]string{"0", "1", "2"}, parts[0]) && !slices.ContainsFunc(parts, func(part string) bool {
		n, err := strconv.ParseUint(part, 10, 32)
		return err != nil || strconv.FormatUint(n, 10) != part
	})
}

// sample is the name of a column's samples.
func (t *Table) sample(o *Object) string {
	if o.Name == "value" {
		return t.Name
	}
	return t.Name + "_" + o.Name
}

// hostPort takes the address apart.
func (d *Device) hostPort() (host string, port uint16, err error) {
	if ip := net.ParseIP(strings.Trim(d.Address, "[]")); ip != nil || !strings.Contains(d.Address, ":") {
		return strings.Trim(d.Address, "[]"), 161, nil
	}
	host, text, err := net.SplitHostPort(d.Address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return host, uint16(n), err
}

// secrets are what a device is asked with.
type secrets struct{ community, auth, privacy string }

// secrets reads those of a device. Its errors have none of them.
func (d *Device) secrets(folder string) (s secrets, err error) {
	read := func(what, file, env string) (string, error) {
		if env != "" {
			return secretfile.ReadEnv(env, what+"_file")
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(folder, file)
		}
		return secretfile.Read(file)
	}
	if d.Version == "2c" {
		s.community, err = read("community", d.CommunityFile, d.CommunityEnv)
		if len(s.community) > maxCommunity {
			return s, fmt.Errorf("its community has %d bytes; at most %d are allowed", len(s.community), maxCommunity)
		}
		return s, err
	}
	if s.auth, err = read("auth", d.AuthFile, d.AuthEnv); err != nil {
		return s, err
	}
	if s.privacy, err = read("privacy", d.PrivacyFile, d.PrivacyEnv); err != nil {
		return s, err
	}
	if len(s.auth) < minPassphrase || len(s.privacy) < minPassphrase {
		return s, fmt.Errorf("a passphrase of version 3 is too short; each needs at least %d characters", minPassphrase)
	}
	return s, nil
}
