package api

import (
	"context"
	"time"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// noteWithin is how long writing the line of a call to the disk may take.
const noteWithin = 10 * time.Second

// audited writes a call into the audit log, whatever its outcome. A method that
// changes the state writes its line together with the change; the lines of all
// others are written here, after they have ended.
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

// Audit adds a line to the audit log. If that fails, the change has been made in
// any case: the line goes to the master's own log instead.
func (a *API) Audit(ctx context.Context, entry wire.AuditEntry) {
	ctx, cancel := context.WithTimeout(ctx, noteWithin)
	defer cancel()
	if err := a.Catalog.Note(ctx, entry); err != nil {
		a.Log.Error("the audit log lacks an entry", "error", err, "who", entry.Who, "from", entry.From,
			"action", entry.Action, "subject", entry.Subject, "detail", entry.Detail, "outcome", entry.Outcome)
	}
}
