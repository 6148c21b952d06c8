package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vedettehq/vedette/config"
)

// lookEvery is how often the files of a configuration are checked. A change is applied when
// two checks in a row see the same files, because their writer has then finished.
const lookEvery = time.Second

// Reloads applies changes of the configuration while a command runs. Load reads it for the
// first time; Run applies later changes.
type Reloads struct {
	Settings *Settings
	Parts    config.Part
	Library  []string

	hangups chan os.Signal
	taken   string         // the signature of the files of the current configuration
	holds   *config.Config // the current configuration
}

// Listen makes SIGHUP, which by default ends a program, ask for a reload, until the
// returned function is called. Call it before Load.
func (r *Reloads) Listen() (stop func()) {
	r.hangups = make(chan os.Signal, 1)
	signal.Notify(r.hangups, syscall.SIGHUP)
	return func() { signal.Stop(r.hangups) }
}

// Load reads the configuration. Run sees every later change.
func (r *Reloads) Load() (*config.Config, error) {
	before := signature(r.base())
	c, err := r.Settings.Load(r.Parts, r.Library)
	if err != nil {
		return nil, err
	}
	own := *c // the caller may modify its copy
	r.holds, r.taken = &own, before+signature(named(&own))
	return c, nil
}

// Run calls take with the old and the new configuration whenever a file has changed, or at
// SIGHUP, until ctx ends. A configuration with faults, or one that take refuses, is not
// applied: the old one stays, and the log says why.
func (r *Reloads) Run(ctx context.Context, log *slog.Logger, take func(old, fresh *config.Config) error) {
	seen := r.taken
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-r.hangups:
			asked = true
		case <-ticker.C:
		}
		now := signature(r.base()) + signature(named(r.holds))
		if settled := now == seen; !asked && (!settled || now == r.taken) {
			seen = now
			continue
		}
		r.reload(log, take)
		seen = r.taken
	}
}

// reload reads the configuration again. A bad one is reported once, and read again when it
// has changed.
func (r *Reloads) reload(log *slog.Logger, take func(old, fresh *config.Config) error) {
	before, rest := signature(r.base()), ""
	fresh, err := r.Settings.Load(r.Parts, r.Library)
	if err == nil {
		rest = signature(named(fresh))
		err = take(r.holds, fresh)
	}
	if err != nil {
		log.Error("the configuration has faults and is not taken over; the old one stays", "error", err)
		r.taken = before + signature(named(r.holds))
		return
	}
	log.Info("the configuration was read again")
	r.holds, r.taken = fresh, before+rest
}

// base returns the files that name all others.
func (r *Reloads) base() []string { return []string{r.Settings.path(), ".env"} }

// named returns the files that a configuration names and whose content matters.
func named(c *config.Config) []string {
	files := append([]string{c.Master.TLS.Cert, c.Master.TLS.Key, c.Master.Alerts.AlertmanagerConfig}, c.Master.Alerts.Rules...)
	for _, in := range c.Inspectors {
		files = append(files, in.File)
	}
	return files
}

// signature changes when any of the files does.
func signature(files []string) string {
	var b strings.Builder
	for _, file := range slices.Sorted(slices.Values(files)) {
		if file == "" {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			fmt.Fprintf(&b, "%q: none\n", file)
			continue
		}
		inode := uint64(0)
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			inode = uint64(stat.Ino)
		}
		fmt.Fprintf(&b, "%q: %d %d %d\n", file, info.ModTime().UnixNano(), info.Size(), inode)
	}
	return b.String()
}

// NeedRestart returns an error that names the fields that differ between two values and
// that only a restart can change; allowed are the other fields.
func NeedRestart[T any](section string, old, fresh T, allowed ...string) error {
	a, b := reflect.ValueOf(old), reflect.ValueOf(fresh)
	var faults []error
	for i := range a.NumField() {
		field := a.Type().Field(i)
		name := field.Tag.Get("yaml")
		if name == "" || name == "-" || slices.Contains(allowed, name) {
			continue
		}
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			faults = append(faults, fmt.Errorf("%s.%s has changed, which takes a restart", section, name))
		}
	}
	return errors.Join(faults...)
}
