package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// TestChaos proves delivery. Agents yield a known sequence while they and the master are
// killed, stopped and started, links are cut, stalled and slowed down, and the master's
// disk is filled. Afterwards each sample is in the master's history once, or its agent has
// reported it as dropped. `make chaos` runs it at large: CHAOS_AGENTS and CHAOS_SECONDS set
// the scale, CHAOS_SEED the sequence of faults.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some twenty seconds")
	}
	c := newChaos(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	defer c.end()
	c.mount()
	c.startMaster()
	for _, a := range c.agents {
		a.start()
	}
	c.rage()
	c.settle()
	c.master.kill() // acknowledged samples survive this too
	c.startMaster()
	c.judge()
}

func scale(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q; it must be a number", name, text)
	}
	return n
}

// shortFolder is a folder for the test. Its name is short, because names of sockets must
// be, and others may read it, because scripts run as another user.
func shortFolder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "v")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o711); err != nil {
		t.Fatal(err)
	}
	return folder
}

type chaos struct {
	testing.TB
	seed   uint64
	during time.Duration
	addr   string // of the master
	folder string
	disk   *chaosDisk // the master's disk, or nil
	master *chaosProcess
	agents []*chaosHost
}

func newChaos(t *testing.T) *chaos {
	c := &chaos{
		TB:     t,
		seed:   uint64(scale(t, "CHAOS_SEED", int(time.Now().UnixNano()%1e6))),
		during: time.Duration(scale(t, "CHAOS_SECONDS", 6)) * time.Second,
		folder: t.TempDir(),
	}
	t.Logf("CHAOS_SEED=%d", c.seed)
	c.addr = freeport.Address(t)
	for i := range scale(t, "CHAOS_AGENTS", 5) {
		c.agents = append(c.agents, c.newHost(i))
	}
	return c
}

// newHost makes the i-th agent. Some have little room, so they drop samples.
func (c *chaos) newHost(i int) *chaosHost {
	p, err := newProxy(c.addr)
	if err != nil {
		c.Fatal(err)
	}
	h := &chaosHost{chaos: c, proxy: p, kind: "roomy", made: make(map[string]map[int]bool)}
	h.rand = rand.New(rand.NewPCG(c.seed, uint64(i)+1))
	h.settings = chaosSettings{
		Host: fmt.Sprintf("host-%d", i), Master: p.url(), Data: filepath.Join(c.folder, fmt.Sprint("agent-", i)),
		Inspectors: 2, Width: 40, Interval: 100 * time.Millisecond, Spool: config.Spool{On: true},
	}
	s := &h.settings
	switch i % 5 {
	case 1:
		h.kind, s.Spool.On, s.BufferReports = "memory", false, 10
	case 2:
		h.kind, s.Spool.MaxBytes, s.Width = "small spool", 1<<20, 1000
	case 3:
		h.kind, s.FileLimit, s.BufferReports = "full disk", 48<<10, 10
	case 4:
		h.kind, s.Skew = "clock behind", -30*time.Minute
	}
	return h
}

func (c *chaos) startMaster() {
	c.master = c.spawn("master", nil, nil, c.disk.command("vedette", "master", "--listen", c.addr, "--data", filepath.Join(c.folder, "master"))...)
}

// rage causes every kind of trouble, all at the same time.
func (c *chaos) rage() {
	ctx, cancel := context.WithTimeout(context.Background(), c.during)
	defer cancel()
	var all sync.WaitGroup
	for _, a := range c.agents {
		all.Go(func() { a.rage(ctx) })
	}
	if c.disk != nil {
		all.Go(func() { c.disk.rage(ctx) })
	}
	rng := rand.New(rand.NewPCG(c.seed, 0))
	for pause(ctx, c.during/8+time.Duration(rng.Int64N(int64(c.during)/4))) {
		c.master.kill()
		_ = pause(ctx, time.Duration(rng.IntN(1500))*time.Millisecond)
		c.startMaster()
	}
	all.Wait()
	if c.disk != nil {
		c.master.kill() // it may have ended because the disk was full
		c.startMaster()
	}
}

// settle stops the agents' sequences, and waits until the master says that nothing is
// queued.
func (c *chaos) settle() {
	for _, a := range c.agents {
		a.process.signal(syscall.SIGUSR1)
	}
	deadline := time.After(2*patience.Limit + c.during)
	for {
		hosts, err := c.hosts()
		left := c.left(hosts)
		if err == nil && left == "" {
			return
		}
		select {
		case <-deadline:
			c.Fatalf("agents have reports left: %s %v", left, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// left names the agents that may still have something to send.
func (c *chaos) left(hosts map[string]wire.Host) string {
	var left []string
	for _, a := range c.agents {
		h, quiet := hosts[a.settings.Host], false
		for _, i := range h.Inspectors {
			quiet = quiet || strings.Contains(i.Error, errChaos.Error())
		}
		if h.Agent == nil || !quiet || h.Agent.ReportsQueued > 0 {
			left = append(left, a.settings.Host)
			continue
		}
		a.dropped = h.Agent.SamplesDropped
	}
	return strings.Join(left, " ")
}

// hosts asks the master for its hosts.
func (c *chaos) hosts() (map[string]wire.Host, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	peer, err := rpc.Dial(ctx, "http://"+c.addr, rpc.DialOptions{Codec: wire.SubprotocolJSON})
	if err != nil {
		return nil, err
	}
	defer peer.Wait()
	defer peer.Close(rpc.CloseNormal, "")
	var result wire.HostsResult
	err = peer.Call(ctx, wire.HostsList.Name, nil, &result)
	known := make(map[string]wire.Host)
	for _, h := range result.Hosts {
		known[h.Host] = h
	}
	return known, err
}

// judge compares the samples that were made with those that the master has.
func (c *chaos) judge() {
	const row = "%-8s %-13v %6v %9v %9v %6v %8v %22v"
	c.Logf(row, "host", "kind", "starts", "made", "stored", "lost", "doubled", "dropped and reported")
	var sum tally
	for _, a := range c.agents {
		a.process.stop()
		is := a.compare(c.stored(a.settings.Host))
		is.lost = max(0, is.missing-int(a.dropped))
		c.Logf(row, a.settings.Host, a.kind, a.settings.Boot, is.made, is.stored, is.lost, is.doubled, a.dropped)
		if is.lost > 0 || is.doubled > 0 {
			c.Errorf("%s: of %d samples %d are missing, of which %d were reported as dropped, and %d are there twice",
				a.settings.Host, is.made, is.missing, a.dropped, is.doubled)
		}
		if is.made == 0 || a.kind == "roomy" && is.stored < is.made/5 { // each kill costs what the agent had in memory
			c.Errorf("%s: %d samples were made and %d stored, which proves nothing", a.settings.Host, is.made, is.stored)
		}
		sum.add(is, a)
	}
	if c.disk != nil {
		c.Logf("the master's disk of %d MiB was filled %d times", c.disk.size>>20, c.disk.filled)
	}
	c.Logf(row, "all", "", sum.starts, sum.made, sum.stored, sum.lost, sum.doubled, sum.dropped)
}

// tally counts samples.
type tally struct {
	made, missing, doubled, stored, lost int
	starts, dropped                      int
}

func (t *tally) add(is tally, a *chaosHost) {
	t.made += is.made
	t.doubled += is.doubled
	t.stored += is.stored
	t.lost += is.lost
	t.starts += a.settings.Boot
	t.dropped += int(a.dropped)
}

// stored returns how often the history has each value, by key and slot.
func (c *chaos) stored(host string) map[string]map[int]int {
	query := url.Values{
		"query": {fmt.Sprintf(`{key=~"chaos/.*", host=%q}[3h]`, host)},
		"time":  {fmt.Sprint(time.Now().Add(time.Hour).Unix())},
	}
	body := c.get("/api/v1/query?" + query.Encode())
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		c.Fatalf("%v: %.200s", err, body)
	}
	stored := make(map[string]map[int]int)
	for _, series := range answer.Data.Result {
		counts := make(map[int]int)
		for _, v := range series.Values {
			value, _ := strconv.ParseFloat(v[1].(string), 64)
			counts[int(value)]++
		}
		stored[series.Metric["key"]+" "+series.Metric["slot"]] = counts
	}
	return stored
}

// get repeats a request to the master until its history is open.
func (c *chaos) get(path string) []byte {
	client := http.Client{Timeout: patience.Limit}
	defer client.CloseIdleConnections()
	deadline := time.After(patience.Limit)
	for {
		response, err := client.Get("http://" + c.addr + path)
		if err == nil {
			body, readErr := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if readErr == nil && response.StatusCode == http.StatusOK {
				return body
			}
			err = fmt.Errorf("%s: %.200s, %v", response.Status, body, readErr)
		}
		select {
		case <-deadline:
			c.Fatalf("the master does not answer: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// end stops all processes, and prints their output if the test failed.
func (c *chaos) end() {
	for _, a := range c.agents {
		a.process.kill()
		a.proxy.close()
	}
	c.master.kill()
	if !c.Failed() {
		return
	}
	logs, _ := filepath.Glob(filepath.Join(c.folder, "*.log"))
	for _, path := range logs {
		text, _ := os.ReadFile(path)
		c.Logf("%s:\n%s", filepath.Base(path), text[max(0, len(text)-4000):])
	}
}

// chaosProcess is one start of a program.
type chaosProcess struct {
	cmd   *exec.Cmd
	talks chan struct{} // closed at its first line of output, or at its end
	done  sync.WaitGroup
}

// spawn starts a program. lines, unless nil, gets its output.
func (c *chaos) spawn(name string, env []string, lines func(string), args ...string) *chaosProcess {
	log, err := os.OpenFile(filepath.Join(c.folder, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.Fatal(err)
	}
	defer log.Close()
	p := &chaosProcess{cmd: exec.Command(args[0], args[1:]...), talks: make(chan struct{})}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), env...), log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		c.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		c.Fatal(err)
	}
	p.done.Go(func() {
		talks := sync.OnceFunc(func() { close(p.talks) })
		defer talks()
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			talks()
			if lines != nil {
				lines(scanner.Text())
			}
		}
		_ = p.cmd.Wait()
	})
	return p
}

func (p *chaosProcess) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// kill kills the process and waits until it is gone.
func (p *chaosProcess) kill() {
	p.signal(syscall.SIGKILL)
	p.done.Wait()
}

// stop asks the process to stop and waits. A process that does not stop is killed, and
// prints where it hangs.
func (p *chaosProcess) stop() {
	p.signal(syscall.SIGTERM)
	defer time.AfterFunc(patience.Limit, func() { p.signal(syscall.SIGQUIT) }).Stop()
	p.done.Wait()
}

// chaosHost is one agent across all of its starts.
type chaosHost struct {
	*chaos
	kind     string
	settings chaosSettings
	proxy    *proxy
	rand     *rand.Rand
	process  *chaosProcess
	dropped  uint64 // the number of dropped samples that it reported

	mu   sync.Mutex
	made map[string]map[int]bool // values by key
}

func (h *chaosHost) start() {
	h.settings.Boot++
	settings, err := json.Marshal(h.settings)
	if err != nil {
		h.Fatal(err)
	}
	h.process = h.spawn(h.settings.Host, []string{"CHAOS_AGENT=" + string(settings)}, h.note, "chaos-agent")
	select {
	case <-h.process.talks:
	case <-time.After(patience.Limit):
		h.Errorf("%s started and said nothing for %v", h.settings.Host, patience.Limit)
	}
}

// note records a line of the agent. It ignores a line that a kill has cut short.
func (h *chaosHost) note(line string) {
	key, text, ok := strings.Cut(line, " ")
	value, err := strconv.Atoi(text)
	if !ok || err != nil || value/bootStep != h.settings.Boot {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.made[key] == nil {
		h.made[key] = make(map[int]bool)
	}
	h.made[key][value] = true
}

// rage causes trouble for this agent until ctx ends, and then restores it.
func (h *chaosHost) rage(ctx context.Context) {
	for pause(ctx, h.upTo(time.Second)) {
		switch h.rand.IntN(10) {
		case 0, 1, 2:
			h.process.kill()
			_ = pause(ctx, h.upTo(500*time.Millisecond))
			h.start()
		case 3:
			h.process.stop()
			h.start()
		case 4, 5, 6:
			h.proxy.setCut(true)
			_ = pause(ctx, h.upTo(3*time.Second))
			if h.rand.IntN(2) == 0 {
				h.process.kill()
				h.start()
			}
			h.proxy.setCut(false)
		case 7, 8:
			h.proxy.setStalled(true)
			_ = pause(ctx, h.upTo(3*time.Second))
			if h.rand.IntN(2) == 0 {
				h.process.kill()
				h.start()
			}
			h.proxy.setStalled(false)
		case 9:
			h.proxy.setDelay(h.upTo(100 * time.Millisecond))
			_ = pause(ctx, h.upTo(time.Second))
			h.proxy.setDelay(0)
		}
	}
}

func (h *chaosHost) upTo(d time.Duration) time.Duration {
	return time.Duration(h.rand.Int64N(int64(d)))
}

// compare counts the samples that were made, those of them that are not stored, those that
// are stored more than once, and those that are stored.
func (h *chaosHost) compare(stored map[string]map[int]int) (is tally) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, values := range h.made {
		for slot := range h.settings.Width {
			counts := stored[fmt.Sprintf("%s %d", key, slot)]
			for value := range values {
				if is.made++; counts[value] == 0 {
					is.missing++
				}
			}
			for _, n := range counts {
				if is.stored++; n > 1 {
					is.doubled++
				}
			}
		}
	}
	return is
}
