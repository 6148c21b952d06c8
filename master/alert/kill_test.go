package alert

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc/wire"
)

// victimFolder tells the test's own program to be the victim of a kill.
const victimFolder = "ALERT_VICTIM_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimFolder); dir != "" {
		victim(dir)
		return
	}
	os.Exit(m.Run())
}

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// victim runs alerts until it is killed or asked to end. It takes lines of its input, and answers
// each when it is done: set HOST VALUE; vanish HOST, which ends its series; silence HOST and
// unsilence HOST.
func victim(dir string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	kept, err := state.Open(filepath.Join(dir, "state.db"))
	check(err)
	store, err := history.Open(history.Options{Dir: filepath.Join(dir, "history"), MinFreeBytes: 1, Retention: 24 * time.Hour, OutOfOrder: time.Hour, Log: log})
	check(err)
	var mu sync.Mutex
	gone := make(map[string]bool)
	text, err := os.ReadFile(filepath.Join(dir, "gone"))
	check(err)
	for _, host := range strings.Fields(string(text)) {
		gone[host] = true
	}
	alerts, err := New(Options{
		Log: log, History: store, Link: func() string { return "http://master" }, Settle: time.Second,
		Gone: func(host string) bool {
			mu.Lock()
			defer mu.Unlock()
			return gone[host]
		},
		Config: config.Alerts{Rules: []string{filepath.Join(dir, "rules.yaml")}, AlertmanagerConfig: filepath.Join(dir, "alertmanager.yml")},
	})
	check(err)
	check(alerts.Open(ctx, kept))
	go func() {
		check(alerts.Run(ctx))
		check(store.Close())
		check(kept.Close())
		os.Exit(0)
	}()
	appender := store.NewAppender()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var what, host string
		v := history.End()
		if _, err := fmt.Sscan(lines.Text(), &what, &host); err != nil {
			check(err)
		}
		switch what {
		case "silence":
			_, err := alerts.Silence(ctx, []string{"host=" + host}, wire.SilenceParams{Seconds: 3600})
			check(err)
			fmt.Println("done")
			continue
		case "unsilence":
			check(endSilences(ctx, alerts, host))
			fmt.Println("done")
			continue
		}
		if what == "set" {
			_, err := fmt.Sscan(lines.Text(), &what, &host, &v)
			check(err)
		}
		series := store.NewSeries(host, "test/level", nil, inspectors.Gauge)
		_, err := appender.Append(ctx, []history.Sample{{Series: series, T: time.Now().UnixMilli(), V: v}})
		check(err)
		mu.Lock()
		gone[host] = what == "vanish"
		mu.Unlock()
		fmt.Println("done")
	}
}

// endSilences ends the silences of a host.
func endSilences(ctx context.Context, alerts *Alerts, host string) error {
	all, err := alerts.Silences(ctx, wire.SilencesParams{})
	for _, one := range all.Silences {
		if err == nil && strings.Contains(strings.Join(one.Matchers, ","), `"`+host+`"`) {
			_, err = alerts.EndSilence(ctx, wire.SilenceEndParams{Silence: one.ID})
		}
	}
	return err
}

const (
	victimRules = `groups:
  - name: levels
    interval: 1s
    rules: [{ alert: level/high, expr: "test_level > 90", for: 1s }]
`
	victimRoutes = `
route: { receiver: hook, group_by: [host], group_wait: 200ms, group_interval: 1s, repeat_interval: 12h }
receivers: [{ name: hook, webhook_configs: [{ url: "%s" }] }]
`
)

// message is what the webhook was told of one host.
type message struct {
	firing bool
	start  time.Time
}

// killed is a master's alerts in a process that is killed or stopped now and then, and
// who is told by them.
type killed struct {
	*testing.T
	dir    string
	random *rand.Rand

	server *httptest.Server

	mu    sync.Mutex
	conns int                  // guarded by mu: connections to server
	told  map[string][]message // guarded by mu, by host
	// lowered is whether a host's level was brought down since it was told that it
	// is high; repeats how often it may be told twice what it was told, because a
	// kill came between the message and the note of it.
	lowered map[string]bool // guarded by mu
	repeats map[string]int  // guarded by mu

	high, vanished map[string]bool
	cmd            *exec.Cmd
	in             io.WriteCloser
	out            *bufio.Scanner
}

// listen starts the server that is told.
func (k *killed) listen() {
	k.server = httptest.NewUnstartedServer(k)
	k.server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		k.mu.Lock()
		defer k.mu.Unlock()
		switch s {
		case http.StateNew:
			k.conns++
		case http.StateClosed:
			k.conns--
		}
	}
	k.server.Start()
	k.Cleanup(k.server.Close)
}

// settle waits until everything that a dead victim has sent is taken: it may still be on
// its way in this process.
func (k *killed) settle() {
	k.Helper()
	// This connection is accepted after those of the victim.
	request, err := http.NewRequestWithContext(k.Context(), http.MethodPost, k.server.URL, strings.NewReader(`{"alerts": []}`))
	if err != nil {
		k.Fatal(err)
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		k.Fatal(err)
	}
	_ = answer.Body.Close()
	patience.Until(k.T, "the connections of the victim to end", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.conns == 0
	})
}

// ServeHTTP takes the messages, and checks each against what it may say.
func (k *killed) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body struct {
		Alerts []struct {
			Status   string
			Labels   map[string]string
			StartsAt time.Time
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return // it was killed in the middle
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range body.Alerts {
		host, now := a.Labels["host"], message{a.Status == "firing", a.StartsAt}
		if a.Labels["key"] != "" {
			k.Errorf("the label key was told: %v", a.Labels)
		}
		if before := k.told[host]; len(before) > 0 && before[len(before)-1] == now && k.repeats[host] > 0 {
			k.repeats[host]--
			continue
		}
		k.judge(host, now)
		k.told[host] = append(k.told[host], now)
	}
}

// judge says whether a message may follow those before. mu is held.
func (k *killed) judge(host string, now message) {
	var last message
	if before := k.told[host]; len(before) > 0 {
		last = before[len(before)-1]
	}
	switch {
	case now.firing && last.firing:
		k.Errorf("%s: told twice that it fires, since %v and since %v", host, last.start, now.start)
	case now.firing && !now.start.After(last.start):
		k.Errorf("%s: fires since %v, and before since %v", host, now.start, last.start)
	case !now.firing && !last.firing:
		k.Errorf("%s: an end was told of what was not told: %v after %v", host, now.start, last.start)
	case !now.firing && !now.start.Equal(last.start):
		k.Errorf("%s: the end tells the start %v, the beginning told %v", host, now.start, last.start)
	case !now.firing && !k.lowered[host]:
		k.Errorf("%s: an end was told, and its level is high", host)
	}
	if now.firing {
		k.lowered[host] = !k.high[host] // it may have come down meanwhile
	}
}

// write writes the files that the victim reads.
func (k *killed) write(rules, routes string) {
	k.Helper()
	for name, text := range map[string]string{"rules.yaml": rules, "alertmanager.yml": routes} {
		if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
			k.Fatal(err)
		}
	}
}

func (k *killed) start() {
	k.Helper()
	if err := os.WriteFile(filepath.Join(k.dir, "gone"), []byte(strings.Join(slices.Sorted(maps.Keys(k.vanished)), "\n")), 0o600); err != nil {
		k.Fatal(err)
	}
	k.cmd = exec.Command(os.Args[0], "-test.run=^$")
	k.cmd.Env = append(os.Environ(), victimFolder+"="+k.dir)
	k.cmd.Stderr = os.Stderr
	var err error
	if k.in, err = k.cmd.StdinPipe(); err != nil {
		k.Fatal(err)
	}
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		k.Fatal(err)
	}
	k.out = bufio.NewScanner(out)
	if err := k.cmd.Start(); err != nil {
		k.Fatal(err)
	}
}

// say has the victim do something, and waits until it is done.
func (k *killed) say(format string, args ...any) {
	k.Helper()
	line := fmt.Sprintf(format, args...)
	if _, err := fmt.Fprintln(k.in, line); err != nil {
		k.Fatal(err)
	}
	patience.Return(k.T, line, func() {
		if !k.out.Scan() || k.out.Text() != "done" {
			k.Errorf("%s: %q, %v", line, k.out.Text(), k.out.Err())
		}
	})
}

// change gives a host another level, or has it vanish or return.
func (k *killed) change(host string, high, vanished bool) {
	k.Helper()
	k.mu.Lock()
	if !vanished && !high {
		k.lowered[host] = true
	}
	k.high[host] = high
	k.mu.Unlock()
	delete(k.vanished, host)
	level := 10
	if high {
		level = 97
	}
	if vanished {
		k.vanished[host] = true
		k.say("vanish %s", host)
		return
	}
	k.say("set %s %d", host, level)
}

// flap has a host's level go up and down, faster than the rule looks.
func (k *killed) flap(host string) {
	for range 2 + k.random.IntN(4) {
		k.change(host, !k.high[host], false)
	}
}

// kill ends the victim, and sees for which hosts it had not noted yet what it told: none
// if it was asked to end.
func (k *killed) kill() {
	k.Helper()
	stopped := k.random.IntN(3) == 0
	if stopped {
		if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			k.Fatal(err)
		}
		patience.Return(k.T, "the end of a victim that was asked for it", func() {
			if err := k.cmd.Wait(); err != nil {
				k.Errorf("a victim that was asked to end: %v", err)
			}
		})
	} else {
		if err := k.cmd.Process.Kill(); err != nil {
			k.Fatal(err)
		}
		_ = k.cmd.Wait() // it was killed
	}
	k.settle()
	store, err := state.Open(filepath.Join(k.dir, "state.db"))
	if err != nil {
		k.Fatal(err)
	}
	defer store.Close()
	entries, err := store.List(context.Background(), "told/")
	if err != nil {
		k.Fatal(err)
	}
	noted := make(map[string]bool)
	for _, e := range entries {
		var one struct {
			Entry struct {
				GroupKey     []byte   `json:"groupKey"`
				FiringAlerts []string `json:"firingAlerts"`
			} `json:"entry"`
		}
		if err := json.Unmarshal(e.Value, &one); err != nil {
			k.Fatal(err)
		}
		_, host, _ := strings.Cut(string(one.Entry.GroupKey), `host="`)
		noted[strings.TrimSuffix(host, `"}`)] = len(one.Entry.FiringAlerts) > 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for host, told := range k.told {
		k.repeats[host] = 0
		if told[len(told)-1].firing != noted[host] {
			k.repeats[host] = 1
			if stopped {
				k.Errorf("%s: a victim that was asked to end has not noted what it told", host)
			}
		}
	}
}

// await waits until each of the hosts was told last that it fires, or that it does
// not.
func (k *killed) await(what string, hosts []string, firing bool) {
	k.Helper()
	patience.Until(k.T, what, func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, host := range hosts {
			told := k.told[host]
			if is := len(told) > 0 && told[len(told)-1].firing; is != firing {
				return false
			}
		}
		return true
	})
}

// Whatever happens to hosts, and whenever the master is killed or stopped: nothing is told
// twice, nothing is forgotten, and nothing is told that is not so.
func TestKilledAtAnyTime(t *testing.T) {
	if testing.Short() {
		t.Skip("it kills a process again and again")
	}
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	k := &killed{
		T: t, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 0)), told: make(map[string][]message), lowered: make(map[string]bool),
		repeats: make(map[string]int), high: make(map[string]bool), vanished: make(map[string]bool),
	}
	k.listen()
	k.write(victimRules, fmt.Sprintf(victimRoutes, k.server.URL))
	hosts := []string{"a", "b", "c", "d"}
	k.start()
	defer func() { _ = k.cmd.Process.Kill() }()
	for range 8 {
		for range 1 + k.random.IntN(3) {
			host := hosts[k.random.IntN(len(hosts))]
			switch k.random.IntN(5) {
			case 4:
				k.flap(host)
			case 0:
				k.change(host, false, false)
			case 1:
				k.change(host, k.high[host], true)
			default:
				k.change(host, true, false)
			}
		}
		select { // anywhere from the change to long after the message
		case <-time.After(time.Duration(k.random.IntN(6000)) * time.Millisecond):
		case <-t.Context().Done():
		}
		k.kill()
		k.start()
	}
	for _, host := range hosts {
		k.change(host, true, false)
	}
	k.await("all to be told as firing", hosts, true)
	k.kill()
	k.start()
	for _, host := range hosts {
		k.change(host, false, false)
	}
	k.await("all to be told as ended", hosts, false)
	_ = k.in.Close()
}

const (
	mutedRules = `groups:
  - name: levels
    interval: 1s
    rules:
      - { alert: level/dead, expr: "test_level > 99", for: 1s }
      - { alert: level/high, expr: "test_level > 90", for: 1s }
`
	mutedRoutes = victimRoutes + `
inhibit_rules: [{ source_matchers: ['alertname="level/dead"'], target_matchers: ['alertname="level/high"'], equal: [host] }]
`
)

// A silence that was confirmed holds, and one alert inhibits another, whenever the master
// is killed; and what outlasts its silence is told.
func TestMutedThoughKilledAtAnyTime(t *testing.T) {
	if testing.Short() {
		t.Skip("it kills a process again and again")
	}
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	h := newHook(t)
	k := &killed{T: t, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 0))}
	k.write(mutedRules, fmt.Sprintf(mutedRoutes, h.URL))
	k.start()
	defer func() { _ = k.cmd.Process.Kill() }()
	pause := func() { // anywhere from the change to long after the message
		select {
		case <-time.After(time.Duration(k.random.IntN(4000)) * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	restart := func() {
		t.Helper()
		if err := k.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = k.cmd.Wait() // it was killed
		k.start()
	}
	const rounds = 5
	for i := range rounds {
		k.say("silence quiet-%d", i)
		if k.random.IntN(2) == 0 {
			restart() // as soon as the silence is confirmed
		}
		k.say("set quiet-%d 97", i)
		k.say("set dead-%d 100", i)
		k.say("set loud-%d 97", i)
		pause()
		restart()
	}
	again := func() { // on a slow machine the first samples are too old
		for i := range rounds {
			k.say("set quiet-%d 97", i)
			k.say("set dead-%d 100", i)
			k.say("set loud-%d 97", i)
		}
	}
	again()
	told := func(host string) func() bool {
		return func() bool { return h.count("firing "+host) > 0 }
	}
	for i := range rounds {
		patience.Until(t, "a loud host and a dead one to be told", func() bool {
			return told(fmt.Sprintf("loud-%d", i))() && told(fmt.Sprintf("dead-%d", i))()
		})
	}
	for i := range rounds {
		if n := h.count(fmt.Sprintf("firing quiet-%d", i)); n > 0 {
			t.Errorf("quiet-%d is silenced, and was told %d times", i, n)
		}
		if n := h.count(fmt.Sprintf("firing dead-%d level/high", i)); n > 0 {
			t.Errorf("the alert of dead-%d that another inhibits was told %d times", i, n)
		}
	}
	for i := range rounds {
		k.say("unsilence quiet-%d", i)
	}
	again()
	restart()
	for i := range rounds {
		patience.Until(t, "what outlasts its silence to be told", told(fmt.Sprintf("quiet-%d", i)))
	}
	_ = k.in.Close()
}
