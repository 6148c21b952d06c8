package api

import (
	"context"
	"time"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// noteWithin is how long the line of a call may take to get onto the disk.
const noteWithin = 10 * time.Second

// audited has a call in the audit log, whatever becomes of it. A method that
// writes to the state has its line written along; all others have it written
// here, after they have ended.
func (a *API) audited(ctx context.Context, req *rpc.Request, identity auth.Identity, subject wire.Subject,
	serve func(context.Context, *rpc.Request, *auth.Identity) (any, error),
) (any, error) {
	attempt := audit.NewAttempt(identity.Name, string(identity.Role), req.Peer.RemoteAddr(), req.Method)
	result, err := serve(audit.With(ctx, attempt), req, &identity)
	if attempt.HasLine() {
		return result, err
	}
	a.Audit(context.WithoutCancel(ctx), attempt.Entry(subject.Name, subject.Detail, err))
	return result, err
}

// Audit adds a line to the audit log. Where that fails the change has been made
// all the same: the line goes to the master's own log instead.
func (a *API) Audit(ctx context.Context, entry wire.AuditEntry) {
	ctx, cancel := context.WithTimeout(ctx, noteWithin)
	defer cancel()
	if err := a.Catalog.Note(ctx, entry); err != nil {
		a.Log.Error("the audit log lacks an entry", "error", err, "who", entry.Who, "from", entry.From,
			"action", entry.Action, "subject", entry.Subject, "detail", entry.Detail, "outcome", entry.Outcome)
	}
}
