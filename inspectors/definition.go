package inspectors

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Bounds and defaults of an inspector's schedule.
const (
	DefaultInterval = 10 * time.Second
	MinInterval     = 100 * time.Millisecond
	MaxInterval     = 24 * time.Hour
	// MaxSourceBytes is the size of the largest script.
	MaxSourceBytes = 1 << 20
)

// Definition is everything that a host needs to run one inspector. Exactly one
// of Script, Plugin and Collector is set.
type Definition struct {
	// Name is the key under which the inspector reports; see ValidateKey.
	Name string
	// Interval is the time from the start of one run to the start of the next.
	Interval time.Duration
	// Timeout is the longest that one run may take; at most Interval.
	Timeout time.Duration
	// Budget is what it may take apart from wall time; a zero field means the
	// default.
	Budget Budget
	// Isolation is the process that a script runs in; empty is IsolationShared.
	Isolation Isolation
	// Pushed says that the code came from a master. Then the host's Policy bounds
	// its needs.
	Pushed bool
	// Assigned is the revision in the master's catalog, if it is one. It is a name
	// only, and changes nothing.
	Assigned string
	// DraftOf is the inspector that a trial is a draft of: the host's Policy knows
	// it by that name. Otherwise it is empty.
	DraftOf string `json:",omitempty"`
	// SignedBy are the ids of the keys that have signed code from a master, as far
	// as the host knows the keys: the signatures are verified. They change nothing
	// about the code.
	SignedBy []string `json:",omitempty"`
	// Script is the inspector's source, or nil.
	Script *Script
	// Plugin is the program that holds the inspector, or nil.
	Plugin *Plugin
	// Collector is what the agent does itself, or nil.
	Collector *Collector
}

// Script is an inspector as Go source.
type Script struct {
	// File is the name in errors, such as disk.go; it is not opened.
	File string
	// Line is the line of File on which Source starts: 1 unless the source is part
	// of another file, such as a YAML configuration.
	Line int
	// Indent is how many columns each line of Source is indented by in File: 0
	// unless the source is part of another file.
	Indent int
	// Source is a whole Go file, or the bare body of an Inspect function.
	Source string
	// Core is the checker's translation of Source for the interpreter, or empty.
	// It is made where the script runs and never comes from elsewhere: it is not
	// part of the revision, and is not signed.
	Core string `json:"-" yaml:"-"`
}

// Plugin is an inspector in an external program that speaks the protocol of
// package plugins.
type Plugin struct {
	// Path is the program's file.
	Path string
	// SHA256 is the expected checksum of the file in hex, or empty for none.
	SHA256 string
	// Args are the program's arguments.
	Args []string
}

// DefaultTimeout returns the timeout of an inspector that sets none: 80 % of its
// interval.
func DefaultTimeout(interval time.Duration) time.Duration { return interval * 8 / 10 }

// Complete fills in the open fields of a definition: from the directives of a
// script, then from the defaults. If the timeout in a script is longer than the
// given interval, the default for that interval is used. The error is Diagnostics
// about faulty directives.
func (d *Definition) Complete() error {
	var said Directives
	if d.Script != nil {
		var err error
		if said, err = d.Script.Directives(); err != nil {
			return err
		}
	}
	if d.Name == "" {
		d.Name = said.Name
	}
	if d.Interval == 0 {
		d.Interval = said.Interval
	}
	if d.Interval == 0 {
		d.Interval = max(DefaultInterval, d.Timeout)
	}
	if d.Timeout == 0 && said.Timeout <= d.Interval {
		d.Timeout = said.Timeout
	}
	if d.Timeout == 0 {
		d.Timeout = DefaultTimeout(d.Interval)
	}
	d.Budget = d.Budget.Or(said.Budget)
	if d.Collector != nil {
		d.Budget = d.Collector.or(d.Budget)
	}
	if d.Isolation == "" {
		d.Isolation = said.Isolation
	}
	return nil
}

// Validate checks the definition and reports every fault in it.
func (d *Definition) Validate() error {
	var faults []error
	if err := ValidateKey(d.Name); err != nil {
		faults = append(faults, err)
	}
	if d.Interval < MinInterval || d.Interval > MaxInterval {
		faults = append(faults, fmt.Errorf("interval %v is not between %v and %v", d.Interval, MinInterval, MaxInterval))
	}
	if d.Timeout <= 0 || d.Timeout > d.Interval {
		faults = append(faults, fmt.Errorf("timeout %v is not above 0 and at most the interval %v", d.Timeout, d.Interval))
	}
	if err := d.Budget.Validate(); err != nil {
		faults = append(faults, fmt.Errorf("budget: %w", err))
	}
	if err := d.Isolation.Validate(); err != nil {
		faults = append(faults, err)
	} else if d.Isolation != "" && d.Script == nil {
		faults = append(faults, errors.New("isolation is for scripts; a plugin always has its own process, and a collector none"))
	}
	given := 0
	for _, is := range []bool{d.Script != nil, d.Plugin != nil, d.Collector != nil} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		faults = append(faults, errors.New("exactly one of script, plugin and collector must be given"))
	case d.Collector != nil:
		if err := d.Collector.Validate(); err != nil {
			faults = append(faults, err)
		}
	case d.Script != nil && len(d.Script.Source) > MaxSourceBytes:
		faults = append(faults, fmt.Errorf("the script is %d bytes long; at most %d are allowed", len(d.Script.Source), MaxSourceBytes))
	case d.Plugin != nil && d.Plugin.Path == "":
		faults = append(faults, errors.New("the plugin's path is empty"))
	}
	return errors.Join(faults...)
}

// Kind is "script", "plugin", or the kind of the collector.
func (d *Definition) Kind() string {
	switch {
	case d.Collector != nil:
		return d.Collector.Kind
	case d.Plugin != nil:
		return "plugin"
	}
	return "script"
}

// Revision identifies the code of a definition: the hex SHA-256 of what runs and
// within which bounds, without its schedule and without the place of its source,
// so a script that moves down its configuration by a line keeps its revision.
func (d *Definition) Revision() string {
	what := struct {
		Name   string
		Source string
		Plugin *Plugin
		Own    bool `json:",omitempty"`
		Pushed bool `json:",omitempty"`

		Collector *Collector `json:",omitempty"`
	}{Name: d.Name, Plugin: d.Plugin, Own: d.Isolation == IsolationOwn, Pushed: d.Pushed, Collector: d.Collector}
	if d.Script != nil {
		what.Source = d.Script.Source
	}
	code, err := json.Marshal(what)
	if err != nil {
		panic(fmt.Sprintf("cannot encode a definition: %v", err)) // strings only
	}
	sum := sha256.Sum256(code)
	return hex.EncodeToString(sum[:])
}
