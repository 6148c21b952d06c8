package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/vedettehq/vedette/inspectors"
)

// source is the devices of a configuration. It reads that anew when it has changed. Runs
// do not overlap.
type source struct {
	path     string
	text     []byte // of the configuration
	settings *Settings
	known    map[string]*device
	clock    func() time.Time // or nil
}

// device is one that is asked. Its fields are those of the goroutine that asks it.
type device struct {
	conn     *gosnmp.GoSNMP // or nil
	address  string         // that conn and counters are of
	secrets  secrets        // that conn was made with
	counters counters
	samples  []sample
	now      func() time.Time
}

func (dev *device) close() {
	if dev.conn != nil {
		_ = dev.conn.Close()
		dev.conn = nil
	}
}

func (s *source) close() {
	for _, dev := range s.known {
		dev.close()
	}
	s.known = nil
}

// load reads the configuration if it is another one than before.
func (s *source) load() error {
	text, err := read(s.path)
	if err != nil {
		return fmt.Errorf("cannot read the configuration: %w", err)
	}
	if s.settings != nil && bytes.Equal(text, s.text) {
		return nil
	}
	settings, err := parse(text)
	if err != nil {
		return fmt.Errorf("cannot use the configuration %q: %w", s.path, err)
	}
	known := make(map[string]*device)
	for name, d := range settings.Devices {
		dev := s.known[name]
		if dev == nil || dev.address != d.Address {
			dev = &device{address: d.Address, now: time.Now}
			if s.clock != nil {
				dev.now = s.clock
			}
		}
		known[name] = dev
	}
	for _, dev := range s.known {
		dev.close() // what it is asked with may be another now
	}
	s.text, s.settings, s.known = text, settings, known
	return nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(text) > maxConfig {
		err = fmt.Errorf("%q has more than %d bytes, which is the limit", path, maxConfig)
	}
	return text, err
}

// inspect asks all devices, side by side: one that does not answer keeps no other one
// from being asked.
func (s *source) inspect(ctx context.Context, r *inspectors.Report) error {
	if err := s.load(); err != nil {
		return err
	}
	all := slices.Sorted(maps.Keys(s.settings.Devices))
	faults, took := make([]error, len(all)), make([]time.Duration, len(all))
	var asking sync.WaitGroup
	for i, name := range all {
		asking.Go(func() {
			began := time.Now()
			faults[i] = s.known[name].ask(ctx, s.settings.Devices[name], filepath.Dir(s.path))
			took[i] = time.Since(began)
		})
	}
	asking.Wait()
	for i, name := range all {
		up := 1.0
		if faults[i] != nil {
			if _, answered := errors.AsType[partial](faults[i]); !answered {
				up = 0
			}
			faults[i] = fmt.Errorf("cannot ask device %q: %w", name, faults[i])
		}
		r.Gauge("up", up, "device", name)
		r.Gauge("walk_duration_seconds", took[i].Seconds(), "device", name)
		s.known[name].report(r, name)
	}
	return errors.Join(faults...)
}

// ask reads all that the configuration wants of a device. What it answered before it went
// away is reported all the same.
func (dev *device) ask(ctx context.Context, of *Device, folder string) error {
	dev.samples = nil
	secrets, err := of.secrets(folder)
	if err != nil {
		return err
	}
	if err := dev.reach(ctx, of, secrets); err != nil {
		dev.close()
		return of.told(ctx, err)
	}
	steps := []func() error{func() error { return dev.objects(of) }}
	if slices.Contains(*of.Walk, "interfaces") {
		steps = append(steps, func() error { return dev.interfaces(of) })
	}
	for i := range of.Tables {
		steps = append(steps, func() error { return dev.table(of, &of.Tables[i]) })
	}
	var faults []error
	for _, step := range steps {
		err := step()
		if p, ok := errors.AsType[partial](err); ok {
			faults = append(faults, p.error)
			continue
		}
		if err != nil {
			dev.close() // the engine of version 3 is looked for again
			return of.told(ctx, err)
		}
	}
	dev.counters.end()
	return notAway(faults)
}

// reach reads the system of a device. One that is known is tried with the connection that
// there is, and then with a new one: a device that was replaced, or has restarted, is
// another one to version 3.
func (dev *device) reach(ctx context.Context, of *Device, with secrets) error {
	report := slices.Contains(*of.Walk, "system")
	if dev.conn != nil && dev.secrets == with {
		dev.conn.Context = ctx
		if err := dev.system(report); err == nil || ctx.Err() != nil || errors.Is(err, gosnmp.ErrMaxRetriesExceeded) {
			return err
		}
	}
	dev.close()
	conn, err := of.connect(ctx, with)
	if err != nil {
		return err
	}
	dev.conn, dev.secrets = conn, with
	return dev.system(report)
}

// report adds the samples of a device.
func (dev *device) report(r *inspectors.Report, name string) {
	for _, s := range dev.samples {
		labels := append([]string{"device", name}, s.labels...)
		if s.counter {
			r.Counter(s.name, s.v, labels...)
		} else {
			r.Gauge(s.name, s.v, labels...)
		}
	}
	dev.samples = nil
}
