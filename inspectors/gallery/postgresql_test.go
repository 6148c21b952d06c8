package gallery

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
)

// A real server, first with a password and then without.
func TestPostgreSQL(t *testing.T) {
	s := startPostgreSQL(t, "s3cret")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := []string{"127.0.0.1:5432", s.address, "/etc/vedette/postgresql.password", password, `"vedette"`, `"postgres"`}
	p := load(t, "postgresql", nil, at...)
	for range 2 { // the second one knows the salted password
		values := p.good()
		is(t, values, "standby", 0)
		is(t, values, "lag_seconds", 0)
		between(t, values, "connections", 1, 3) // connections that have ended may still be listed
		between(t, values, "connections_max", 10, 1000)
		is(t, values, "waiting_for_locks", 0)
		between(t, values, "longest_transaction_seconds", 0, patience.Limit.Seconds())
		between(t, values, `size_bytes{database="postgres"}`, 1e6, 1e9)
	}
	if err := os.WriteFile(password, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.run(); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("a wrong password ends in %v", err)
	}
	if err := os.WriteFile(filepath.Join(s.data, "pg_hba.conf"), []byte("host all all 127.0.0.1/32 trust\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.do(t, "pg_ctl", "-D", s.data, "reload")
	patience.Until(t, "the server trusts everybody", func() bool {
		_, err := p.run()
		return err == nil
	})
	s.stop(t)
	if values, err := p.run(); err == nil || len(values) > 0 {
		t.Errorf("a server that is away yields %v, %v", values, err)
	}
}

// postgreSQL is a server of this machine.
type postgreSQL struct {
	address, data, bin string
	who                *syscall.SysProcAttr
	home               string
}

// startPostgreSQL starts a server whose user postgres has a password.
func startPostgreSQL(t *testing.T, password string) *postgreSQL {
	t.Helper()
	s := &postgreSQL{bin: postgreSQLPrograms()}
	if s.bin == "" {
		t.Skip("there is no PostgreSQL server here: neither initdb in the PATH nor below /usr/lib/postgresql")
	}
	folder, err := os.MkdirTemp("", "pg") // the path of its socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s.home, s.data = folder, filepath.Join(folder, "data")
	if os.Geteuid() == 0 { // which it refuses to run as
		s.who = as(t, "postgres", folder)
	}
	file := filepath.Join(folder, "password")
	if err := os.WriteFile(file, []byte(password), 0o644); err != nil {
		t.Fatal(err)
	}
	if s.address, err = freeport.Find(); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		t.Fatal(err)
	}
	s.do(t, "initdb", "-D", s.data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", file, "--no-sync")
	s.do(t, "pg_ctl", "-D", s.data, "-w", "-t", strconv.Itoa(int(patience.Limit.Seconds())), "-l", filepath.Join(folder, "log"),
		"-o", "-F -p "+port+" -k "+folder+" -c listen_addresses=127.0.0.1", "start")
	t.Cleanup(func() { s.stop(t) })
	return s
}

// postgreSQLPrograms is the folder of its programs, or "".
func postgreSQLPrograms() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(all) == 0 {
		return ""
	}
	return filepath.Dir(all[len(all)-1])
}

// as makes a process run as a user, who owns the folder from then on.
func as(t *testing.T, name, folder string) *syscall.SysProcAttr {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Skipf("PostgreSQL does not run as root, and there is no user %s: %v", name, err)
	}
	uid, errU := strconv.Atoi(u.Uid)
	gid, errG := strconv.Atoi(u.Gid)
	if err := errors.Join(errU, errG, os.Chown(folder, uid, gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// do runs one of its programs.
func (s *postgreSQL) do(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.SysProcAttr = s.home, s.who
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := cmd.Output(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.home, "log"))
		t.Fatalf("%s %q: %v\n%s\n%s", program, args, err, out, log)
	}
}

// stop stops it if it runs.
func (s *postgreSQL) stop(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(s.data, "postmaster.pid")); err == nil {
		s.do(t, "pg_ctl", "-D", s.data, "-m", "immediate", "stop")
	}
}
