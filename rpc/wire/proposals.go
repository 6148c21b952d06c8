package wire

// This file holds the messages of changes that wait for a second person.

// Actions of a proposal.
const (
	ProposedPush     = "push"
	ProposedRollback = "rollback"
	ProposedDelete   = "delete"
	ProposedLabels   = "labels"
)

// Proposal is a change of what hosts run that is made when another person has approved
// it. Nothing of it changes while it waits.
type Proposal struct {
	ID      string `json:"id"`
	Action  string `json:"action"`  // push, rollback, delete or labels
	Subject string `json:"subject"` // the inspector, or the host that gets labels
	Author  string `json:"author"`  // the credential's name
	AtMS    int64  `json:"at_ms"`
	EndsMS  int64  `json:"ends_ms"` // when it expires
	Message string `json:"message,omitempty"`

	Revision string `json:"revision,omitempty"` // that will be current; "" for delete and labels
	Selector string `json:"selector,omitempty"`
	Plan     Plan   `json:"plan"`
	// Version is the entry's that the author has seen. If there is another by the time
	// of the approval, that is refused with CodeConflict, which names who was first.
	Version string `json:"version,omitempty"`
	// Current is the revision of that version.
	Current string `json:"current,omitempty"`
	Hosts   int    `json:"hosts"`           // that the selector selected
	Drops   int    `json:"drops,omitempty"` // hosts that would drop the inspector
	// Labels are those that the host gets; "" takes one back.
	Labels map[string]string `json:"labels,omitempty"`
	// Signers are the ids of the keys that have signed the code.
	Signers []string `json:"signers,omitempty"`

	// Approved names who has approved it so far, and Missing is how many more persons
	// have to.
	Approved []string `json:"approved,omitempty"`
	Missing  int      `json:"missing"`
	// Why says why the caller cannot approve it, or is "".
	Why string `json:"why,omitempty"`
	// Code is that of a push or a rollback; proposals.get only.
	Code *Code `json:"code,omitempty"`
}

// ProposalsResult lists what waits, oldest first.
type ProposalsResult struct {
	Proposals []Proposal `json:"proposals"`
}

// ProposalParams name a proposal.
type ProposalParams struct {
	ID string `json:"id"`
	// Message says why, for the audit log.
	Message string `json:"message,omitempty"`
}

// ApproveResult says what an approval has begun. While more persons have to approve,
// Missing says how many, and nothing has begun.
type ApproveResult struct {
	Proposal Proposal    `json:"proposal"`
	Missing  int         `json:"missing,omitempty"`
	Pushed   *PushResult `json:"pushed,omitempty"` // nil for labels
}
