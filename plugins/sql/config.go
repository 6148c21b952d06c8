package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/vedettehq/vedette/internal/secretfile"
)

// Settings are the configuration of the plugin.
type Settings struct {
	// Databases are asked side by side, by name, which is the label database.
	Databases map[string]*Database `yaml:"databases"`
}

// Database is one database and what it is asked.
type Database struct {
	// Driver is postgres or mysql, which is for MariaDB too.
	Driver string `yaml:"driver"`
	// DSNFile is the path of a file with the address, in the form of the driver. It is
	// relative to the configuration.
	DSNFile string `yaml:"dsn_file"`
	// DSNEnv is the environment variable that has the address instead.
	DSNEnv string `yaml:"dsn_env"`
	// Timeout is how long one query may take. Default 5s.
	Timeout Duration `yaml:"timeout"`
	// Queries run one after the other, on one connection.
	Queries []Query `yaml:"queries"`
}

// Query is one question.
type Query struct {
	// Name begins the names of the samples.
	Name string `yaml:"name"`
	// SQL is one statement, which runs in a transaction that only reads.
	SQL string `yaml:"sql"`
	// Labels are the columns that tell rows apart. All others are values.
	Labels []string `yaml:"labels"`
	// Counters are the columns whose values only grow.
	Counters []string `yaml:"counters"`
	// Timeout is that of this query; 0 is that of the database.
	Timeout Duration `yaml:"timeout"`
}

// Duration is a time such as 5s.
type Duration time.Duration

// UnmarshalYAML reads it.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	parsed, err := time.ParseDuration(n.Value)
	if err != nil || parsed <= 0 || parsed > time.Hour {
		return fmt.Errorf("line %d: %s is not a time such as 5s, up to 1h", n.Line, shown(n.Value))
	}
	*d = Duration(parsed)
	return nil
}

const (
	defaultTimeout = Duration(5 * time.Second)
	maxConfig      = 1 << 20
	maxDatabases   = 100
	maxQueries     = 100
)

// names are those of databases and queries: parts of a key.
var names = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// variables are names of environment variables.
var variables = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// addresses are what looks like the address of a database, in one of the forms of the
// drivers. People write one where its file should be named.
var addresses = regexp.MustCompile(`://|:.*@|@[a-z]*\(|\b(host|user|password|dbname)\s*=`)

// quoted are the beginnings of values in errors of the YAML library, and names of this
// program.
var quoted = regexp.MustCompile(" `[^`]*`| in type main\\.\\w+")

// shown is a word of a configuration in an error. It may be an address, which has a
// password.
func shown(word string) string {
	if addresses.MatchString(word) {
		return "the address of a database"
	}
	return strconv.Quote(word)
}

// parse reads a configuration, and names all of its faults. No error has an address.
func parse(text []byte) (*Settings, error) {
	var s Settings
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		text := quoted.ReplaceAllString(err.Error(), "")
		if addresses.MatchString(text) {
			text = "it has the address of a database where none can be; write that into a file, and name the file by dsn_file"
		}
		return nil, errors.New(text)
	}
	if err := d.Decode(new(yaml.Node)); err == nil {
		return nil, errors.New("it has a second document; put all into one")
	}
	return &s, s.check()
}

func (s *Settings) check() error {
	var faults []error
	add := func(place, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: %s", place, fmt.Sprintf(format, args...)))
	}
	if n := len(s.Databases); n == 0 || n > maxDatabases {
		add("databases", "%d are listed; list 1 to %d", n, maxDatabases)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Databases)) {
		place, db := "databases."+name, s.Databases[name]
		if addresses.MatchString(name) {
			add("databases", "the name of one is an address; give it a name such as shop, write the address into a file, and name the file by dsn_file")
			continue
		}
		if !names.MatchString(name) {
			add(place, "use lower-case letters, digits and _ for its name, with a letter first")
		}
		if db == nil {
			add(place, "it is empty; give it driver, dsn_file and queries")
			continue
		}
		db.check(place, add)
	}
	return errors.Join(faults...)
}

func (db *Database) check(place string, add func(place, format string, args ...any)) {
	if _, known := drivers[db.Driver]; !known {
		add(place+".driver", "%s is not known; use postgres, or mysql, which is for MariaDB too", shown(db.Driver))
	}
	switch {
	case (db.DSNFile == "") == (db.DSNEnv == ""):
		add(place, "give either dsn_file, a file with the address, or dsn_env, the variable that has it")
	case addresses.MatchString(db.DSNFile):
		add(place+".dsn_file", "it is an address; write that into a file that only the user of the agent can read, and name the file here")
	case db.DSNEnv != "" && !variables.MatchString(db.DSNEnv):
		add(place+".dsn_env", "it is not the name of an environment variable, such as SHOP_DSN")
	}
	if db.Timeout == 0 {
		db.Timeout = defaultTimeout
	}
	if n := len(db.Queries); n == 0 || n > maxQueries {
		add(place+".queries", "%d are listed; list 1 to %d", n, maxQueries)
	}
	seen := make(map[string]bool)
	for i := range db.Queries {
		q, at := &db.Queries[i], fmt.Sprintf("%s.queries[%d]", place, i)
		switch {
		case !names.MatchString(q.Name):
			add(at+".name", "%s is not a name; use lower-case letters, digits and _, with a letter first", shown(q.Name))
		case q.Name == "up" || q.Name == "query_duration_seconds":
			add(at+".name", "%q is what the plugin reports by itself; use another name", q.Name)
		case seen[q.Name]:
			add(at+".name", "%q is there twice", q.Name)
		}
		seen[q.Name] = true
		if strings.TrimSpace(q.SQL) == "" {
			add(at+".sql", "it is empty; write one statement, such as SELECT count(*) AS value FROM orders")
		}
		for _, column := range q.Counters {
			if slices.Contains(q.Labels, column) {
				add(at, "column %q is both a label and a counter", column)
			}
		}
		if q.Timeout == 0 {
			q.Timeout = db.Timeout
		}
	}
}

// dsn returns the address of a database. Its errors do not have it.
func (db *Database) dsn(folder string) (string, error) {
	if db.DSNEnv != "" {
		return secretfile.ReadEnv(db.DSNEnv, "dsn_file")
	}
	path := db.DSNFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	return secretfile.Read(path)
}
