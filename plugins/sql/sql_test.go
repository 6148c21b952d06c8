package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// TestMain is the plugin where an agent starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv("VEDETTE_PLUGIN") != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

const password = "correct-horse-battery"

// server is a database server that the test starts.
type server struct {
	driver, dsn string
	sleep       string // a statement that takes a minute
	cmd         func() *exec.Cmd
	running     *exec.Cmd
}

// program finds a program of a Debian package, or skips the test. VEDETTE_TEST_NAME, where
// it is set, is the program.
func program(t *testing.T, name, pattern, pkg string) string {
	t.Helper()
	if path := os.Getenv("VEDETTE_TEST_" + strings.ToUpper(name)); path != "" {
		return path
	}
	if path, err := exec.LookPath(name); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return path
		}
	}
	found, _ := filepath.Glob(pattern)
	if len(found) == 0 {
		t.Skipf("%s is not installed: the Debian package %s has it", name, pkg)
	}
	return found[len(found)-1]
}

// folder is a temporary one that a server may use that refuses to run as root.
func folder(t *testing.T) (dir string, as *syscall.SysProcAttr) {
	t.Helper()
	dir, err := os.MkdirTemp("", "vsql") // its path has room for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		const nobody = 65534
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		as.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return dir, as
}

func (s *server) start(t *testing.T) {
	t.Helper()
	s.running = s.cmd()
	if err := s.running.Start(); err != nil {
		t.Fatal(err)
	}
	patience.Until(t, "the database to answer", func() bool {
		db, _, err := drivers[s.driver].open(s.dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		return db.PingContext(t.Context()) == nil
	})
}

func (s *server) stop() {
	signal := syscall.SIGTERM // one that has only just been made does not outlive a kill
	if s.driver == "postgres" {
		signal = syscall.SIGQUIT // it does not wait for its clients
	}
	_ = s.running.Process.Signal(signal)
	_ = s.running.Wait()
}

func postgres(t *testing.T) *server {
	t.Helper()
	path := program(t, "postgres", "/usr/lib/postgresql/*/bin/postgres", "postgresql")
	dir, as := folder(t)
	pwfile := filepath.Join(dir, "pw")
	if err := os.WriteFile(pwfile, []byte(password), 0o644); err != nil {
		t.Fatal(err)
	}
	initdb := exec.Command(filepath.Join(filepath.Dir(path), "initdb"), "-D", dir+"/data", "-U", "vedette", "-A", "scram-sha-256", "--pwfile", pwfile,
		"-N", "-E", "UTF8", "--locale=C")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := &server{driver: "postgres", sleep: "SELECT pg_sleep(60), 1 AS value", dsn: fmt.Sprintf("host=%s user=vedette dbname=postgres password=%s", dir, password)}
	s.cmd = func() *exec.Cmd {
		_ = os.Remove(dir + "/data/postmaster.pid") // of one that was killed
		cmd := exec.Command(path, "-D", dir+"/data", "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off")
		cmd.SysProcAttr, cmd.Dir = as, dir
		return cmd
	}
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

func mariadb(t *testing.T) *server {
	t.Helper()
	path := program(t, "mariadbd", "/usr/sbin/mariadbd", "mariadb-server-core")
	dir, as := folder(t)
	s := &server{driver: "mysql", sleep: "SELECT sleep(60) AS value", dsn: fmt.Sprintf("root:%s@unix(%s/sock)/test", password, dir)}
	s.cmd = func() *exec.Cmd {
		_ = os.MkdirAll(dir+"/data/test", 0o777)
		_ = os.Chmod(dir+"/data/test", 0o777)
		_ = os.Chmod(dir+"/data", 0o777)
		cmd := exec.Command(path, "--no-defaults", "--datadir="+dir+"/data", "--socket="+dir+"/sock", "--skip-networking", "--skip-grant-tables",
			"--pid-file="+dir+"/pid", "--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4")
		cmd.SysProcAttr, cmd.Dir = as, dir
		cmd.Stderr, _ = os.OpenFile(dir+"/log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		return cmd
	}
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

// each runs a test for each kind of database.
func each(t *testing.T, f func(t *testing.T, s *server)) {
	t.Run("postgres", func(t *testing.T) { f(t, postgres(t)) })
	t.Run("mariadb", func(t *testing.T) { f(t, mariadb(t)) })
}

// exec runs statements as a person would.
func (s *server) exec(t *testing.T, statements ...string) *sql.DB {
	t.Helper()
	db, _, err := drivers[s.driver].open(s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return db
}

// configured is a source of a configuration with this database named db.
func (s *server) configured(t *testing.T, queries string) *source {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dsn"), []byte(s.dsn+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return write(t, dir, fmt.Sprintf("databases:\n  db:\n    driver: %s\n    dsn_file: dsn\n    timeout: 60s\n    queries:\n%s", s.driver, queries))
}

func write(t *testing.T, dir, text string) *source {
	t.Helper()
	path := filepath.Join(dir, "sql.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &source{path: path}
	t.Cleanup(s.close)
	return s
}

// read runs a source once, and returns its samples by key and labels, without durations.
func read(t *testing.T, s *source) (map[string]float64, error) {
	t.Helper()
	r := inspectors.NewReport("sql", time.Now())
	err := errors.Join(s.inspect(patience.Context(t), r), r.Err())
	got := make(map[string]float64)
	for _, sample := range r.Samples() {
		if sample.Key != "sql/query_duration_seconds" {
			got[sample.Key+sample.Labels.String()] = sample.Value
		}
	}
	if err != nil && strings.Contains(err.Error(), password) {
		t.Errorf("the password is told: %v", err)
	}
	return got, err
}

// Random rows of all kinds of values come as they are in the table.
func TestRowsBecomeSamples(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		db := s.exec(t, "CREATE TABLE things (kind varchar(40), n bigint, f double precision, d decimal(20,4), b boolean, total bigint)")
		want := map[string]float64{`sql/up{database="db"}`: 1}
		for i := range 1 + rng.IntN(60) {
			kind := fmt.Sprintf("k%d %s", i, []string{"", "ä", "a-b", "x.y"}[rng.IntN(4)])
			if _, err := db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO things (kind) VALUES ('%s')", kind)); err != nil {
				t.Fatal(err)
			}
			labels, err := inspectors.NewLabels("database", "db", "kind", kind)
			if err != nil {
				t.Fatal(err)
			}
			for _, column := range []string{"n", "f", "d", "b", "total"} {
				if rng.IntN(6) == 0 {
					continue // it stays NULL
				}
				var v float64
				text := ""
				switch column {
				case "n", "total":
					n := rng.Int64N(1 << 50)
					v, text = float64(n), fmt.Sprint(n)
				case "f":
					v = float64(rng.IntN(1e9)) / 1024
					text = fmt.Sprint(v)
				case "d":
					n := rng.IntN(1e9)
					v, text = float64(n)/4, fmt.Sprintf("%.4f", float64(n)/4)
				case "b":
					text = []string{"false", "true"}[rng.IntN(2)]
					if text == "true" {
						v = 1
					}
				}
				if _, err := db.ExecContext(t.Context(), fmt.Sprintf("UPDATE things SET %s = %s WHERE kind = '%s'", column, text, kind)); err != nil {
					t.Fatal(err)
				}
				want[fmt.Sprint("sql/things_", column, labels)] = v
			}
		}
		src := s.configured(t, "      - { name: things, sql: 'SELECT * FROM things', labels: [kind], counters: [total] }\n")
		for range 2 {
			got, err := read(t, src)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for key, v := range want {
				if g, there := got[key]; !there || g != v {
					t.Errorf("seed %d: %s is %v (%v), want %v", seed, key, g, there, v)
				}
			}
			if len(got) != len(want) {
				t.Errorf("seed %d: %d samples, want %d", seed, len(got), len(want))
			}
		}
	})
}

// A query that fails, writes, or takes too long keeps no other one from being asked; the
// database itself ends one that takes too long.
func TestFaultsOfQueries(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE things (n bigint)")
		src := s.configured(t, strings.Join([]string{
			"      - { name: wrong, sql: 'SELECT n FROM nothing' }",
			"      - { name: writes, sql: 'INSERT INTO things VALUES (1)' }",
			"      - { name: text, sql: \"SELECT 'abc' AS value\" }",
			"      - { name: late, sql: '" + s.sleep + "', labels: [pg_sleep], timeout: 100ms }",
			"      - { name: missing, sql: 'SELECT 1 AS value', labels: [site] }",
			"      - { name: many, sql: 'SELECT 1 AS value FROM (SELECT 1 UNION ALL SELECT 2) a, (" + many() + ") b' }",
			"      - { name: rows, sql: 'SELECT count(*) AS value FROM things' }",
		}, "\n")+"\n")
		if s.driver == "mysql" {
			text, err := os.ReadFile(src.path)
			if err != nil {
				t.Fatal(err)
			}
			src = write(t, filepath.Dir(src.path), strings.ReplaceAll(string(text), "labels: [pg_sleep], ", ""))
		}
		got, err := read(t, src)
		if got[`sql/rows{database="db"}`] != 0 || got[`sql/up{database="db"}`] != 1 || len(got) > 3 {
			t.Errorf("got %v", got)
		}
		for _, want := range []string{
			`query "wrong"`, `query "writes"`, `query "text" of database "db": row 1: column "value": "abc" is not a number`, `query "missing"`,
			`it has no column "site"`, "more than 1000 rows",
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in %v", want, err)
			}
		}
		if _, there := got[`sql/late{database="db"}`]; s.driver == "postgres" && (there || !strings.Contains(err.Error(), `query "late"`)) {
			t.Errorf("a query that takes a minute: %v, %v", got, err)
		}
	})
}

// What a query that took too long leaves behind, such as a transaction that is not over,
// disturbs none of the queries after it, whenever the database and the plugin give it up.
func TestQueriesAfterLateOnes(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		const pairs = 15
		seed := time.Now().UnixNano()
		rng := rand.New(rand.NewPCG(uint64(seed), 0))
		var queries strings.Builder
		for i := range pairs {
			fmt.Fprintf(&queries, "      - { name: late%d, sql: '%s', timeout: %dms }\n", i, s.sleep, 20+rng.IntN(60))
			fmt.Fprintf(&queries, "      - { name: after%d, sql: 'SELECT 7 AS value' }\n", i)
		}
		got, err := read(t, s.configured(t, queries.String()))
		for i := range pairs {
			if got[fmt.Sprintf(`sql/after%d{database="db"}`, i)] != 7 {
				t.Errorf("seed %d: a query after a late one: %v, %v", seed, got, err)
				return
			}
		}
	})
}

// many is a table of 1,000 rows.
func many() string {
	digits := "(SELECT 0" + strings.Repeat(" UNION ALL SELECT 1", 9) + ")"
	return fmt.Sprintf("SELECT 1 AS v FROM %s x, %s y, %s z", digits, digits, digits)
}

// A database that is killed is told of, and asked again when it is back. There is one
// connection to it.
func TestDatabaseGoesAndComes(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		src := s.configured(t, "      - { name: one, sql: 'SELECT 1 AS value' }\n")
		for range 3 {
			if got, err := read(t, src); err != nil || got[`sql/one{database="db"}`] != 1 {
				t.Fatalf("got %v, %v", got, err)
			}
		}
		if open := src.open["db"].pool.Stats().OpenConnections; open != 1 {
			t.Errorf("%d connections are open", open)
		}
		s.stop()
		if got, err := read(t, src); err == nil || got[`sql/up{database="db"}`] != 0 || len(got) != 1 {
			t.Errorf("while it is gone: %v, %v", got, err)
		}
		s.start(t)
		if got, err := read(t, src); err != nil || got[`sql/one{database="db"}`] != 1 {
			t.Errorf("when it is back: %v, %v", got, err)
		}
	})
}

// A server that takes connections and never answers keeps no other database from being
// asked, and a wrong password is never told.
func TestOneDatabaseDelaysNoOther(t *testing.T) {
	s := postgres(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	for name, dsn := range map[string]string{
		"good":      s.dsn,
		"wrong":     strings.Replace(s.dsn, password, "wrong-"+password, 1),
		"closed":    "postgres://u:" + password + "@" + freeport.Address(t) + "/x?sslmode=disable",
		"malformed": "postgres://u:" + password + "@host:port:more/x",
		"hangs":     "u:" + password + "@tcp(" + l.Addr().String() + ")/x",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(dsn), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := "databases:\n"
	for _, name := range []string{"good", "wrong", "closed", "malformed", "hangs"} {
		driver := map[bool]string{true: "mysql", false: "postgres"}[name == "hangs"]
		text += fmt.Sprintf("  %s: { driver: %s, dsn_file: %s, queries: [ { name: one, sql: 'SELECT 1 AS value' } ] }\n", name, driver, name)
	}
	src := write(t, dir, text)
	r := inspectors.NewReport("sql", time.Now())
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	err = src.inspect(ctx, r)
	values := make(map[string]float64)
	for _, sample := range r.Samples() {
		values[sample.Key+sample.Labels.String()] = sample.Value
	}
	if values[`sql/one{database="good"}`] != 1 || values[`sql/up{database="good"}`] != 1 {
		t.Errorf("got %v", values)
	}
	for _, name := range []string{"wrong", "closed", "malformed", "hangs"} {
		up, told := values[`sql/up{database="`+name+`"}`]
		if up != 0 || !told || !strings.Contains(err.Error(), fmt.Sprintf("cannot ask database %q", name)) {
			t.Errorf("%s: %v, %v", name, values, err)
		}
	}
	if strings.Contains(err.Error(), password) {
		t.Errorf("the password is told: %v", err)
	}
}

// An agent starts the plugin, and gets what is in the database.
func TestAgentRunsIt(t *testing.T) {
	src := postgres(t).configured(t, "      - { name: answer, sql: 'SELECT 42 AS value' }\n")
	dir, err := os.MkdirTemp("", "vsql")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pool := plugins.NewPool(plugins.PoolOptions{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	defer func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := pool.Load(t.Context(), inspectors.Definition{
		Name: "sql", Interval: 5 * time.Minute, Timeout: time.Minute, Plugin: &inspectors.Plugin{Path: os.Args[0], Args: []string{src.path}},
	}); err != nil {
		t.Fatal(err)
	}
	pool.Run(t.Context(), []plugins.Job{{Name: "sql", Timeout: time.Minute}}, func(o plugins.Outcome) {
		values := make(map[string]float64)
		for _, sample := range o.Samples {
			values[sample.Key] = sample.Value
		}
		if o.Err != nil || values["sql/answer"] != 42 || values["sql/up"] != 1 {
			t.Errorf("got %v, %v", values, o.Err)
		}
	})
}

// Each fault of a configuration is told with its place and what to do.
func TestFaultsOfConfigurations(t *testing.T) {
	dir := t.TempDir()
	err := errors.Join(os.WriteFile(filepath.Join(dir, "open"), []byte("x"), 0o644), os.WriteFile(filepath.Join(dir, "blank"), []byte(" \n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	const queries = "queries: [ { name: q, sql: SELECT 1 } ]"
	of := func(more string) string { return "databases: { a: { driver: mysql, " + more + " } }" }
	for text, want := range map[string]string{
		"":                  "databases: 0 are listed",
		"databases: { a: }": "databases.a: it is empty",
		"databases: { A: { driver: postgres, dsn_file: x, " + queries + " } }": "databases.A: use lower-case letters",
		"databases: { a: { driver: oracle, dsn_file: x, " + queries + " } }":   `databases.a.driver: "oracle" is not known; use postgres, or mysql`,
		of(queries): "give either dsn_file",
		of("dsn_file: x, dsn_env: y, " + queries):                                       "give either dsn_file",
		of("dsn_file: x"):                                                               "databases.a.queries: 0 are listed",
		of("dsn_file: x, queries: [ { name: 1a, sql: x } ]"):                            `queries[0].name: "1a" is not a name`,
		of("dsn_file: x, queries: [ { name: up, sql: x } ]"):                            "use another name",
		of("dsn_file: x, queries: [ { name: b, sql: ' ' } ]"):                           "queries[0].sql: it is empty",
		of("dsn_file: x, queries: [ { name: b, sql: x }, { name: b, sql: y } ]"):        `queries[1].name: "b" is there twice`,
		of("dsn_file: x, queries: [ { name: b, sql: x, labels: [c], counters: [c] } ]"): `column "c" is both`,
		of("dsn_file: x, timeout: 5, " + queries):                                       `line 1: "5" is not a time such as 5s`,
		of("dsn: x, " + queries):                                                        "field dsn not found",
		"databases: {}\n---\ndatabases: {}\n":                                           "a second document",
		of("dsn_file: nothing, " + queries):                                             "no such file",
		of("dsn_file: blank, " + queries):                                               "1 to 16384 are allowed",
		of("dsn_file: open, " + queries):                                                "chmod o= ",
		of("dsn_env: VEDETTE_NOT_SET, " + queries):                                      "VEDETTE_NOT_SET is not set",
	} {
		_, err := read(t, write(t, dir, text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, want %q", text, err, want)
		}
	}
}

// Whatever a configuration is, it is refused or all that it has is within bounds.
func FuzzParse(f *testing.F) {
	f.Add([]byte("databases: { a: { driver: mysql, dsn_file: x, queries: [ { name: q, sql: SELECT 1, labels: [b], timeout: 1s } ] } }"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parse(text)
		if err != nil {
			return
		}
		for name, db := range s.Databases {
			if !names.MatchString(name) || db == nil || db.Timeout <= 0 || len(db.Queries) == 0 {
				t.Errorf("%q: %+v", name, db)
			}
			if slices.ContainsFunc(db.Queries, func(q Query) bool { return q.Timeout <= 0 || !names.MatchString(q.Name) }) {
				t.Errorf("%+v", db.Queries)
			}
		}
	})
}
