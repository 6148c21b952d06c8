package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/internal/nearest"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/rollout"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Actions of an inspector's history.
const (
	actionPush     = "push"
	actionRollback = "rollback"
	actionDelete   = "delete"
)

// wish is a requested change of an entry.
type wish struct {
	action   string
	name     string
	code     *wire.Code       // the code to push, or nil
	signed   []wire.Signature // signatures that come with it
	revision string           // the revision to make current; "" to delete
	kind     string           // of the revision; "" to delete
	// ranBefore is whether a rollback goes to what has run on its hosts.
	ranBefore bool
	selector  *string // nil keeps the selector of the entry

	allowNone bool // the selector may select no host
	message   string
	plan      wire.Plan
	interval  time.Duration // of the revision
}

// Push makes code the current revision of an inspector, and begins its rollout.
//
// Of several pushes that have seen the same entry one wins; the others get
// wire.CodeConflict. A push has seen the version that it gives, or else the
// version that is current when Push is called.
func (c *Catalog) Push(ctx context.Context, p wire.PushParams) (wire.PushResult, error) {
	code, definition, _ := complete(p.Code) // accept returns the faults
	seen := c.seen(code.Name, p.Version)
	if err := validateMessage(p.Message); err != nil {
		return wire.PushResult{}, err
	}
	if err := CheckSignatures(p.Signatures); err != nil {
		return wire.PushResult{}, err
	}
	if p.Selector != nil {
		if _, err := ParseSelector(*p.Selector); err != nil {
			return wire.PushResult{}, err
		}
	}
	if err := p.Plan.Check(); err != nil {
		return wire.PushResult{}, rpc.Errorf(rpc.CodeInvalidParams, "plan: %v", err)
	}
	code, notBuilt, err := c.accept(ctx, p.Code)
	if err != nil {
		return wire.PushResult{}, err
	}
	result, err := c.change(ctx, seen, wish{
		action: actionPush, name: code.Name, code: &code, signed: p.Signatures, revision: wire.RevisionOf(code), kind: kindOf(code),
		selector: p.Selector, allowNone: p.AllowNone, message: p.Message, plan: p.Plan, interval: definition.Interval,
	})
	result.NotBuilt = notBuilt
	return result, err
}

// Rollback makes an earlier revision current again, for its hosts of that time, by
// a separate rollout.
func (c *Catalog) Rollback(ctx context.Context, p wire.RollbackParams) (wire.PushResult, error) {
	seen := c.seen(p.Name, p.Version)
	if err := validateMessage(p.Message); err != nil {
		return wire.PushResult{}, err
	}
	if err := p.Plan.Check(); err != nil {
		return wire.PushResult{}, rpc.Errorf(rpc.CodeInvalidParams, "plan: %v", err)
	}
	if err := CheckSignatures(p.Signatures); err != nil {
		return wire.PushResult{}, err
	}
	if len(p.Signatures) > 0 && p.Revision == "" {
		return wire.PushResult{}, rpc.Errorf(rpc.CodeInvalidParams, "signatures are given without the revision that they are of")
	}
	before, ran, err := c.before(ctx, p)
	if err != nil {
		return wire.PushResult{}, err
	}
	revision, err := c.revision(ctx, before.Revision)
	if err != nil {
		return wire.PushResult{}, err
	}
	if err := c.checkArtefacts(revision.Code); err != nil {
		return wire.PushResult{}, rpc.Errorf(wire.CodeConflict, "%v", err)
	}
	_, definition, _ := complete(revision.Code)
	return c.change(ctx, seen, wish{
		action: actionRollback, name: p.Name, signed: p.Signatures, revision: revision.ID, kind: kindOf(revision.Code), ranBefore: ran,
		selector: &before.Selector, message: p.Message, plan: p.Plan, interval: definition.Interval,
	})
}

// Delete removes an inspector from its hosts and keeps its history. A later push
// revives it. The rollout is done when all hosts have dropped it.
func (c *Catalog) Delete(ctx context.Context, p wire.DeleteParams) (wire.PushResult, error) {
	seen := c.seen(p.Name, p.Version)
	if err := validateMessage(p.Message); err != nil {
		return wire.PushResult{}, err
	}
	return c.change(ctx, seen, wish{action: actionDelete, name: p.Name, message: p.Message})
}

// seen returns the version of an entry that the author of a change has seen.
func (c *Catalog) seen(name string, version *string) string {
	if version != nil {
		return *version
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[name]; e != nil {
		return e.version()
	}
	return ""
}

// change carries out a wish, on the disk first.
func (c *Catalog) change(ctx context.Context, seen string, w wish) (wire.PushResult, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	// A rollout that has succeeded or failed by now is not replaced: its end
	// decides what this change may go back to. The step is the master's, whoever
	// pushes.
	if _, err := c.stepNow(context.Background(), w.name, c.viewOf(w.name)); err != nil {
		return wire.PushResult{}, fmt.Errorf("cannot bring the rollout before up to date: %w", err)
	}
	c.mu.Lock()
	before, running := c.entries[w.name], c.active[w.name]
	c.mu.Unlock()
	if err := c.bind(ctx, before, &w); err != nil {
		return wire.PushResult{}, err
	}
	if err := compare(w.name, before, seen); err != nil {
		return wire.PushResult{}, err
	}
	if w.action != actionPush && (before == nil || before.Deleted && w.action == actionDelete) {
		return wire.PushResult{}, c.notInCatalog(ctx, w.name)
	}
	e, err := nextEntry(ctx, before, w)
	if err != nil {
		return wire.PushResult{}, err
	}
	attempt := audit.From(ctx)
	if before != nil && before.Current == e.Current && before.Selector == e.Selector && before.Deleted == e.Deleted {
		return c.unchanged(ctx, attempt, before, w)
	}
	code, revised, err := c.codeFor(ctx, w, e)
	if err != nil {
		return wire.PushResult{}, err
	}
	well, drops, err := c.weigh(ctx, e, before, code[w.revision].Code, w)
	if err != nil {
		return wire.PushResult{}, err
	}
	if c.mustWait(ctx, e, before, running, w) {
		return c.propose(ctx, e, before, w, drops)
	}
	next, err := c.begin(e, before, running, w)
	if err != nil {
		return wire.PushResult{}, err
	}
	e.Rollout = next.ID
	approved := approvalFrom(ctx)
	changes := append(approved.removes(), attempt.Change(w.name, approved.says(w.describe(e, next.ID))))
	history := wire.HistoryEntry{
		AtMS: e.AtMS, Author: e.Author, Action: w.action, Revision: e.Current, Selector: e.Selector, Message: e.Message, Rollout: next.ID,
		WellBefore: well, Approved: approved.by(),
	}
	changes = append(changes, revised...)
	if running != nil {
		replaced := copyRollout(running.Rollout)
		if err := rollout.Replace(&replaced, "by rollout "+next.ID, time.UnixMilli(e.AtMS)); err != nil {
			return wire.PushResult{}, rpc.Errorf(wire.CodeConflict, "%v", err)
		}
		changes = append(changes, putRollout(running, replaced))
		defer c.announceRollout(replaced)
	}
	result := wire.PushResult{Revision: e.Current, Version: e.version(), Rollout: next.ID, Selector: e.Selector, Hosts: hostsOf(next), Drops: drops}
	if err := c.commit(ctx, e, before, history, &active{Rollout: next}, code, changes); err != nil {
		return wire.PushResult{}, err
	}
	attempt.Written()
	c.announceRollout(next)
	return result, nil
}

// weigh refuses a change for which hosts have no room, or that is for no host. It
// returns on how many hosts the previous revision does well, and how many would
// drop it.
func (c *Catalog) weigh(ctx context.Context, e, before *entry, code wire.Code, w wish) (well, drops int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.checkSelectionLocked(scope.From(ctx), before, e, w); err != nil {
		return 0, 0, err
	}
	return c.wellLocked(before), c.dropsLocked(scope.From(ctx), e.Name, e.selector), c.checkRoomLocked(e, code)
}

// unchanged answers a push of the current code. It is audited in any case, and may
// bring signatures. changing is held.
func (c *Catalog) unchanged(ctx context.Context, attempt *audit.Attempt, e *entry, w wish) (wire.PushResult, error) {
	has, err := c.signatures(ctx, w.revision)
	if err != nil {
		return wire.PushResult{}, err
	}
	all, changes, err := sign(w.revision, has, w.signed)
	if err != nil {
		return wire.PushResult{}, err
	}
	signed, detail := len(changes) > 0, "nothing changed"
	if signed {
		detail = fmt.Sprintf("revision %.8s, %s", w.revision, w.signedBy())
	}
	if err := c.store.Apply(context.WithoutCancel(ctx), append(changes, attempt.Change(w.name, detail))...); err != nil {
		return wire.PushResult{}, fmt.Errorf("cannot write the audit log: %w", err)
	}
	attempt.Written()
	c.mu.Lock()
	defer c.mu.Unlock()
	if signed {
		c.signedLocked(w.name, w.revision, all)
	}
	return wire.PushResult{Revision: e.Current, Version: e.version(), Signed: signed, Selector: e.Selector, Hosts: len(c.targetsLocked(e.selector))}, nil
}

// compare refuses a change whose author has not seen the current version.
func compare(name string, e *entry, seen string) error {
	version := ""
	if e != nil {
		version = e.version()
	}
	if seen == version || e != nil && e.Deleted && seen == "" {
		return nil
	}
	if e == nil {
		return rpc.Errorf(wire.CodeConflict, "inspector %q is not in the catalog any more", name)
	}
	what := fmt.Sprintf("%s changed it to revision %.8s", e.Author, e.Current)
	if e.Deleted {
		what = e.Author + " deleted it"
	}
	refusal := rpc.Errorf(wire.CodeConflict, "inspector %q has changed: %s at %s, %s; look at that first", name,
		what, time.UnixMilli(e.AtMS).UTC().Format(time.RFC3339), orNoMessage(e.Message))
	refusal.Data = map[string]any{"version": version, "author": e.Author, "at_ms": e.AtMS, "revision": e.Current}
	return refusal
}

func orNoMessage(message string) string {
	if message == "" {
		return "without a message"
	}
	return fmt.Sprintf("%q", message)
}

// notInCatalog is the error for a missing inspector. It suggests the one that was
// probably meant.
func (c *Catalog) notInCatalog(ctx context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notInCatalogLocked(ctx, name)
}

func (c *Catalog) notInCatalogLocked(ctx context.Context, name string) error {
	var names []string
	for known, e := range c.entries {
		if !e.Deleted && c.seesLocked(scope.From(ctx), e) {
			names = append(names, known)
		}
	}
	slices.Sort(names)
	return rpc.Errorf(wire.CodeNotFound, "no inspector %q is in the catalog%s", name, nearest.Ask(name, names))
}

// nextEntry is the entry after the change.
func nextEntry(ctx context.Context, before *entry, w wish) (*entry, error) {
	e := &entry{record: record{Name: w.name}}
	if before != nil {
		e.record, e.stored = before.record, before.stored
	}
	e.Current, e.Kind, e.Deleted = w.revision, w.kind, w.action == actionDelete
	if w.selector != nil {
		e.Selector = *w.selector
	}
	e.Changes++
	e.Author, e.AtMS, e.Message = audit.From(ctx).Who(), time.Now().UnixMilli(), w.message
	if approved := approvalFrom(ctx); approved != nil {
		e.Author = approved.proposal.Author
	}
	var err error
	e.selector, err = labels.Parse(e.Selector)
	return e, err
}

// begin makes the rollout of a change. It starts from the settled revision, which
// hosts run until the rollout reaches them.
func (c *Catalog) begin(e, before *entry, running *active, w wish) (wire.Rollout, error) {
	r := wire.Rollout{
		Inspector: e.Name, Action: w.action, To: e.Current, ToSelector: e.Selector,
		Author: e.Author, Message: e.Message, Plan: rollout.Defaults(w.plan, w.interval),
	}
	switch {
	case running != nil && running.To != "":
		r.From, r.FromSelector = running.From, running.FromSelector
	case running == nil && before != nil && !before.Deleted:
		r.From, r.FromSelector = before.Current, before.Selector
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastRollout++
	r.ID = fmt.Sprint(c.lastRollout)
	var hosts []rollout.Host
	for _, t := range c.targetsLocked(e.selector) {
		hosts = append(hosts, rollout.Host{Name: t.name, Up: t.up, Accepts: t.accepts})
	}
	r, err := rollout.New(r, hosts, time.UnixMilli(e.AtMS))
	if err != nil {
		return r, rpc.Errorf(rpc.CodeInvalidParams, "plan: %v", err)
	}
	return r, nil
}

// codeFor returns the code of every revision that hosts may have to run after a
// change, and the changes that store a new revision and new signatures.
func (c *Catalog) codeFor(ctx context.Context, w wish, e *entry) (map[string]signedCode, []state.Change, error) {
	if w.revision == "" {
		return nil, nil, nil
	}
	var changes []state.Change
	revision, err := c.revision(ctx, w.revision)
	if isNotFound(err) && w.code != nil {
		revision = wire.Revision{ID: w.revision, Code: *w.code, Author: e.Author, AtMS: e.AtMS, Message: e.Message}
		changes, err = append(changes, state.Put(revisionPrefix+w.revision, encode(revision), state.None)), nil
	}
	if err != nil {
		return nil, nil, err
	}
	all, signed, err := sign(w.revision, revision.Signatures, w.signed)
	if err != nil {
		return nil, nil, err
	}
	return map[string]signedCode{w.revision: {revision.Code, all}}, append(changes, signed...), nil
}

// commit writes an entry with its history, its rollout and the other changes in
// one Apply; then they take effect. A rollout that has ended settles the entry.
// changing is held.
func (c *Catalog) commit(ctx context.Context, e, before *entry, history wire.HistoryEntry, a *active, code map[string]signedCode,
	changes []state.Change,
) error {
	want := state.None
	if before != nil {
		want = before.stored
	}
	value := encode(e.record)
	e.stored = state.VersionOf(value)
	stored, err := newActive(a.Rollout, state.VersionOf(encode(a.Rollout)))
	if err != nil {
		return rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	changes = append(changes,
		state.Put(entryPrefix+e.Name, value, want),
		state.Put(historyKey(e.Name, e.Changes), encode(history), state.None),
		putRollout(a, a.Rollout),
	)
	// Once begun, it must not be cancelled because the caller went away.
	if err := c.store.Apply(context.WithoutCancel(ctx), changes...); err != nil {
		if errors.Is(err, state.ErrConflict) {
			return rpc.Errorf(wire.CodeConflict, "inspector %q has changed meanwhile: %v", e.Name, err)
		}
		return fmt.Errorf("cannot write the catalog: %w", err)
	}
	if !isActive(a.Rollout) {
		stored = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, code := range code {
		before := c.code[id].signatures
		c.code[id] = code
		if !slices.Equal(before, code.signatures) {
			c.signedLocked(e.Name, id, code.signatures)
		}
	}
	c.installLocked(e, stored)
	return nil
}

// putRollout replaces the stored form of a rollout.
func putRollout(before *active, r wire.Rollout) state.Change {
	number, _ := rolloutNumber(r.ID) // the catalog has numbered it
	return state.Put(rolloutKey(number), encode(r), before.stored)
}

// describe is the text of a change in the audit log. A change that waits has no
// rollout.
func (w *wish) describe(e *entry, rollout string) string {
	var parts []string
	if e.Current != "" {
		parts = append(parts, fmt.Sprintf("revision %.8s", e.Current))
	}
	parts = append(parts, fmt.Sprintf("selector %q", e.Selector))
	if rollout != "" {
		parts = append(parts, "rollout "+rollout)
	}
	if len(w.signed) > 0 {
		parts = append(parts, w.signedBy())
	}
	if w.message != "" {
		parts = append(parts, fmt.Sprintf("message %q", w.message))
	}
	return strings.Join(parts, ", ")
}

// signedBy names the keys whose signatures come with a push.
func (w *wish) signedBy() string { return "signed by " + strings.Join(signersOf(w.signed), ", ") }

func hostsOf(r wire.Rollout) int {
	n := 0
	for _, stage := range r.Stages {
		n += len(stage.Hosts)
	}
	return n
}
