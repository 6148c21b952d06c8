package catalog

import (
	"maps"
	"slices"
	"time"
)

// Running is a revision of a script that hosts run.
type Running struct {
	Name     string // of the inspector
	Revision string
	File     string
	Source   string
	Interval time.Duration // 0: as the source says
	// Hosts are those that run it; nil means every host of the inspector. With
	// Except they are those that do not.
	Hosts  []string
	Except bool
}

// Running returns the scripts that hosts should run now, by name. During a rollout
// an inspector has two revisions: the new one with the hosts that it has reached,
// and the old one for all others.
func (c *Catalog) Running() []Running {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Running
	add := func(name, revision string, hosts []string, except bool) {
		if code := c.code[revision].Code; code.Source != "" {
			list = append(list, Running{
				Name: name, Revision: revision, File: code.File, Source: code.Source, Interval: time.Duration(code.IntervalMS) * time.Millisecond,
				Hosts: hosts, Except: except,
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.entries)) {
		e, a := c.entries[name], c.active[name]
		switch {
		case a == nil && !e.Deleted:
			add(name, e.Current, nil, false)
		case a == nil || a.From == a.To:
			add(name, e.Current, nil, false)
		default:
			reached := c.wantingLocked(name, a.To)
			if len(reached) == 0 {
				add(name, a.From, nil, false)
				continue
			}
			add(name, a.From, reached, true)
			add(name, a.To, reached, false)
		}
	}
	return list
}

// wantingLocked returns the hosts that should run a revision, sorted.
func (c *Catalog) wantingLocked(name, revision string) (hosts []string) {
	for host, t := range c.targets {
		if revision != "" && t.wants[name] == revision {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts
}
