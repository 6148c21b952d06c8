package catalog

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/master/twopersons"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// A change that needs a second person is a proposal until that person has approved it:
// the wish as it was accepted, with the version of the entry that its author has seen.
// Approving it carries out the same wish, under the scope of the approver, and removes
// the proposal in the same write. Whoever stands behind it is looked up then: somebody
// who is no longer an operator of all of its hosts does not count.

const (
	proposalPrefix = "proposal/"
	// proposing is the action of a change that waits, in the audit log.
	proposing = "proposals.add"
	// proposedPrefix is where the code of proposals is.
	proposedPrefix = "proposed/"
	// maxProposals bounds those that wait, maxProposalsEach those of one credential,
	// and maxProposedBytes their code.
	maxProposals     = 1000
	maxProposalsEach = 500
	maxProposedBytes = 64 << 20
)

// proposal is the stored form of a wish that waits.
type proposal struct {
	ID     string `json:"id"`
	Action string `json:"action"`
	Name   string `json:"name"`             // the inspector, or the host that gets labels
	Author string `json:"author"`           // the name of the credential
	Person string `json:"person,omitempty"` // the key of the person, or "" for nobody
	Token  string `json:"token,omitempty"`  // the checksum of the token, if it can be revoked
	AtMS   int64  `json:"at_ms"`
	EndsMS int64  `json:"ends_ms"`

	Message    string            `json:"message,omitempty"`
	Revision   string            `json:"revision,omitempty"`
	Selector   string            `json:"selector,omitempty"`
	AllowNone  bool              `json:"allow_none,omitempty"`
	Plan       wire.Plan         `json:"plan"`
	IntervalMS int64             `json:"interval_ms,omitempty"`
	Signed     []wire.Signature  `json:"signed,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`

	Seen      string        `json:"seen,omitempty"` // the version of the entry, or of the given labels
	Current   string        `json:"current,omitempty"`
	Hosts     int           `json:"hosts"`
	Drops     int           `json:"drops,omitempty"`
	CodeBytes int           `json:"code_bytes,omitempty"` // 0 if there is no code
	Approved  []approvalRec `json:"approved,omitempty"`

	stored, code state.Version
}

// approvalRec is one person who has approved a proposal that needs more of them.
type approvalRec struct {
	Name   string `json:"name"`
	Person string `json:"person"`
}

func (p *proposal) author() twopersons.Person {
	return twopersons.Person{Key: p.Person, Name: p.Author}
}

// approval is what the context of a change carries that is approved.
type approval struct {
	proposal *proposal
	names    []string // of those who have approved it
	message  string   // of the last of them
}

type approvalKey struct{}

func approvalFrom(ctx context.Context) *approval {
	a, _ := ctx.Value(approvalKey{}).(*approval)
	return a
}

// removes are the changes that remove an approved proposal. The write fails if somebody
// else has approved or refused it meanwhile.
func (a *approval) removes() []state.Change {
	if a == nil {
		return nil
	}
	return a.proposal.remove()
}

func (p *proposal) remove() []state.Change {
	changes := []state.Change{state.Delete(proposalPrefix+p.ID, p.stored)}
	if p.CodeBytes > 0 {
		changes = append(changes, state.Delete(proposedPrefix+p.ID, p.code))
	}
	return changes
}

// by names who has approved a change, or nobody.
func (a *approval) by() []string {
	if a == nil {
		return nil
	}
	return a.names
}

// says is the beginning of the line in the audit log of an approved change.
func (a *approval) says(detail string) string {
	if a == nil {
		return detail
	}
	why := ""
	if a.message != "" {
		why = fmt.Sprintf(" (%q)", a.message)
	}
	return fmt.Sprintf("proposal %s by %s, approved by %s%s: %s", a.proposal.ID, a.proposal.Author, strings.Join(a.names, " and "), why, detail)
}

// SetTwoPersons sets which changes need a second person. A change of that is recorded
// in the audit log, also one that was made while the master was down.
func (c *Catalog) SetTwoPersons(ctx context.Context, rule twopersons.Rule) error {
	const key = "setting/two-persons"
	stored, err := c.store.Get(ctx, key)
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("cannot read %s: %w", key, err)
	}
	if text := rule.String(); string(stored.Value) != text && (rule.On() || err == nil) {
		line := audit.NewAttempt(audit.Master, audit.Master, "", "master.two_persons").Change("master.two_persons", text)
		if err := c.store.Apply(context.WithoutCancel(ctx), state.Put(key, []byte(text), stored.Version), line); err != nil {
			return fmt.Errorf("cannot write %s: %w", key, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rule = rule
	return nil
}

// TwoPersons returns which changes need a second person.
func (c *Catalog) TwoPersons() twopersons.Rule {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rule
}

// mustWait reports whether a change needs a second person and has none.
func (c *Catalog) mustWait(ctx context.Context, e, before *entry, running *active, w wish) bool {
	rule := c.TwoPersons()
	switch {
	case approvalFrom(ctx) != nil || !rule.On():
		return false
	case w.action == actionRollback && w.ranBefore && !rule.Rollback():
		return false
	}
	var reaches []labels.Selector
	if !e.Deleted {
		reaches = append(reaches, e.selector)
	}
	if before != nil && !before.Deleted {
		reaches = append(reaches, before.selector)
	}
	if running != nil {
		reaches = append(reaches, running.from, running.to)
	}
	return rule.CoversAny(reaches...)
}

// propose stores a wish until another person approves it.
func (c *Catalog) propose(ctx context.Context, e, before *entry, w wish, drops int) (wire.PushResult, error) {
	c.mu.Lock()
	hosts := len(c.targetsLocked(e.selector))
	c.mu.Unlock()
	p := &proposal{
		Action: w.action, Name: w.name, Message: w.message, Revision: w.revision, Selector: e.Selector, AllowNone: w.allowNone,
		Plan: w.plan, IntervalMS: w.interval.Milliseconds(), Signed: w.signed, Hosts: hosts, Drops: drops,
	}
	result := wire.PushResult{Revision: w.revision, Selector: e.Selector, Hosts: hosts, Drops: drops}
	if before != nil {
		p.Seen, result.Version = before.version(), before.version()
		if !before.Deleted {
			p.Current = before.Current
		}
	}
	var code []byte
	if w.code != nil {
		code = encode(w.code)
	}
	err := c.keepProposal(ctx, p, code, w.describe(e, ""))
	result.Proposal = p.ID
	return result, err
}

// keepProposal writes a proposal. If the same one of the same author waits already, it
// is that.
func (c *Catalog) keepProposal(ctx context.Context, p *proposal, code []byte, detail string) error {
	person, attempt, now := twopersons.From(ctx), audit.From(ctx), time.Now()
	p.Author, p.Person, p.Token = attempt.Who(), person.Key, person.Token
	if !person.Known() {
		p.Person = ""
	}
	all, err := c.proposals(ctx)
	if err != nil {
		return err
	}
	rule := c.TwoPersons()
	p.AtMS, p.EndsMS, p.CodeBytes = now.UnixMilli(), now.Add(rule.Expire()).UnixMilli(), len(code)
	each, bytes := 0, len(code)
	for _, other := range all {
		if other.ended(now) {
			continue
		}
		if other.Author == p.Author {
			if other.sameWish(p) {
				*p = *other
				return c.noteAgain(ctx, attempt, p)
			}
			each++
		}
		bytes += other.CodeBytes
	}
	switch {
	case len(all) >= maxProposals || each >= maxProposalsEach || bytes > maxProposedBytes:
		return rpc.Errorf(wire.CodeBusy, "%d changes wait for a second person, %d of them yours, which is the limit; have some approved or refused",
			len(all), each)
	case len(encode(p)) > maxProposalBytes:
		return rpc.Errorf(rpc.CodeInvalidParams, "the change is too large to wait for a second person: %d bytes without its code; at most %d are allowed",
			len(encode(p)), maxProposalBytes)
	}
	p.ID = strings.ToLower(rand.Text()[:10])
	changes := []state.Change{
		state.Put(proposalPrefix+p.ID, encode(p), state.None),
		attempt.ChangeAs(proposing, p.Name, fmt.Sprintf("%s, which waits for a second person as proposal %s: %s", p.Action, p.ID, detail)),
	}
	if len(code) > 0 {
		changes = append(changes, state.Put(proposedPrefix+p.ID, code, state.None))
	}
	if err := c.store.Apply(context.WithoutCancel(ctx), changes...); err != nil {
		return fmt.Errorf("cannot write the proposal: %w", err)
	}
	attempt.Written()
	return nil
}

// noteAgain writes down that somebody has proposed again what waits already.
func (c *Catalog) noteAgain(ctx context.Context, attempt *audit.Attempt, p *proposal) error {
	line := attempt.ChangeAs(proposing, p.Name, fmt.Sprintf("proposal %s waits for a second person already", p.ID))
	if err := c.store.Apply(context.WithoutCancel(ctx), line); err != nil {
		return fmt.Errorf("cannot write the audit log: %w", err)
	}
	attempt.Written()
	return nil
}

// maxProposalBytes bounds a proposal without its code.
const maxProposalBytes = 64 << 10

func (p *proposal) ended(now time.Time) bool { return now.UnixMilli() >= p.EndsMS }

// sameWish reports whether two proposals of an author are for the same change.
func (p *proposal) sameWish(other *proposal) bool {
	bare := func(p *proposal) string {
		q := *p
		q.ID, q.AtMS, q.EndsMS, q.Hosts, q.Drops, q.Approved = "", 0, 0, 0, 0, nil
		return string(encode(q))
	}
	return bare(p) == bare(other)
}

// proposals returns all, oldest first.
func (c *Catalog) proposals(ctx context.Context) ([]*proposal, error) {
	stored, err := c.store.List(ctx, proposalPrefix)
	if err != nil {
		return nil, fmt.Errorf("cannot read the proposals: %w", err)
	}
	all := make([]*proposal, 0, len(stored))
	for _, s := range stored {
		p := &proposal{stored: s.Version}
		if err := decode(s, p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *proposal) int {
		if a.AtMS != b.AtMS {
			return int(a.AtMS - b.AtMS)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, nil
}

// proposal returns one that the caller may see, with its code.
func (c *Catalog) proposal(ctx context.Context, id string) (*proposal, *wire.Code, error) {
	missing := rpc.Errorf(wire.CodeNotFound, "no change %.40q waits for a second person; `vedette proposals` lists them, and `vedette audit` says what became of others", id)
	if !isProposalID(id) {
		return nil, nil, missing
	}
	stored, err := c.store.Get(ctx, proposalPrefix+id)
	if isNotFound(err) {
		return nil, nil, missing
	}
	p := &proposal{stored: stored.Version}
	if err == nil {
		err = decode(stored, p)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read proposal %s: %w", id, err)
	}
	if !c.seesProposal(ctx, p) || p.ended(time.Now()) {
		return nil, nil, missing
	}
	if p.CodeBytes == 0 {
		return p, nil, nil
	}
	if stored, err = c.store.Get(ctx, proposedPrefix+id); isNotFound(err) {
		return nil, nil, missing // it was approved or refused just now
	}
	code := &wire.Code{}
	if err == nil {
		err = decode(stored, code)
	}
	p.code = stored.Version
	return p, code, err
}

func isProposalID(id string) bool {
	return id != "" && len(id) <= 40 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// seesProposal reports whether a caller may see a proposal: the caller's own, and those
// for hosts that the caller is bound to.
func (c *Catalog) seesProposal(ctx context.Context, p *proposal) bool {
	s := scope.From(ctx)
	return s.All() || p.Author == audit.From(ctx).Who() && p.author().Same(twopersons.From(ctx)) || c.within(s, p)
}

// within reports whether a scope has every host that a proposal reaches, now and
// whenever labels change.
func (c *Catalog) within(s scope.Scope, p *proposal) bool {
	if s.All() {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Action == wire.ProposedLabels {
		t := c.targets[p.Name]
		return t != nil && s.Matches(t.labels)
	}
	if _, outside := c.reachLocked(s, p.Name); outside {
		return false
	}
	return p.Action == wire.ProposedDelete || s.Narrow(p.Selector) == p.Selector
}

// Proposals returns the changes that wait and that the caller may see, oldest first.
func (c *Catalog) Proposals(ctx context.Context) ([]wire.Proposal, error) {
	all, err := c.proposals(ctx)
	if err != nil {
		return nil, err
	}
	list := []wire.Proposal{}
	for _, p := range all {
		if !p.ended(time.Now()) && c.seesProposal(ctx, p) {
			list = append(list, c.shownProposal(ctx, p))
		}
	}
	return list, nil
}

// Proposal returns one of them, with its code.
func (c *Catalog) Proposal(ctx context.Context, id string) (wire.Proposal, error) {
	p, code, err := c.proposal(ctx, id)
	if err != nil {
		return wire.Proposal{}, err
	}
	if code == nil && p.Revision != "" {
		revision, err := c.revision(ctx, p.Revision)
		if err != nil {
			return wire.Proposal{}, err
		}
		code = &revision.Code
	}
	result := c.shownProposal(ctx, p)
	result.Code = code
	return result, nil
}

func (c *Catalog) shownProposal(ctx context.Context, p *proposal) wire.Proposal {
	shown := wire.Proposal{
		ID: p.ID, Action: p.Action, Subject: p.Name, Author: p.Author, AtMS: p.AtMS, EndsMS: p.EndsMS, Message: p.Message,
		Revision: p.Revision, Selector: p.Selector, Plan: p.Plan, Version: p.Seen, Current: p.Current, Hosts: p.Hosts, Drops: p.Drops,
		Labels: p.Labels, Signers: signersOf(p.Signed), Missing: max(twopersons.Needed-len(c.behind(p)), 1),
	}
	for _, a := range p.Approved {
		shown.Approved = append(shown.Approved, a.Name)
	}
	err := c.mayApprove(ctx, p)
	if err == nil {
		err = c.outdated(p)
	}
	if err != nil {
		shown.Why = err.Error()
		if answer, ok := errors.AsType[*rpc.Error](err); ok {
			shown.Why = answer.Message
		}
	}
	return shown
}

// outdated says what has changed since a change was proposed, so that it cannot be made
// any more, or returns nil.
func (c *Catalog) outdated(p *proposal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Action != wire.ProposedLabels {
		return compare(p.Name, c.entries[p.Name], p.Seen)
	}
	if t := c.targets[p.Name]; t != nil && p.Seen != string(encode(t.record.Given)) {
		return labelsChanged(p)
	}
	return nil
}

// behind returns the persons who stand behind a proposal: its author and those who have
// approved it, as far as they are operators of all of its hosts at this moment. Nobody
// stands behind what a token has proposed that was revoked since: it may have been stolen.
func (c *Catalog) behind(p *proposal) (persons []twopersons.Person) {
	add := func(person twopersons.Person) {
		if !person.Known() || slices.ContainsFunc(persons, person.Same) {
			return
		}
		hosts, ok := "", false
		if c.opts.Standing != nil {
			hosts, ok = c.opts.Standing(person.Key)
		}
		if ok && c.within(scope.Of(hosts, nil), p) {
			persons = append(persons, person)
		}
	}
	if p.Token == "" || c.opts.HasToken == nil || c.opts.HasToken(p.Token) {
		add(p.author())
	}
	for _, a := range p.Approved {
		add(twopersons.Person{Key: a.Person, Name: a.Name})
	}
	return persons
}

// mayApprove says why a caller cannot approve a proposal, or nil.
func (c *Catalog) mayApprove(ctx context.Context, p *proposal) error {
	person := twopersons.From(ctx)
	switch {
	case !person.Known() || !person.Present:
		return rpc.Errorf(wire.CodeForbidden, "only somebody who has logged in can approve a change, and no token can: `vedette login`, or the page")
	case person.Same(p.author()):
		return rpc.Errorf(wire.CodeForbidden, "the change is yours (by %s); another person has to approve it", p.Author)
	case slices.ContainsFunc(p.Approved, func(a approvalRec) bool { return person.Same(twopersons.Person{Key: a.Person, Name: a.Name}) }):
		return rpc.Errorf(wire.CodeConflict, "you have approved it already; another person has to approve it, too")
	case !c.within(scope.From(ctx), p):
		return rpc.Errorf(wire.CodeForbidden, "the change reaches hosts that you are not bound to (you are bound to %q)", scope.From(ctx).Selector())
	}
	return nil
}

// Approve approves a proposal of somebody else. If enough persons stand behind it then,
// the change is made.
func (c *Catalog) Approve(ctx context.Context, params wire.ProposalParams) (wire.ApproveResult, error) {
	if err := validateMessage(params.Message); err != nil {
		return wire.ApproveResult{}, err
	}
	p, code, err := c.proposal(ctx, params.ID)
	if err == nil {
		err = c.mayApprove(ctx, p)
	}
	if err != nil {
		return wire.ApproveResult{}, err
	}
	person := twopersons.From(ctx)
	behind := c.behind(p)
	if missing := twopersons.Needed - 1 - len(behind); missing > 0 {
		return c.noteApproval(ctx, p, params, missing)
	}
	names := []string{}
	for _, other := range behind {
		if !other.Same(p.author()) {
			names = append(names, other.Name)
		}
	}
	ctx = context.WithValue(ctx, approvalKey{}, &approval{proposal: p, names: append(names, person.Name), message: params.Message})
	result := wire.ApproveResult{Proposal: c.shownProposal(ctx, p)}
	result.Proposal.Why, result.Proposal.Missing = "", 0
	if p.Action == wire.ProposedLabels {
		_, err := c.Label(ctx, wire.LabelParams{Host: p.Name, Labels: p.Labels})
		return result, err
	}
	pushed, err := c.carryOut(ctx, p, code)
	result.Pushed = &pushed
	return result, err
}

// noteApproval stores that a person has approved a proposal that needs more of them.
func (c *Catalog) noteApproval(ctx context.Context, p *proposal, params wire.ProposalParams, missing int) (wire.ApproveResult, error) {
	person, attempt := twopersons.From(ctx), audit.From(ctx)
	next := *p
	next.Approved = append(slices.Clone(p.Approved), approvalRec{Name: person.Name, Person: person.Key})
	detail := fmt.Sprintf("proposal %s by %s, which waits for another person", p.ID, p.Author)
	if params.Message != "" {
		detail += fmt.Sprintf(", message %q", params.Message)
	}
	value := encode(next)
	if err := c.store.Apply(context.WithoutCancel(ctx), state.Put(proposalPrefix+p.ID, value, p.stored), attempt.Change(p.Name, detail)); err != nil {
		return wire.ApproveResult{}, meanwhile(p, err)
	}
	attempt.Written()
	next.stored = state.VersionOf(value)
	return wire.ApproveResult{Proposal: c.shownProposal(ctx, &next), Missing: missing}, nil
}

// meanwhile is the error of a write about a proposal.
func meanwhile(p *proposal, err error) error {
	if errors.Is(err, state.ErrConflict) {
		return rpc.Errorf(wire.CodeConflict, "somebody else has approved or refused proposal %s meanwhile; look again with `vedette proposals`", p.ID)
	}
	return fmt.Errorf("cannot write proposal %s: %w", p.ID, err)
}

// carryOut makes the change of an approved proposal.
func (c *Catalog) carryOut(ctx context.Context, p *proposal, code *wire.Code) (wire.PushResult, error) {
	w := wish{
		action: p.Action, name: p.Name, signed: p.Signed, revision: p.Revision, allowNone: p.AllowNone, message: p.Message,
		plan: p.Plan, interval: time.Duration(p.IntervalMS) * time.Millisecond,
	}
	notBuilt := ""
	switch p.Action {
	case wire.ProposedPush:
		accepted, why, err := c.accept(ctx, *code)
		if err != nil {
			return wire.PushResult{}, err
		}
		if got := wire.RevisionOf(accepted); got != p.Revision {
			return wire.PushResult{}, fmt.Errorf("the code of proposal %s has become revision %.8s", p.ID, got)
		}
		w.code, w.kind, w.selector, notBuilt = &accepted, kindOf(accepted), &p.Selector, why
	case wire.ProposedRollback:
		revision, err := c.revision(ctx, p.Revision)
		if err != nil {
			return wire.PushResult{}, err
		}
		if err := c.checkArtefacts(revision.Code); err != nil {
			return wire.PushResult{}, rpc.Errorf(wire.CodeConflict, "%v", err)
		}
		w.kind, w.selector = kindOf(revision.Code), &p.Selector
	}
	result, err := c.change(ctx, p.Seen, w)
	result.NotBuilt = notBuilt
	return result, err
}

// Refuse removes a proposal; its author withdraws it.
func (c *Catalog) Refuse(ctx context.Context, params wire.ProposalParams) (wire.Proposal, error) {
	if err := validateMessage(params.Message); err != nil {
		return wire.Proposal{}, err
	}
	p, _, err := c.proposal(ctx, params.ID)
	if err != nil {
		return wire.Proposal{}, err
	}
	detail := fmt.Sprintf("proposal %s by %s: %s %.8s", p.ID, p.Author, p.Action, p.Revision)
	if params.Message != "" {
		detail += fmt.Sprintf(", message %q", params.Message)
	}
	attempt := audit.From(ctx)
	if err := c.store.Apply(context.WithoutCancel(ctx), append(p.remove(), attempt.Change(p.Name, strings.TrimSpace(detail)))...); err != nil {
		return wire.Proposal{}, meanwhile(p, err)
	}
	attempt.Written()
	return c.shownProposal(ctx, p), nil
}

// SweepProposals removes the proposals whose time is over.
func (c *Catalog) SweepProposals(ctx context.Context, now time.Time) error {
	all, err := c.proposals(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if !p.ended(now) {
			continue
		}
		if p.CodeBytes > 0 {
			code, err := c.store.Get(ctx, proposedPrefix+p.ID)
			if err != nil {
				continue // it was approved or refused just now
			}
			p.code = code.Version
		}
		line := audit.NewAttempt(audit.Master, audit.Master, "", "proposals.expire").
			Change(p.Name, fmt.Sprintf("proposal %s by %s: %s", p.ID, p.Author, p.Action))
		if err := c.store.Apply(ctx, append(p.remove(), line)...); err != nil && !errors.Is(err, state.ErrConflict) {
			return fmt.Errorf("cannot remove proposal %s, whose time is over: %w", p.ID, err)
		}
	}
	return nil
}
