package api

import (
	"context"
	"errors"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/history/admit"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// catalogMethods registers the methods for the catalog, receipts, rollouts, labels
// and the audit log.
func (a *API) catalogMethods(m *methods) {
	handle(m, wire.CatalogCheck, a.catalogCheck)
	handle(m, wire.CatalogPush, a.Catalog.Push)
	handle(m, wire.CatalogRollback, a.Catalog.Rollback)
	handle(m, wire.CatalogDelete, a.Catalog.Delete)
	handle(m, wire.CatalogList, a.catalogList)
	handle(m, wire.CatalogGet, a.catalogGet)
	handle(m, wire.CatalogRevision, a.Catalog.Revision)
	handle(m, wire.CatalogReceipts, a.catalogReceipts)
	handle(m, wire.ProposalsList, a.proposals)
	handle(m, wire.ProposalsGet, func(ctx context.Context, p wire.ProposalParams) (wire.Proposal, error) {
		return a.Catalog.Proposal(ctx, p.ID)
	})
	handle(m, wire.ProposalsApprove, a.approveProposal)
	handle(m, wire.ProposalsRefuse, a.Catalog.Refuse)
	handle(m, wire.KeysList, a.keysList)
	handle(m, wire.KeysAdd, a.Catalog.AddKey)
	handle(m, wire.RolloutsList, a.rollouts)
	handle(m, wire.RolloutsGet, a.rollout)
	handle(m, wire.RolloutsPause, a.Catalog.Pause)
	handle(m, wire.RolloutsResume, a.Catalog.Resume)
	handle(m, wire.RolloutsAbort, a.Catalog.Abort)
	handle(m, wire.HostsLabel, a.hostLabel)
	handle(m, wire.AuditList, a.auditList)
	handle(m, wire.AuditVerify, a.auditVerify)
	handle(m, wire.MasterReceipt, a.receipt)
	handle(m, wire.MasterAlerts, a.ownAlerts)
}

func (a *API) catalogCheck(ctx context.Context, p wire.CheckParams) (wire.CheckResult, error) {
	leave, err := a.checks.Enter(admit.WithCaller(ctx, connOf(rpc.PeerFrom(ctx)).who().Name))
	if errors.Is(err, admit.ErrCrowded) {
		return wire.CheckResult{}, rpc.Errorf(wire.CodeBusy, "%v", err)
	}
	if err != nil {
		return wire.CheckResult{}, err
	}
	defer leave()
	return a.Catalog.Check(ctx, p)
}

func (a *API) catalogList(ctx context.Context, _ wire.Empty) (wire.CatalogResult, error) {
	list, deleted := a.Catalog.List(ctx)
	return wire.CatalogResult{Inspectors: list, Deleted: deleted}, nil
}

func (a *API) catalogGet(ctx context.Context, p wire.CatalogParams) (wire.CatalogEntry, error) {
	return a.Catalog.Get(ctx, p.Name)
}

func (a *API) proposals(ctx context.Context, _ wire.Empty) (wire.ProposalsResult, error) {
	list, err := a.Catalog.Proposals(ctx)
	return wire.ProposalsResult{Proposals: list}, err
}

// approveProposal approves a change; labels are shown in the registry then.
func (a *API) approveProposal(ctx context.Context, p wire.ProposalParams) (wire.ApproveResult, error) {
	result, err := a.Catalog.Approve(ctx, p)
	if host := result.Proposal.Subject; err == nil && result.Missing == 0 && result.Proposal.Action == wire.ProposedLabels {
		a.Registry.Label(host, a.Catalog.Given(host))
	}
	return result, err
}

func (a *API) keysList(context.Context, wire.Empty) (wire.KeyLines, error) {
	return a.Catalog.Keys(), nil
}

func (a *API) catalogReceipts(ctx context.Context, p wire.CatalogParams) (wire.ReceiptsResult, error) {
	return a.Catalog.ReceiptsOf(ctx, p.Name)
}

func (a *API) rollouts(ctx context.Context, p wire.RolloutsParams) (wire.RolloutsResult, error) {
	list, err := a.Catalog.Rollouts(ctx, p)
	return wire.RolloutsResult{Rollouts: list}, err
}

func (a *API) rollout(ctx context.Context, p wire.RolloutParams) (wire.Rollout, error) {
	return a.Catalog.Rollout(ctx, p.Rollout)
}

// hostLabel stores the labels in the catalog, and shows them in the registry.
func (a *API) hostLabel(ctx context.Context, p wire.LabelParams) (wire.Host, error) {
	given, err := a.Catalog.Label(ctx, p)
	var answer *rpc.Error
	if _, known := a.Registry.Get(p.Host); !known && errors.As(err, &answer) && answer.Code == wire.CodeNotFound {
		return wire.Host{}, a.noHost(ctx, p.Host)
	}
	if err != nil {
		return wire.Host{}, err
	}
	host, ok := a.Registry.Label(p.Host, given)
	if !ok {
		return wire.Host{}, a.noHost(ctx, p.Host)
	}
	return host, nil
}

func (a *API) auditVerify(ctx context.Context, p wire.AuditVerifyParams) (wire.AuditVerifyResult, error) {
	result, err := a.Catalog.VerifyAudit(ctx, p)
	if errors.Is(err, audit.ErrNoted) {
		err = rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	return result, err
}

func (a *API) auditList(ctx context.Context, p wire.AuditParams) (wire.AuditResult, error) {
	entries, err := a.Catalog.Audit(ctx, p)
	return wire.AuditResult{Entries: entries}, err
}

// receipt takes an agent's report about its assigned inspectors.
func (a *API) receipt(ctx context.Context, p wire.ReceiptParams) (wire.Empty, error) {
	c := connOf(rpc.PeerFrom(ctx))
	if _, err := c.helloSaid(); err != nil {
		return wire.Empty{}, err
	}
	return wire.Empty{}, a.Catalog.Receipts(c.pushed, p)
}
