package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/vedettehq/vedette/internal/signing"
)

// This file has the messages of pushed code: the contents of the master's catalog, what it
// sends to agents, and their answers.

// ArtefactPath is the folder of the master's HTTP server that holds the programs
// of pushed plugins by their hex SHA-256. An operator's PUT stores one, an
// agent's GET fetches it; both with the token in the Authorization header.
const ArtefactPath = "/artefacts/"

// MaxArtefact is the largest program that a master takes, in bytes.
const MaxArtefact = 256 << 20

// PushedBudget is an inspector's budget; a field that is 0 takes the default.
type PushedBudget struct {
	CPUMS       int64 `json:"cpu_ms,omitempty"`
	HeapBytes   int64 `json:"heap_bytes,omitempty"`
	OutputBytes int64 `json:"output_bytes,omitempty"`
	Series      int   `json:"series,omitempty"`
}

// PushedPlugin is a program that holds the inspector.
type PushedPlugin struct {
	Args []string `json:"args,omitempty"`
	// Artefacts are the programs by platform, such as linux/amd64.
	Artefacts map[string]Artefact `json:"artefacts"`
}

// Artefact is one program, to be fetched from ArtefactPath.
type Artefact struct {
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`   // bytes
}

// Code is the content of a revision, whose id is a hash of it: the program to run, and
// how to run it. Exactly one of Source and Plugin is given.
type Code struct {
	Name string `json:"name"` // the inspector's key
	// File is the name of the source in errors, such as disk.go.
	File   string        `json:"file,omitempty"`
	Source string        `json:"source,omitempty"`
	Plugin *PushedPlugin `json:"plugin,omitempty"`

	// These override the directives of the source, unless they are 0 or "".
	IntervalMS int64         `json:"interval_ms,omitempty"`
	TimeoutMS  int64         `json:"timeout_ms,omitempty"`
	Budget     *PushedBudget `json:"budget,omitempty"`
	Isolation  string        `json:"isolation,omitempty"`
}

// AgentProgram is the name under which the catalog has the program of agents. No
// inspector can have it. Each argument of the code is a ProgramSignature.
const AgentProgram = "vedette/agent"

// ProgramSignature says that the holder of the key with an id has signed the program for
// a platform, as a file of a release.
func ProgramSignature(platform, key, signature string) string {
	return platform + " " + key + " " + signature
}

// Signature says that the holder of a key wants code to run on hosts: on which, from
// when until when, and with which number. It is of the code's revision with all of
// that; PROTOCOL.md has the bytes. A revision has one of a key at
// most. The master cannot verify it, and need not: it has no keys.
type Signature struct {
	// Key is the id of the key: the first 16 hex digits of the SHA-256 of its
	// public half.
	Key       string `json:"key"`
	Signature string `json:"signature"` // of Ed25519, in base64
	// Use is run or try; code that was signed to be tried is not kept. Without it and the
	// members below, the signature is of the old form, of the revision alone.
	Use string `json:"use,omitempty"`
	// Number grows with each signature of a key for an inspector: a host that has run
	// code of one number takes none with a lower one.
	Number int64 `json:"number,omitempty"`
	// FromMS and UntilMS bound when a host may begin with the code; 0 is no bound.
	FromMS  int64 `json:"from_ms,omitempty"`
	UntilMS int64 `json:"until_ms,omitempty"`
	// Selector selects hosts by the labels that their configuration gives them; "" is
	// every host. Labels that a master gives do not count.
	Selector string `json:"selector,omitempty"`
}

// Statement is what the signature says, apart from vouching for the code.
func (s Signature) Statement() signing.Statement {
	return signing.Statement{Use: s.Use, Number: s.Number, FromMS: s.FromMS, UntilMS: s.UntilMS, Selector: s.Selector}
}

// Sign signs a revision.
func Sign(key signing.PrivateKey, revision string, s signing.Statement) Signature {
	return Signature{
		Key: key.Public().ID(), Signature: key.SignCode(revision, s),
		Use: s.Use, Number: s.Number, FromMS: s.FromMS, UntilMS: s.UntilMS, Selector: s.Selector,
	}
}

// MaxSignatures is how many signatures a revision has at most.
const MaxSignatures = 16

// Revision is one version of an inspector's code. Its id is the hex SHA-256 of
// the code's canonical JSON; a prefix of 8 digits or more names it too, where
// only one has it.
type Revision struct {
	ID string `json:"id"`
	Code
	Author  string `json:"author"` // who pushed it first: the credential's name
	AtMS    int64  `json:"at_ms"`
	Message string `json:"message,omitempty"`
	// Signatures are those that came with pushes of it, by key. They are not part
	// of what ID is a hash of.
	Signatures []Signature `json:"signatures,omitempty"`
}

// HistoryEntry is one change of an inspector in the catalog.
type HistoryEntry struct {
	AtMS     int64  `json:"at_ms"`
	Author   string `json:"author"`
	Action   string `json:"action"`   // push, rollback or delete
	Revision string `json:"revision"` // that was made current; "" for delete
	Selector string `json:"selector"`
	Message  string `json:"message,omitempty"`
	Rollout  string `json:"rollout,omitempty"`
	// Approved names who has approved the change of its author, if it needed a second
	// person.
	Approved []string `json:"approved,omitempty"`
	// WellBefore is on how many hosts the replaced revision was healthy. A rollback goes
	// to a revision that was, not to one that ran nowhere.
	WellBefore int `json:"well_before,omitempty"`
	// Signers are the ids of the keys that have signed Revision by now.
	Signers []string `json:"signers,omitempty"`
}

// CatalogEntry is one inspector of the catalog.
type CatalogEntry struct {
	Name string `json:"name"`
	// Current is the revision that hosts should run, or are being moved to.
	Current string `json:"current"`
	// Selector is a Kubernetes label selector over the labels of hosts, such as
	// "role=db,zone in (a,b)"; "" selects every host.
	Selector string `json:"selector"`
	Kind     string `json:"kind"` // script or plugin
	Deleted  bool   `json:"deleted,omitempty"`
	// Version changes with every change of the entry. See PushParams.
	Version string         `json:"version"`
	Rollout string         `json:"rollout,omitempty"` // the one that is going on, or was last
	Author  string         `json:"author"`
	AtMS    int64          `json:"at_ms"` // of the last change
	Message string         `json:"message,omitempty"`
	Summary ReceiptSummary `json:"summary"`
	History []HistoryEntry `json:"history,omitempty"` // newest first; catalog.get only
}

// ReceiptSummary counts the hosts that an inspector is for, by the state of the revision
// that each of them should run.
type ReceiptSummary struct {
	Hosts   int `json:"hosts"`
	Healthy int `json:"healthy"`
	Failed  int `json:"failed"`
	Refused int `json:"refused"`
	Pending int `json:"pending"` // hosts that are away, or on their way
}

// CatalogParams name an inspector.
type CatalogParams struct {
	Name string `json:"name"`
}

// RevisionParams name a revision of an inspector by its id or the start of it;
// "" is the current one.
type RevisionParams struct {
	Name     string `json:"name"`
	Revision string `json:"revision,omitempty"`
}

// CatalogResult lists inspectors by name. Of deleted ones it has only the names.
type CatalogResult struct {
	Inspectors []CatalogEntry `json:"inspectors"`
	Deleted    []string       `json:"deleted,omitempty"`
}

// CheckParams ask whether code would be accepted, and what a push would do.
type CheckParams struct {
	Code Code `json:"code"`
	// Selector is that of the push.
	Selector *string `json:"selector,omitempty"`
	// Signatures are those that the push would bring.
	Signatures []Signature `json:"signatures,omitempty"`
}

// Diagnostic is one fault of a script.
type Diagnostic struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Col     int    `json:"col"` // bytes, from 1
	Rule    string `json:"rule,omitempty"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"` // what to write instead
}

// CheckResult has every fault; none says that the code would be accepted.
type CheckResult struct {
	Diagnostics []Diagnostic `json:"diagnostics"`
	// Revision is the id that the code would have.
	Revision string `json:"revision"`
	// Name, IntervalMS and TimeoutMS are what would be run.
	Name       string `json:"name"`
	IntervalMS int64  `json:"interval_ms"`
	TimeoutMS  int64  `json:"timeout_ms"`

	// Nobody says why a push would be refused without PushParams.AllowNone: its
	// selector selects no host.
	Nobody string `json:"nobody,omitempty"`
	// Hosts is how many hosts would have the inspector, and Drops how many have
	// it and would not any more.
	Hosts int `json:"hosts"`
	Drops int `json:"drops,omitempty"`
	// Selected are the names of the first MaxSelected of Hosts, and Refusals those of
	// them all that would refuse the code as far as the master knows: a host may have
	// reasons that only it knows.
	Selected []string  `json:"selected,omitempty"`
	Refusals []Refusal `json:"refusals,omitempty"`
	// BuiltIn is whether an inspector of that name is built in, which the push
	// replaces on Replaces hosts that run it now.
	BuiltIn  bool `json:"built_in,omitempty"`
	Replaces int  `json:"replaces,omitempty"`
}

// MaxSelected is how many hosts, and how many refusals, a CheckResult names.
const MaxSelected = 500

// Refusal says why a host would refuse code.
type Refusal struct {
	Host   string `json:"host"`
	Reason string `json:"reason"`
}

// Stage is a step of a rollout: to so many hosts in all, or so many percent of
// them, rounded up.
type Stage struct {
	Hosts   int     `json:"hosts,omitempty"`
	Percent float64 `json:"percent,omitempty"` // above 0, to 100
}

// Plan is how a revision gets onto its hosts.
type Plan struct {
	// Stages grow; the last is always 100 %, and added if it is missing. Without stages,
	// all hosts get the revision at once.
	Stages []Stage `json:"stages,omitempty"`
	// BakeMS is how long the hosts of a stage must stay healthy before the next begins; 0
	// is 10 s, or two intervals if that is longer.
	BakeMS int64 `json:"bake_ms,omitempty"`
	// TimeoutMS is how long the connected hosts of a stage may take to be healthy; 0 is a
	// minute, or three intervals if that is longer.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
}

// PushParams make code the current revision of an inspector.
type PushParams struct {
	Code Code `json:"code"`
	// Selector is nil to keep that of the entry, "" for a new one. Another that
	// selects no host is refused, unless AllowNone is set.
	Selector  *string `json:"selector,omitempty"`
	AllowNone bool    `json:"allow_none,omitempty"`
	Message   string  `json:"message,omitempty"`
	Plan      Plan    `json:"plan"`
	// Version is the CatalogEntry's that the caller has seen. If the entry has another one
	// by now, the push is refused with CodeConflict, which names who was first. nil does
	// not compare, "" is for a new inspector.
	Version *string `json:"version,omitempty"`
	// Signatures are added to those that the revision has.
	Signatures []Signature `json:"signatures,omitempty"`
}

// PushResult says what a push, a rollback or a deletion began; a deletion has no revision.
// A push that changes nothing has no rollout. Signed says that it gave the revision a
// signature, which goes to the hosts at once, without a rollout.
type PushResult struct {
	Revision string `json:"revision"`
	Version  string `json:"version"`
	Rollout  string `json:"rollout,omitempty"`
	// Proposal is the id of the change, which waits for a second person. Nothing has
	// begun then, and Version is still the present one.
	Proposal string `json:"proposal,omitempty"`
	Signed   bool   `json:"signed,omitempty"`
	Selector string `json:"selector"`
	Hosts    int    `json:"hosts"`           // that the selector selects now
	Drops    int    `json:"drops,omitempty"` // hosts that had it, and are not selected any more
	// NotBuilt says why the master could not build the script before it accepted it; empty
	// if it did.
	NotBuilt string `json:"not_built,omitempty"`
}

// RollbackParams make an earlier revision current again, for the hosts that it was
// for then.
type RollbackParams struct {
	Name string `json:"name"`
	// Revision is an id or the start of one; "" is the latest one before the current one
	// that was healthy.
	Revision string  `json:"revision,omitempty"`
	Message  string  `json:"message,omitempty"`
	Plan     Plan    `json:"plan"`
	Version  *string `json:"version,omitempty"`
	// Signatures are added to those that the revision has. With them Revision must be
	// given.
	Signatures []Signature `json:"signatures,omitempty"`
}

// DeleteParams take an inspector off its hosts. Its history is kept.
type DeleteParams struct {
	Name    string  `json:"name"`
	Message string  `json:"message,omitempty"`
	Version *string `json:"version,omitempty"`
}

// States of a receipt, in the order in which a host goes through them, and how
// that may end.
const (
	ReceiptPending  = "pending"  // the host does not have it yet: only the master says so
	ReceiptReceived = "received" // the host has the assignment
	ReceiptVerified = "verified" // the code is what it should be, and the host lets it run
	ReceiptLoaded   = "loaded"   // it is built and scheduled
	ReceiptHealthy  = "healthy"  // it has yielded a good run
	ReceiptFailed   = "failed"   // it does not build, or its runs fail; Reason says why
	ReceiptRefused  = "refused"  // the host's own configuration is against it
)

// Receipt is how far one revision of one inspector got on a host.
type Receipt struct {
	Inspector string `json:"inspector"`
	Revision  string `json:"revision"`
	State     string `json:"state"`
	Reason    string `json:"reason,omitempty"` // with file:line:column where there is one
	AtMS      int64  `json:"at_ms"`            // when State began, by the host's clock
	// Running is the revision that continues to run after this one failed, or "".
	Running string `json:"running,omitempty"`
}

// ReceiptParams tell the master how the assigned inspectors are. All is true if the list
// is the whole set, as it is first on each connection and after each assignment.
type ReceiptParams struct {
	Hash     string    `json:"hash"` // of the assignment that they are of
	All      bool      `json:"all"`
	Receipts []Receipt `json:"receipts"`
}

// HostReceipt is a receipt with its host; events receipts/<host>/<inspector> have this
// form too. HostState tells whether the host is up.
type HostReceipt struct {
	Host      string    `json:"host"`
	HostState HostState `json:"host_state"`
	Receipt
}

// ReceiptsResult has a receipt of every host that the inspector is for, by host.
type ReceiptsResult struct {
	Inspector string         `json:"inspector"`
	Revision  string         `json:"revision"`
	Summary   ReceiptSummary `json:"summary"`
	Receipts  []HostReceipt  `json:"receipts"`
}

// Assignment is the whole set of pushed inspectors that one host should run.
type Assignment struct {
	// Hash is the hex SHA-256 of the JSON of Inspectors; it is "" for none.
	Hash       string     `json:"hash"`
	Inspectors []Assigned `json:"inspectors"` // by name
}

// Assigned is one inspector of an assignment.
type Assigned struct {
	Revision string `json:"revision"`
	Code
	Signatures []Signature `json:"signatures,omitempty"`
}

// RevisionOf returns the id of the revision that a code is: the hex SHA-256 of
// its JSON, in which members stand in the order of the fields here, and those of
// maps in the order of their names.
func RevisionOf(code Code) string { return hashOf(code) }

// AssignmentHash returns the hash of an assignment of these inspectors.
func AssignmentHash(inspectors []Assigned) string {
	if len(inspectors) == 0 {
		return ""
	}
	return hashOf(inspectors)
}

func hashOf(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("cannot encode %T: %v", v, err)) // strings and whole numbers only
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// AssignResult says which assignment an agent has.
type AssignResult struct {
	Hash string `json:"hash"`
}

// RolloutState is how far a rollout is.
type RolloutState = string

// States of a rollout.
const (
	RolloutRunning    RolloutState = "running"
	RolloutPaused     RolloutState = "paused"
	RolloutDone       RolloutState = "done"        // every host that is there has it, and is well
	RolloutRolledBack RolloutState = "rolled back" // a gate failed, or it was aborted; Reason says so
	RolloutReplaced   RolloutState = "replaced"    // by a later push of the same inspector
)

// Rollout is the staged move of an inspector from one revision to another.
type Rollout struct {
	ID        string `json:"id"`
	Inspector string `json:"inspector"`
	Action    string `json:"action"` // push, rollback or delete
	// From and To are revisions, or "" for none, with the selectors that go with
	// them.
	From         string `json:"from"`
	To           string `json:"to"`
	FromSelector string `json:"from_selector"`
	ToSelector   string `json:"to_selector"`

	State   RolloutState `json:"state"`
	Reason  string       `json:"reason,omitempty"`
	Author  string       `json:"author"`
	Message string       `json:"message,omitempty"`

	Plan       Plan           `json:"plan"`
	Stage      int            `json:"stage"` // from 0, the one that is going on or was last
	Stages     []RolloutStage `json:"stages"`
	StartedMS  int64          `json:"started_ms"`
	FinishedMS int64          `json:"finished_ms,omitempty"`
	// Failures are the hosts on which To was tried and did not do well.
	Failures []HostReceipt `json:"failures,omitempty"`
	// Marks are what the master must remember about the hosts that have To, during the
	// rollout. Nobody else needs them.
	Marks map[string]RolloutMark `json:"marks,omitempty"`
}

// RolloutMark is what the master remembers about a host. Times are by its own clock.
type RolloutMark struct {
	UpMS     int64 `json:"up_ms,omitempty"`     // since when the host could get well; 0 while it is away
	WellMS   int64 `json:"well_ms,omitempty"`   // since when it is
	FailedMS int64 `json:"failed_ms,omitempty"` // since when it is not, and will not be

	// The inspector's status when the host became healthy.
	Counted    bool   `json:"counted,omitempty"` // there was one
	Runs       uint64 `json:"runs,omitempty"`    // as of RunMS
	Failures   uint64 `json:"failures,omitempty"`
	OverBudget uint64 `json:"over_budget,omitempty"`
	RunMS      int64  `json:"run_ms,omitempty"`   // when Runs was last seen to grow
	QuietMS    int64  `json:"quiet_ms,omitempty"` // how long it may take to grow again
}

// RolloutStage is the course of one stage. Count or Percent say how many hosts should have
// the revision by its end, according to the plan.
type RolloutStage struct {
	Count     int            `json:"count,omitempty"`
	Percent   float64        `json:"percent,omitempty"`
	Hosts     []string       `json:"hosts"` // that this stage adds
	StartedMS int64          `json:"started_ms,omitempty"`
	HealthyMS int64          `json:"healthy_ms,omitempty"` // when all that are there were; then it bakes
	DoneMS    int64          `json:"done_ms,omitempty"`
	Summary   ReceiptSummary `json:"summary"`
}

// RolloutParams name a rollout. Reason is for the audit log.
type RolloutParams struct {
	Rollout string `json:"rollout"`
	Reason  string `json:"reason,omitempty"`
}

// RolloutsParams select rollouts.
type RolloutsParams struct {
	Inspector string `json:"inspector,omitempty"` // "" is all
	Limit     int    `json:"limit,omitempty"`     // 0 is 100
}

// RolloutsResult lists rollouts, newest first.
type RolloutsResult struct {
	Rollouts []Rollout `json:"rollouts"`
}

// TrialStartParams run code that is not in the catalog on some hosts for some
// time. It ends too when it is stopped or the caller's connection ends.
type TrialStartParams struct {
	Code Code `json:"code"`
	// Hosts name hosts, or Selector selects them; one of both is given.
	Hosts    []string `json:"hosts,omitempty"`
	Selector string   `json:"selector,omitempty"`
	ForMS    int64    `json:"for_ms,omitempty"` // 0 is 10 s; at most an hour
	// Signatures are of the code, as of a push.
	Signatures []Signature `json:"signatures,omitempty"`
}

// TrialStartResult names the trial and the hosts that run it. Each of them sends
// events until one with Ended.
type TrialStartResult struct {
	Trial string   `json:"trial"`
	Hosts []string `json:"hosts"`
	Away  []string `json:"away,omitempty"` // hosts that were named and are not there
}

// TrialStopParams name a trial.
type TrialStopParams struct {
	Trial string `json:"trial"`
}

// AgentTryParams have an agent run a trial.
type AgentTryParams struct {
	Trial string `json:"trial"`
	Code  Code   `json:"code"`
	ForMS int64  `json:"for_ms"`

	Signatures []Signature `json:"signatures,omitempty"`
}

// TrialReport is what a trial yields on one host: a run, a line that it printed,
// or its end.
type TrialReport struct {
	Trial string     `json:"trial"`
	State string     `json:"state,omitempty"` // receipt states: verified, loaded, failed, refused
	Run   *TrialRun  `json:"run,omitempty"`
	Lines []string   `json:"lines,omitempty"` // that the script printed
	Cost  *TrialCost `json:"cost,omitempty"`  // so far
	Ended bool       `json:"ended,omitempty"`
	Error string     `json:"error,omitempty"` // why State is failed or refused, or why it has ended
}

// TrialRun is one run of a trial.
type TrialRun struct {
	TS       int64    `json:"ts"`
	Duration float64  `json:"duration_seconds"`
	CPU      float64  `json:"cpu_seconds"`
	Samples  []Metric `json:"samples"`
	More     int      `json:"more,omitempty"` // samples that are left out
	Error    string   `json:"error,omitempty"`
}

// TrialCost is what all runs of a trial took together.
type TrialCost struct {
	Runs     int     `json:"runs"`
	Failures int     `json:"failures"`
	Duration float64 `json:"duration_seconds"`
	CPU      float64 `json:"cpu_seconds"`
	Series   int     `json:"series"` // distinct
}

// TrialEvent is a TrialReport with its host.
type TrialEvent struct {
	Host string `json:"host"`
	TrialReport
}

// BoostParams have an inspector run faster on one host while the caller's connection
// lasts and nobody stops it. The samples between its own ticks are shown and not kept.
// If two callers want it, the faster interval wins.
type BoostParams struct {
	Host       string `json:"host"`
	Inspector  string `json:"inspector"`
	IntervalMS int64  `json:"interval_ms,omitempty"` // at least 100; 0 is 1000
}

// AgentBoostParams have an agent run an inspector faster for a time, after which
// the master must ask again. IntervalMS 0 ends it at once.
type AgentBoostParams struct {
	Inspector  string `json:"inspector"`
	IntervalMS int64  `json:"interval_ms"`
	ForMS      int64  `json:"for_ms"`
}

// LiveParams are samples that are shown and not kept. The numbers of series hold
// for this message alone.
type LiveParams struct {
	Series []Series `json:"series"`
	Columns
}

// LabelParams set labels of a host, which override those of the host's configuration;
// "" takes a label back.
type LabelParams struct {
	Host   string            `json:"host"`
	Labels map[string]string `json:"labels"`
}

// AuditParams select entries of the audit log; an empty field selects every entry.
type AuditParams struct {
	Who     string `json:"who,omitempty"`
	Action  string `json:"action,omitempty"` // such as catalog.push, or the start of it
	Subject string `json:"subject,omitempty"`
	SinceMS int64  `json:"since_ms,omitempty"`
	Limit   int    `json:"limit,omitempty"` // 0 is 100
}

// AuditEntry is one change that somebody made or tried to.
type AuditEntry struct {
	Seq     uint64 `json:"seq"`
	AtMS    int64  `json:"at_ms"`
	Who     string `json:"who"`  // the credential's name
	Role    string `json:"role"` // its role
	From    string `json:"from"` // remote address
	Action  string `json:"action"`
	Subject string `json:"subject"` // inspector, rollout or host
	Detail  string `json:"detail,omitempty"`
	Outcome string `json:"outcome"` // ok, or the error
	// Sum is over the entry and the Sum of the one before. Entries of the time before
	// there were checksums have none.
	Sum string `json:"sum,omitempty"`
}

// AuditResult lists entries, newest first.
type AuditResult struct {
	Entries []AuditEntry `json:"entries"`
}

// AuditReceiver is how the sending of the audit log to one receiver is.
type AuditReceiver struct {
	Kind     string `json:"kind"`               // syslog or webhook
	Taken    uint64 `json:"taken"`              // the number of the last entry that it has taken
	Waiting  uint64 `json:"waiting"`            // entries that it has not taken yet
	Missed   uint64 `json:"missed,omitempty"`   // entries that were too old before they could be sent
	Failures uint64 `json:"failures"`           // attempts that failed since the master started
	Error    string `json:"error,omitempty"`    // why the last attempt failed, while none succeeds
	SinceMS  int64  `json:"since_ms,omitempty"` // when attempts began to fail
}

// AuditVerifyParams name an entry that somebody has noted elsewhere.
type AuditVerifyParams struct {
	// Seq is the number of the entry, or 0 if none was noted, and Sum its checksum, or the
	// first digits of that.
	Seq uint64 `json:"seq,omitempty"`
	Sum string `json:"sum,omitempty"`
}

// AuditVerifyResult is the result of checking the audit log.
type AuditVerifyResult struct {
	Entries int    `json:"entries"` // that were checked, up to the first fault
	Without int    `json:"without"` // of these, the oldest, have no checksum
	First   uint64 `json:"first"`   // the number of the oldest, or 0
	Last    uint64 `json:"last"`    // that of the newest, or 0
	FromMS  int64  `json:"from_ms"` // when the oldest was written
	ToMS    int64  `json:"to_ms"`   // and the newest
	// Sum is the checksum of the newest. To keep it elsewhere is how to tell later that
	// neither it nor an entry before it was replaced.
	Sum string `json:"sum,omitempty"`
	// Noted is whether the entry that somebody had noted is the one of then.
	Noted bool `json:"noted,omitempty"`
	// Fault is the first, or nil.
	Fault *AuditFault `json:"fault,omitempty"`
}

// AuditFault is the first place at which the audit log is not what was written.
type AuditFault struct {
	Seq    uint64 `json:"seq"`
	Reason string `json:"reason"`
}
