package alert

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/model"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/alert/weekly"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc/wire"
)

// yard is a master's alerts without a history, whose hosts get other labels.
type yard struct {
	*testing.T
	r       *rand.Rand
	state   state.Store
	history *history.Store
	hosts   map[string]scope.Labels
	alerts  *Alerts
	// made are the entries by id, and covered which hosts are silent in a window. What
	// somebody has ended is in over.
	made    map[string]wire.Maintenance
	covered map[string]map[string]bool
	over    map[string]bool
}

// openHistory opens a history that nobody asks.
func openHistory(t *testing.T) *history.Store {
	store, err := history.Open(history.Options{Dir: t.TempDir(), MinFreeBytes: 1, Retention: 2 * time.Hour, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func (y *yard) start() {
	var err error
	if y.alerts, err = New(Options{
		History: y.history, Config: config.Alerts{}, Link: func() string { return "" },
		Hosts: func() map[string]scope.Labels { return y.hosts },
	}); err == nil {
		err = y.alerts.Open(context.Background(), y.state)
	}
	if err == nil {
		err = y.alerts.route.Start()
	}
	if err != nil {
		y.Fatal(err)
	}
	y.alerts.maintain(context.Background())
}

func (y *yard) role() string { return []string{"web", "db", "build"}[y.r.IntN(3)] }

func (y *yard) relabel(host string) { y.hosts[host] = scope.Labels{"host": host, "role": y.role()} }

// add makes a maintenance of random hosts at random hours.
func (y *yard) add() {
	p := wire.MaintenanceParams{Zone: []string{"UTC", "Europe/Berlin", "America/St_Johns"}[y.r.IntN(3)]}
	if y.r.IntN(2) == 0 {
		p.Selector = "role=" + y.role()
	} else {
		p.Host = fmt.Sprintf("host-%d", y.r.IntN(12)) // some are not known
	}
	from, to := y.r.IntN(24*60), y.r.IntN(24*60)
	p.Every = fmt.Sprintf("%02d:%02d-%02d:%02d", from/60, from%60, to/60, to%60)
	if y.r.IntN(2) == 0 {
		p.Every = []string{"mon-wed ", "sat,sun ", "fri-mon "}[y.r.IntN(3)] + p.Every
	}
	if from != to {
		y.make(p)
	}
}

func (y *yard) make(p wire.MaintenanceParams) {
	one, err := y.alerts.AddMaintenance(context.Background(), p)
	if err != nil {
		y.Fatal(err)
	}
	y.made[one.ID] = one
}

// forget has the model forget which windows a maintenance had.
func (y *yard) forget(id string) {
	gone := func(name string) bool { return strings.HasPrefix(name, id) }
	maps.DeleteFunc(y.covered, func(name string, _ map[string]bool) bool { return gone(name) })
	maps.DeleteFunc(y.over, func(name string, _ bool) bool { return gone(name) })
}

// maintain is what the alerts do every few seconds, and what the model does then. It
// returns who is silent.
func (y *yard) maintain() map[string]bool {
	y.alerts.maintain(context.Background())
	silent := make(map[string]bool)
	now := time.Now()
	for id, one := range y.made {
		schedule, err := weekly.Parse(one.Every, one.Zone)
		if err != nil {
			y.Fatal(err)
		}
		w := schedule.Next(now)
		if w.From.Sub(now) > silenceAhead {
			continue
		}
		window := fmt.Sprint(id, " ", w.From.Unix())
		if y.covered[window] == nil {
			y.covered[window] = make(map[string]bool)
		}
		if one.Host != "" {
			y.covered[window][one.Host] = true
		}
		for name, set := range y.hosts {
			if one.Selector == "role="+set["role"] {
				y.covered[window][name] = true
			}
		}
		for host := range y.covered[window] {
			if !w.From.After(now) && !y.over[window+" "+host] {
				silent[host] = true
			}
		}
	}
	return silent
}

// look compares who is silent with the model.
func (y *yard) look(seed uint64) {
	silent := y.maintain()
	for i := range 12 {
		host := fmt.Sprintf("host-%d", i)
		by, _ := y.alerts.route.Muted(context.Background(), model.LabelSet{"alertname": "any", "host": model.LabelValue(host)})
		if got := len(by) > 0; got != silent[host] {
			y.Fatalf("seed %d, %s: the host %s is silent: %v, want %v; the maintenances are %+v", seed, time.Now(), host, got, silent[host], y.made)
		}
	}
}

// someID is the id of one of the entries.
func (y *yard) someID() string {
	var ids []string
	for id := range y.made {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids[y.r.IntN(len(ids))]
}

// end ends some silence of a maintenance until its next window.
func (y *yard) end() {
	all, err := y.alerts.route.Silences(context.Background(), false)
	if err != nil || len(all) == 0 {
		return
	}
	one := all[y.r.IntN(len(all))]
	if _, err := y.alerts.EndSilence(context.Background(), wire.SilenceEndParams{Silence: one.ID}); err != nil {
		y.Fatal(err)
	}
	for _, host := range hostsOf(&one) {
		window := one.Notes[windowNote]
		y.over[one.Notes[maintenanceNote]+" "+window[strings.LastIndex(window, "/")+1:]+" "+host] = true
	}
}

// Random maintenances come and go while hosts get other labels, the master restarts and
// people end what is silent: at each moment those hosts are silent that a model says.
func TestMaintenanceRecurs(t *testing.T) {
	t.Parallel()
	store := openHistory(t)
	for range 1 + rand.IntN(2) {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			y := &yard{
				T: t, r: r, history: store, state: state.NewMemory(), hosts: make(map[string]scope.Labels), made: make(map[string]wire.Maintenance),
				covered: make(map[string]map[string]bool), over: make(map[string]bool),
			}
			// Of fake time. A silence goes on at the very moment at which it ends.
			time.Sleep(time.Duration(r.IntN(365*24))*time.Hour + 500*time.Millisecond)
			for i := range 10 {
				y.relabel(fmt.Sprintf("host-%d", i))
			}
			y.start()
			defer func() { y.alerts.route.Stop() }()
			for range 150 {
				time.Sleep(time.Second) // a silence cannot end when it begins
				switch r.IntN(40) {
				case 0:
					y.add()
				case 1:
					y.relabel(fmt.Sprintf("host-%d", r.IntN(10)))
				case 2:
					y.alerts.route.Stop()
					y.start()
				case 3:
					y.end()
				case 4:
					if len(y.made) > 4 {
						id := y.someID()
						again := y.made[id]
						if _, err := y.alerts.EndMaintenance(t.Context(), wire.MaintenanceEndParams{ID: id}); err != nil {
							t.Fatal(err)
						}
						delete(y.made, id)
						y.forget(id)
						if time.Sleep(time.Second); r.IntN(2) == 0 {
							y.make(wire.MaintenanceParams{Host: again.Host, Selector: again.Selector, Every: again.Every, Zone: again.Zone})
						}
					}
				}
				time.Sleep(time.Second)
				y.look(seed)
				for range 1 + r.IntN(40) { // as often as a window may need it
					time.Sleep(50 * time.Second)
					y.maintain()
				}
			}
		})
	}
}

// While a maintenance goes on nobody is told, over a restart, and what still fires when
// it is removed is told then.
func TestMaintenanceIsQuiet(t *testing.T) {
	t.Parallel()
	w, h := peopleWorld(t)
	one, err := w.alerts.AddMaintenance(t.Context(), wire.MaintenanceParams{Selector: "role=db", Every: "00:00-24:00", Message: "backup"})
	if err != nil || one.Hosts != 1 {
		t.Fatalf("%+v, %v", one, err)
	}
	w.set("busy", 97)
	w.set("canary", 97)
	h.await(t, "firing canary", 1)
	silenced := func() bool {
		list := w.list("busy")
		return len(list) == 1 && list[0].State == wire.AlertFiring && len(list[0].SilencedBy) == 1 && list[0].SilencedBy[0].Maintenance == one.ID
	}
	patience.Until(t, "the alert that is in maintenance", silenced)
	w.stop()
	w.start()
	w.set("busy", 97)
	patience.Until(t, "the alert that is in maintenance after a restart", silenced)
	if n := h.count("firing busy"); n != 0 {
		t.Errorf("the host in maintenance was told of %d times", n)
	}
	if _, err := w.alerts.EndMaintenance(t.Context(), wire.MaintenanceEndParams{ID: one.ID}); err != nil {
		t.Fatal(err)
	}
	h.await(t, "firing busy", 1)
	if list, err := w.alerts.Maintenances(t.Context(), wire.Empty{}); err != nil || len(list.Maintenances) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if silences, err := w.alerts.Silences(t.Context(), wire.SilencesParams{}); err != nil || len(silences.Silences) != 0 {
		t.Errorf("%+v, %v", silences, err)
	}
}

// A host's own maintenance is one silence, which ends by itself or when the host says so;
// those that have ended are soon forgotten, and there are not too many of them.
func TestSelfMaintenance(t *testing.T) {
	t.Parallel()
	store := openHistory(t)
	synctest.Test(t, func(t *testing.T) {
		y := &yard{T: t, history: store, state: state.NewMemory(), hosts: map[string]scope.Labels{}}
		y.start()
		defer func() { y.alerts.route.Stop() }()
		ask := func(host string, seconds float64, end bool) (wire.SelfMaintenanceResult, error) {
			return y.alerts.SelfMaintenance(t.Context(), wire.SelfMaintenanceParams{Hostname: host, Seconds: seconds, End: end})
		}
		active := func() (names []string) {
			all, err := y.alerts.Silences(t.Context(), wire.SilencesParams{})
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range all.Silences {
				if one.Maintenance != wire.SelfMaintenance {
					t.Errorf("%+v", one)
				}
				names = append(names, fmt.Sprint(one.Matchers, " ", time.Until(time.UnixMilli(one.ToMS))))
			}
			return names
		}
		for _, faulty := range []float64{0, -1, 0.5, 8 * 24 * 3600} {
			if _, err := ask("web-1", faulty, false); err == nil {
				t.Errorf("%g seconds were taken", faulty)
			}
		}
		for range 100 { // each is the same one, longer
			if _, err := ask("web-1", 3600, false); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ask("web-2", 60, false); err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(active()), `[[host="web-2"] 1m0s [host="web-1"] 1h0m0s]`; got != want {
			t.Errorf("silent are %s, want %s", got, want)
		}
		time.Sleep(time.Minute + time.Millisecond)
		if got := fmt.Sprint(active()); got != `[[host="web-1"] 58m59.999s]` {
			t.Errorf("silent are %s", got)
		}
		y.alerts.route.Stop()
		y.start()
		if result, err := ask("web-1", 0, true); err != nil || result.Ended != 1 {
			t.Errorf("after a restart: %+v, %v", result, err)
		}
		if time.Sleep(time.Millisecond); len(active()) != 0 {
			t.Errorf("after the end silent are %s", active())
		}
		for n := range maxSelves + 1 {
			time.Sleep(time.Second)
			if _, err := ask("web-3", 60, false); (err != nil) != (n == maxSelves) {
				t.Fatalf("after %d: %v", n, err)
			}
			time.Sleep(time.Second)
			if _, err := ask("web-3", 0, true); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Hour)
		if all, err := y.alerts.Silences(t.Context(), wire.SilencesParams{Ended: true}); err != nil || len(all.Silences) != 0 {
			t.Errorf("%d silences are known two hours after their end: %v", len(all.Silences), err)
		}
		if entries, err := y.state.List(t.Context(), "silences/"); err != nil || len(entries) != 0 {
			t.Errorf("the state has %d silences two hours after their end: %v", len(entries), err)
		}
		if _, err := ask("web-3", 60, false); err != nil {
			t.Error(err)
		}
	})
}
