package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// minPrefix is how many digits are needed to name a revision.
	minPrefix = 8

	defaultRollouts = 100
	maxRollouts     = 1000
)

// List returns the inspectors of the catalog by name, without their history, and
// the names of deleted ones, as far as the caller may see them.
func (c *Catalog) List(ctx context.Context) (list []wire.CatalogEntry, deleted []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list = []wire.CatalogEntry{}
	for _, name := range slices.Sorted(maps.Keys(c.entries)) {
		switch e := c.entryForLocked(ctx, name); {
		case e == nil:
		case e.Deleted:
			deleted = append(deleted, name)
		default:
			list = append(list, c.entryLocked(scope.From(ctx), e))
		}
	}
	return list, deleted
}

// Get returns an inspector with its history, even if it is deleted.
func (c *Catalog) Get(ctx context.Context, name string) (wire.CatalogEntry, error) {
	got, sees := c.Shown(ctx, name)
	if !sees {
		return wire.CatalogEntry{}, c.notInCatalog(ctx, name)
	}
	var err error
	if got.History, err = c.history(ctx, name); err != nil {
		return got, err
	}
	c.showHistory(ctx, got.History)
	return got, c.withSigners(ctx, got.History)
}

// entryLocked describes an entry as a scope sees it.
func (c *Catalog) entryLocked(s scope.Scope, e *entry) wire.CatalogEntry {
	return wire.CatalogEntry{
		Name: e.Name, Current: e.Current, Selector: c.shownSelectorLocked(s, e.Selector), Kind: e.Kind, Deleted: e.Deleted, Version: e.version(),
		Rollout: e.Rollout, Author: e.Author, AtMS: e.AtMS, Message: e.Message, Summary: c.summaryLocked(s, e.Name),
	}
}

// history returns the changes of an inspector, newest first.
func (c *Catalog) history(ctx context.Context, name string) ([]wire.HistoryEntry, error) {
	prefix := historyPrefix + name + "/"
	stored, err := c.store.List(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("cannot read the history of %q: %w", name, err)
	}
	// "load/" is also the beginning of the changes of load/average.
	stored = slices.DeleteFunc(stored, func(s state.Entry) bool { return strings.Contains(s.Key[len(prefix):], "/") })
	history := make([]wire.HistoryEntry, len(stored))
	for i, s := range stored {
		if err := decode(s, &history[len(stored)-1-i]); err != nil {
			return nil, err
		}
	}
	return history, nil
}

// Revision returns a revision of an inspector by its id or the start of it.
func (c *Catalog) Revision(ctx context.Context, p wire.RevisionParams) (wire.Revision, error) {
	e := c.entryFor(ctx, p.Name)
	if e == nil {
		return wire.Revision{}, c.notInCatalog(ctx, p.Name)
	}
	if p.Revision == "" {
		if e.Deleted {
			return wire.Revision{}, rpc.Errorf(wire.CodeNotFound, "inspector %q is deleted and has no current revision; catalog.get has its history", p.Name)
		}
		return c.revision(ctx, e.Current)
	}
	history, err := c.history(ctx, p.Name)
	if err != nil {
		return wire.Revision{}, err
	}
	found, err := named(history, p)
	if err != nil {
		return wire.Revision{}, err
	}
	return c.revision(ctx, found)
}

// named finds the revision in a history whose id begins as p says.
func named(history []wire.HistoryEntry, p wire.RevisionParams) (string, error) {
	if len(p.Revision) < minPrefix {
		return "", rpc.Errorf(rpc.CodeInvalidParams, "the revision %q is too short: give at least %d digits", p.Revision, minPrefix)
	}
	found := ""
	for _, h := range history {
		if !strings.HasPrefix(h.Revision, p.Revision) || h.Revision == found {
			continue
		}
		if found != "" {
			return "", rpc.Errorf(rpc.CodeInvalidParams, "more than one revision of %q begins with %s; give more digits", p.Name, p.Revision)
		}
		found = h.Revision
	}
	if found == "" {
		return "", rpc.Errorf(wire.CodeNotFound, "inspector %q has had no revision %.64q; `vedette inspector history %s` lists them", p.Name, p.Revision, p.Name)
	}
	return found, nil
}

func rolloutNumber(id string) (uint64, error) {
	number, err := strconv.ParseUint(id, 10, 32)
	if err != nil || fmt.Sprint(number) != id {
		return 0, rpc.Errorf(wire.CodeNotFound, "%.20q is no rollout: their ids are numbers; `vedette rollouts` lists them", id)
	}
	return number, nil
}

// noRollout is the error for a rollout that does not exist, or that the caller may
// not see.
func (c *Catalog) noRollout(number uint64) error {
	c.mu.Lock()
	last := c.lastRollout
	c.mu.Unlock()
	if last == 0 {
		return rpc.Errorf(wire.CodeNotFound, "there is no rollout %d, because nothing was pushed yet", number)
	}
	return rpc.Errorf(wire.CodeNotFound, "there is no rollout %d; the latest is %d, and `vedette rollouts` lists them", number, last)
}

// hiddenRollout is the error for a rollout that the caller may not see: the same
// as for one that does not exist.
func (c *Catalog) hiddenRollout(id string) error {
	number, err := rolloutNumber(id)
	if err != nil {
		return err
	}
	return c.noRollout(number)
}

// Rollout returns a rollout by its id, as the caller may see it.
func (c *Catalog) Rollout(ctx context.Context, id string) (wire.Rollout, error) {
	r, err := c.rollout(ctx, id)
	if err != nil {
		return wire.Rollout{}, err
	}
	r, sees := c.ShownRollout(ctx, r)
	if !sees {
		return wire.Rollout{}, c.hiddenRollout(id)
	}
	return r, nil
}

// rollout returns a rollout as it is.
func (c *Catalog) rollout(ctx context.Context, id string) (wire.Rollout, error) {
	number, err := rolloutNumber(id)
	if err != nil {
		return wire.Rollout{}, err
	}
	c.mu.Lock()
	for _, a := range c.active {
		if a.ID == id {
			c.mu.Unlock()
			return shown(a.Rollout), nil
		}
	}
	c.mu.Unlock()
	return c.storedRollout(ctx, number)
}

func (c *Catalog) storedRollout(ctx context.Context, number uint64) (wire.Rollout, error) {
	var r wire.Rollout
	stored, err := c.store.Get(ctx, rolloutKey(number))
	if isNotFound(err) {
		return r, c.noRollout(number)
	}
	if err == nil {
		err = decode(stored, &r)
	}
	if err != nil {
		return r, fmt.Errorf("cannot read rollout %d: %w", number, err)
	}
	return shown(r), nil
}

// Rollouts returns the rollouts of an inspector, or all, newest first.
func (c *Catalog) Rollouts(ctx context.Context, p wire.RolloutsParams) ([]wire.Rollout, error) {
	limit := p.Limit
	if limit <= 0 {
		limit = defaultRollouts
	}
	limit = min(limit, maxRollouts)
	c.mu.Lock()
	last := c.lastRollout
	c.mu.Unlock()
	list := []wire.Rollout{}
	for number := last; number > 0 && len(list) < limit && ctx.Err() == nil; number-- {
		r, err := c.Rollout(ctx, fmt.Sprint(number))
		if refusal, ok := err.(*rpc.Error); ok && refusal.Code == wire.CodeNotFound {
			continue // its push failed, or the caller may not see it
		}
		if err != nil {
			return nil, err
		}
		if p.Inspector == "" || p.Inspector == r.Inspector {
			list = append(list, r)
		}
	}
	return list, ctx.Err()
}

// shown is a rollout without the fields that only the master needs.
func shown(r wire.Rollout) wire.Rollout {
	r.Marks = nil
	return r
}

// Audit returns lines of the audit log, newest first.
func (c *Catalog) Audit(ctx context.Context, p wire.AuditParams) ([]wire.AuditEntry, error) {
	return c.audit.List(ctx, p)
}

// VerifyAudit checks the audit log; see audit.Log.Verify.
func (c *Catalog) VerifyAudit(ctx context.Context, noted wire.AuditVerifyParams) (wire.AuditVerifyResult, error) {
	return c.audit.Verify(ctx, noted)
}

// KeepAudit trims the audit log; see audit.Log.Keep.
func (c *Catalog) KeepAudit(ctx context.Context, now time.Time) error {
	return c.audit.Keep(ctx, now)
}

// FlushAudit writes the lines that the audit log holds back.
func (c *Catalog) FlushAudit(ctx context.Context) error { return c.audit.Flush(ctx) }

// Note adds a line to the audit log.
func (c *Catalog) Note(ctx context.Context, entry wire.AuditEntry) error {
	return c.audit.Append(ctx, entry)
}
