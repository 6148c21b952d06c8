package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// chaosDisk is a small file system in memory for the master's folder. It is mounted in its
// own namespaces, so only processes that were started there see it. It is nil on systems
// that do not permit mounting.
type chaosDisk struct {
	*chaos
	dir    string // the master's folder
	pid    int    // the process that keeps the namespaces alive
	size   int64
	filled int // how often it was filled
}

const (
	// chaosLeast is the free space below which the master stores no reports.
	chaosLeast = 16 << 20
	// chaosDiskBytes has room for all samples of one agent at one per second.
	chaosDiskBytes = 150 << 10
)

// mount makes the master's disk.
func (c *chaos) mount() {
	d := &chaosDisk{chaos: c, dir: filepath.Join(c.folder, "master")}
	d.size = 4*chaosLeast + int64(c.during.Seconds())*int64(len(c.agents))*chaosDiskBytes
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		c.Fatal(err)
	}
	cfg := fmt.Sprintf("master: { history: { min_free_bytes: %d } }\n", chaosLeast)
	if err := os.WriteFile(d.config(), []byte(cfg), 0o600); err != nil {
		c.Fatal(err)
	}
	holder := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
		`mount -t tmpfs -o mode=700,size="$1" tmpfs "$2" && echo mounted && exec sleep infinity`, "sh", strconv.FormatInt(d.size, 10), d.dir)
	holder.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := holder.StdoutPipe()
	if err != nil {
		c.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		c.Logf("SKIPPED: the master's disk is not filled: %v", err)
		return
	}
	c.Cleanup(func() {
		_ = holder.Process.Kill()
		_ = holder.Wait()
	})
	if said, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		c.Logf("SKIPPED: the master's disk is not filled: nothing can be mounted here: %q, %v", said, err)
		return
	}
	d.pid = holder.Process.Pid
	c.disk = d
}

func (d *chaosDisk) config() string { return filepath.Join(d.folder, "master.yaml") }

// command makes a command that sees the disk.
func (d *chaosDisk) command(args ...string) []string {
	if d == nil {
		return args
	}
	return append([]string{"nsenter", "--user", "--mount", "--preserve-credentials", "--target", strconv.Itoa(d.pid)}, append(args, "--config", d.config())...)
}

// rage fills the disk, sometimes completely and sometimes nearly, and empties it again.
func (d *chaosDisk) rage(ctx context.Context) {
	rng := rand.New(rand.NewPCG(d.seed, 1<<32))
	// The path to the disk for processes outside its namespaces.
	filler := filepath.Join("/proc", strconv.Itoa(d.pid), "root", d.dir, "filler")
	slice := min(d.during, 30*time.Second) / 6
	for pause(ctx, slice/2+time.Duration(rng.Int64N(int64(slice)))) {
		leave := int64(0)
		if rng.IntN(2) == 0 {
			leave = chaosLeast / 2
		}
		if err := fill(filler, leave); err != nil {
			d.Errorf("cannot fill the disk: %v", err)
			return
		}
		d.filled++
		_ = pause(ctx, time.Duration(rng.Int64N(int64(slice))))
		if err := os.Remove(filler); err != nil {
			d.Errorf("cannot make room on the disk: %v", err)
			return
		}
	}
}

// fill writes a file until the disk has only so many bytes left.
func fill(path string, leave int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var stat syscall.Statfs_t
	for zeros := make([]byte, 1<<20); ; {
		if err := syscall.Fstatfs(int(f.Fd()), &stat); err != nil {
			return err
		}
		n := min(int64(stat.Bavail)*stat.Bsize-leave, int64(len(zeros)))
		if n <= 0 {
			return nil
		}
		if _, err := f.Write(zeros[:n]); errors.Is(err, syscall.ENOSPC) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
