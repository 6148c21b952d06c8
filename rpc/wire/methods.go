package wire

import (
	"cmp"
	"strings"
)

// This file has one row per method and notification. A new method needs its row
// here, its types, and its handler; `go generate ./rpc/wire` does the rest.

// Methods that the master serves.
var (
	MasterLogin = Method[LoginParams, LoginResult]{
		Name: "master.login", For: Anybody, Bound: NoHosts,
		Says: "Log in on this connection.",
	}
	MasterInfo = Method[Empty, InfoResult]{
		Name: "master.info", For: Known, Bound: Within,
		Says: "Describe the master, and say the caller's role.",
	}
	MasterHello = Method[HelloParams, HelloResult]{
		Name: "master.hello", For: Agent, Bound: OwnHost, InOrder: true,
		Says: "Introduce an agent; its first call on each connection.",
	}
	MasterReport = Method[ReportParams, ReportResult]{
		Name: "master.report", For: Agent, Bound: OwnHost, InOrder: true,
		Says: "Hand over a numbered batch of samples.",
	}
	MasterStatus = Method[StatusParams, Empty]{
		Name: "master.status", For: Agent, Bound: OwnHost, InOrder: true,
		Says: "Tell how the agent's inspectors are.",
	}
	MasterReportMetric = Method[ReportMetricParams, *Empty]{
		Name: "master.reportMetric", For: Agent, Bound: OwnHost, InOrder: true,
		Says: "Report one sample, without a hello.",
	}
	MasterReceipt = Method[ReceiptParams, Empty]{
		Name: "master.receipt", For: Agent, Bound: OwnHost, InOrder: true,
		Says: "Tell how far assigned inspectors have got.",
	}
	MasterAlerts = Method[OwnAlertsParams, OwnAlertsResult]{
		Name: "master.alerts", For: Agent, InOrder: true, Bound: OwnHost,
		Says: "Tell which alerts the host's own inspectors come with.",
	}
	MasterMaintenance = Method[SelfMaintenanceParams, SelfMaintenanceResult]{
		Name: "master.maintenance", For: Agent, Bound: OwnHost,
		Audit: func(p SelfMaintenanceParams) Subject { return about(p.Hostname, "message", p.Message) },
		Says:  "Keep people from being told of the host's own alerts for a time, or end that.",
	}
	MasterTrial = Method[TrialReport, Empty]{
		Name: "master.trial", For: Agent, Bound: OwnHost, InOrder: true,
		Says: "Tell what a trial has yielded.",
	}
	MasterLive = Method[LiveParams, Empty]{
		Name: "master.live", For: Agent, Bound: OwnHost, InOrder: true,
		Says: "Show samples without keeping them; a notification.",
	}
	MasterSubscribe = Method[SubscribeParams, SubscribeResult]{
		Name: "master.subscribe", For: Viewer, Bound: Within,
		Says: "Ask for live events whose path matches a pattern.",
	}
	MasterUnsubscribe = Method[UnsubscribeParams, Empty]{
		Name: "master.unsubscribe", For: Known, Bound: NoHosts,
		Says: "End a subscription.",
	}
	HostsList = Method[HostsParams, HostsResult]{
		Name: "hosts.list", For: Viewer, Bound: ByResult,
		Keep: (*HostsResult).keep,
		Says: "List every host the master has seen.",
	}
	HostsGet = Method[HostParams, Host]{
		Name: "hosts.get", For: Viewer, Bound: ByHost,
		Host: func(p HostParams) string { return p.Host },
		Says: "Say what is known of one host.",
	}
	HostsLabel = Method[LabelParams, Host]{
		Name: "hosts.label", For: Operator, Bound: ByHost,
		Host:  func(p LabelParams) string { return p.Host },
		Audit: func(p LabelParams) Subject { return about(p.Host) },
		Says:  "Set labels of a host, or take them back.",
	}
	HistoryRange = Method[HistoryRangeParams, HistoryRangeResult]{
		Name: "history.range", For: Viewer, Bound: Within,
		Says: "Get past samples, thinned out for a chart.",
	}
	InspectorsRelease = Method[ReleaseParams, Empty]{
		Name: "inspectors.release", For: Operator, Bound: ByHost,
		Host:  func(p ReleaseParams) string { return p.Host },
		Audit: func(p ReleaseParams) Subject { return about(p.Host, "inspector", p.Inspector) },
		Says:  "End the quarantine of an inspector on one host.",
	}
	CatalogCheck = Method[CheckParams, CheckResult]{
		Name: "catalog.check", For: Viewer, Bound: Within,
		Says: "Say whether code would be accepted, and what a push would do.",
	}
	CatalogPush = Method[PushParams, PushResult]{
		Name: "catalog.push", For: Operator, Bound: Within,
		Audit: func(p PushParams) Subject {
			return about(p.Code.Name, "selector", text(p.Selector), "message", p.Message)
		},
		Says: "Make code the current revision of an inspector, and begin its rollout.",
	}
	CatalogRollback = Method[RollbackParams, PushResult]{
		Name: "catalog.rollback", For: Operator, Bound: Within,
		Audit: func(p RollbackParams) Subject {
			return about(p.Name, "revision", p.Revision, "message", p.Message)
		},
		Says: "Make an earlier revision current again.",
	}
	CatalogDelete = Method[DeleteParams, PushResult]{
		Name: "catalog.delete", For: Operator, Bound: Within,
		Audit: func(p DeleteParams) Subject { return about(p.Name, "message", p.Message) },
		Says:  "Take an inspector off its hosts.",
	}
	CatalogList = Method[Empty, CatalogResult]{
		Name: "catalog.list", For: Viewer, Bound: Within,
		Says: "List the inspectors of the catalog.",
	}
	CatalogGet = Method[CatalogParams, CatalogEntry]{
		Name: "catalog.get", For: Viewer, Bound: Within,
		Says: "Get one inspector of the catalog, with its history.",
	}
	CatalogRevision = Method[RevisionParams, Revision]{
		Name: "catalog.revision", For: Viewer, Bound: Within,
		Says: "Get a revision with its code.",
	}
	// ProposalsList and ProposalsGet change nothing, and are an operator's all the same.
	ProposalsList = Method[Empty, ProposalsResult]{
		Name: "proposals.list", For: Operator, Bound: Within,
		Says: "List the changes that wait for a second person.",
	}
	ProposalsGet = Method[ProposalParams, Proposal]{
		Name: "proposals.get", For: Operator, Bound: Within,
		Says: "Get one of them, with its code.",
	}
	ProposalsApprove = Method[ProposalParams, ApproveResult]{
		Name: "proposals.approve", For: Operator, Bound: Within, Audit: ProposalParams.subject,
		Says: "Approve a change of somebody else, which is made then.",
	}
	ProposalsRefuse = Method[ProposalParams, Proposal]{
		Name: "proposals.refuse", For: Operator, Bound: Within, Audit: ProposalParams.subject,
		Says: "Refuse a change that waits, or withdraw one's own.",
	}
	KeysList = Method[Empty, KeyLines]{
		Name: "keys.list", For: Viewer, Bound: NoHosts,
		Says: "List the lines of keys that sign code.",
	}
	KeysAdd = Method[KeyAddParams, KeyLine]{
		Name: "keys.add", For: Operator, Bound: Unbound,
		Audit: func(p KeyAddParams) Subject { return about(p.Statement.keyID()) },
		Says:  "Add a statement to a line of keys, and tell the hosts.",
	}
	CatalogReceipts = Method[CatalogParams, ReceiptsResult]{
		Name: "catalog.receipts", For: Viewer, Bound: Within,
		Says: "Say how far an inspector has got on each of its hosts.",
	}
	RolloutsList = Method[RolloutsParams, RolloutsResult]{
		Name: "rollouts.list", For: Viewer, Bound: Within,
		Says: "List rollouts, newest first.",
	}
	RolloutsGet = Method[RolloutParams, Rollout]{
		Name: "rollouts.get", For: Viewer, Bound: Within,
		Says: "Get one rollout.",
	}
	RolloutsPause = Method[RolloutParams, Rollout]{
		Name: "rollouts.pause", For: Operator, Bound: Within, Audit: RolloutParams.subject,
		Says: "Begin no further stage until the rollout is resumed.",
	}
	RolloutsResume = Method[RolloutParams, Rollout]{
		Name: "rollouts.resume", For: Operator, Bound: Within, Audit: RolloutParams.subject,
		Says: "Go on with a paused rollout.",
	}
	RolloutsAbort = Method[RolloutParams, Rollout]{
		Name: "rollouts.abort", For: Operator, Bound: Within, Audit: RolloutParams.subject,
		Says: "End a rollout and take back what it touched.",
	}
	TrialsStart = Method[TrialStartParams, TrialStartResult]{
		Name: "trials.start", For: Operator, Bound: Within,
		Audit: func(p TrialStartParams) Subject { return about(p.Code.Name, "selector", p.Selector) },
		Says:  "Run a draft on some hosts for a short time.",
	}
	TrialsStop = Method[TrialStopParams, Empty]{
		Name: "trials.stop", For: Operator, Bound: NoHosts,
		Audit: func(p TrialStopParams) Subject { return about(p.Trial) },
		Says:  "End a trial early.",
	}
	BoostsStart = Method[BoostParams, Empty]{
		Name: "boosts.start", For: Operator, Bound: ByHost,
		Host: BoostParams.host, Audit: BoostParams.subject,
		Says: "Run an inspector faster on one host while this connection lasts.",
	}
	BoostsStop = Method[BoostParams, Empty]{
		Name: "boosts.stop", For: Operator, Bound: ByHost,
		Host: BoostParams.host, Audit: BoostParams.subject,
		Says: "Let a boosted inspector run at its own interval again.",
	}
	BoardsList = Method[Empty, BoardsResult]{
		Name: "boards.list", For: Viewer, Bound: NoHosts,
		Says: "List the boards.",
	}
	BoardsGet = Method[BoardParams, Board]{
		Name: "boards.get", For: Viewer, Bound: NoHosts,
		Says: "Get a board with its history, as it is or as it was.",
	}
	BoardsPut = Method[BoardPutParams, Board]{
		Name: "boards.put", For: Operator, Bound: NoHosts,
		Audit: func(p BoardPutParams) Subject { return about(p.Name, "message", p.Message) },
		Says:  "Make or change a board.",
	}
	BoardsDelete = Method[BoardDeleteParams, Empty]{
		Name: "boards.delete", For: Operator, Bound: NoHosts,
		Audit: func(p BoardDeleteParams) Subject { return about(p.Name, "message", p.Message) },
		Says:  "Delete a board.",
	}
	AlertsList = Method[AlertsParams, AlertsResult]{
		Name: "alerts.list", For: Viewer, Bound: Within,
		Says: "List what fires, since when, who was told, and what keeps people from being told.",
	}
	AlertsExplain = Method[AlertParams, AlertExplanation]{
		Name: "alerts.explain", For: Viewer, Bound: Within,
		Says: "Say why an alert is as it is, and when who is told.",
	}
	AlertsTest = Method[AlertTestParams, AlertTestResult]{
		Name: "alerts.test", For: Operator, Bound: Unbound,
		Audit: func(p AlertTestParams) Subject { return about(p.To) },
		Says:  "Send a test message to a receiver.",
	}
	AlertsThresholds = Method[Empty, AlertThresholdsResult]{
		Name: "alerts.thresholds", For: Viewer, Bound: Unbound,
		Says: "List the thresholds that are set in place of those in the source of inspectors.",
	}
	AlertsThreshold = Method[AlertThresholdParams, AlertThreshold]{
		Name: "alerts.threshold", For: Operator, Bound: Unbound,
		Audit: func(p AlertThresholdParams) Subject {
			return about(p.Alert, "selector", p.Selector, "message", p.Message)
		},
		Says: "Set the threshold of an inspector's alert on some hosts, or take that back.",
	}
	AlertsAck = Method[AlertAckParams, SilencesResult]{
		Name: "alerts.ack", For: Operator, Bound: Within,
		Audit: func(p AlertAckParams) Subject {
			return about(p.Name+p.ID, "host", p.Host, "message", p.Message)
		},
		Says: "Acknowledge alerts: nobody is told of them again until they have ended.",
	}
	SilencesList = Method[SilencesParams, SilencesResult]{
		Name: "silences.list", For: Viewer, Bound: Within,
		Says: "List the silences.",
	}
	SilencesAdd = Method[SilenceParams, Silence]{
		Name: "silences.add", For: Operator, Bound: Within,
		Audit: func(p SilenceParams) Subject {
			return about(strings.Join(p.Matchers, ", "), "selector", p.Selector, "message", p.Message)
		},
		Says: "Keep people from being told of some alerts for a time.",
	}
	SilencesEnd = Method[SilenceEndParams, Empty]{
		Name: "silences.end", For: Operator, Bound: Within,
		Audit: func(p SilenceEndParams) Subject { return about(p.Silence) },
		Says:  "End a silence now.",
	}
	MaintenancesList = Method[Empty, MaintenancesResult]{
		Name: "maintenances.list", For: Viewer, Bound: Within,
		Says: "List the recurring maintenances, and when each is next.",
	}
	MaintenancesAdd = Method[MaintenanceParams, Maintenance]{
		Name: "maintenances.add", For: Operator, Bound: Within,
		Audit: func(p MaintenanceParams) Subject {
			return about(p.Host, "selector", p.Selector, "every", p.Every, "zone", p.Zone, "message", p.Message)
		},
		Says: "Keep people from being told of the alerts of some hosts at some hours of every week.",
	}
	MaintenancesEnd = Method[MaintenanceEndParams, Maintenance]{
		Name: "maintenances.end", For: Operator, Bound: Within,
		Audit: func(p MaintenanceEndParams) Subject { return about(p.ID) },
		Says:  "Remove a recurring maintenance, and end it if it is now.",
	}
	// LogsGet changes nothing, and is for operators all the same: a script may print what
	// it reads, such as a line of a file that no viewer may see.
	LogsGet = Method[LogsParams, LogsResult]{
		Name: "logs.get", For: Operator, Bound: ByHost,
		Host: func(p LogsParams) string { return p.Host },
		Says: "Get what an inspector prints on one host: the latest lines, or those after one.",
	}
	// AuditList changes nothing, and is an operator's all the same.
	AuditList = Method[AuditParams, AuditResult]{
		Name: "audit.list", For: Operator, Bound: Unbound,
		Says: "List who changed what, newest first.",
	}
	// AuditVerify changes nothing, and is an operator's all the same.
	AuditVerify = Method[AuditVerifyParams, AuditVerifyResult]{
		Name: "audit.verify", For: Operator, Bound: Unbound,
		Says: "Check the checksums of the audit log: whether an entry was changed, removed or moved.",
	}
	TokensCreate = Method[TokenParams, TokenCreated]{
		Name: "tokens.create", For: Admin, Bound: Unbound,
		Audit: func(p TokenParams) Subject { return about(cmp.Or(p.Name, p.Host), "role", p.Role, "host", p.Host) },
		Says:  "Make a token, which is good at once.",
	}
	// TokensList changes nothing, and is an operator's all the same.
	TokensList = Method[Empty, TokensResult]{
		Name: "tokens.list", For: Operator, Bound: Unbound,
		Says: "List the tokens, without what they are.",
	}
	TokensRevoke = Method[TokenRevokeParams, Empty]{
		Name: "tokens.revoke", For: Admin, Bound: Unbound,
		Audit: func(p TokenRevokeParams) Subject { return about(p.Name) },
		Says:  "Make a token worthless, and close its connections.",
	}
	TokensJoin = Method[JoinTokenParams, JoinTokenCreated]{
		Name: "tokens.join", For: Admin, Bound: Unbound,
		Audit: func(p JoinTokenParams) Subject { return about(p.Name, "host", p.Host) },
		Says:  "Make a token with which hosts join.",
	}
	// UsersList changes nothing, and is an admin's all the same.
	UsersList = Method[Empty, UsersResult]{
		Name: "users.list", For: Admin, Bound: Unbound,
		Says: "List the users.",
	}
	UsersAdd = Method[UserParams, UserMade]{
		Name: "users.add", For: Admin, Bound: Unbound,
		Audit: func(p UserParams) Subject { return about(p.Name, "role", p.Role, "hosts", p.Hosts) },
		Says:  "Make a user, with a password or with a link for choosing one.",
	}
	UsersRole = Method[UserRoleParams, UserInfo]{
		Name: "users.role", For: Admin, Bound: Unbound,
		Audit: func(p UserRoleParams) Subject { return about(p.Name, "role", p.Role, "hosts", p.Hosts) },
		Says:  "Give a user another role, for all hosts or for some.",
	}
	UsersRemove = Method[UserNameParams, Empty]{
		Name: "users.remove", For: Admin, Bound: Unbound, Audit: UserNameParams.subject,
		Says: "Remove a user, and end their sessions.",
	}
	UsersLink = Method[UserNameParams, UserMade]{
		Name: "users.link", For: Admin, Bound: Unbound, Audit: UserNameParams.subject,
		Says: "Make a link with which a user chooses a password.",
	}
	// UsersPasswd is for viewers because everybody may change their own.
	UsersPasswd = Method[UserPasswordParams, Empty]{
		Name: "users.passwd", For: Viewer, Bound: NoHosts,
		Audit: func(p UserPasswordParams) Subject { return about(p.Name) },
		Says:  "Set one's own password, or as an admin anybody's, and end the other sessions.",
	}
	UsersLogout = Method[UserNameParams, UserLogoutResult]{
		Name: "users.logout", For: Viewer, Bound: NoHosts, Audit: UserNameParams.subject,
		Says: "End one's own other sessions, or as an admin all of anybody's.",
	}
	HostsMembers = Method[Empty, MembersResult]{
		Name: "hosts.members", For: Viewer, Bound: ByResult,
		Keep: (*MembersResult).keep,
		Says: "List the hosts that have joined, wait for approval, or were revoked.",
	}
	HostsApprove = Method[MemberParams, Member]{
		Name: "hosts.approve", For: Operator, Bound: Unbound, Audit: MemberParams.subject,
		Says: "Let in a host that waits.",
	}
	HostsRevoke = Method[MemberParams, Member]{
		Name: "hosts.revoke", For: Operator, Bound: Unbound, Audit: MemberParams.subject,
		Says: "Make the certificates of a host worthless, and close its connections.",
	}
	AuthorityShow = Method[Empty, AuthorityResult]{
		Name: "authority.show", For: Viewer, Bound: NoHosts,
		Says: "Describe the authority that certifies hosts.",
	}
	AuthorityRotate = Method[Empty, AuthorityResult]{
		Name: "authority.rotate", For: Admin, Bound: Unbound,
		Audit: func(Empty) Subject { return about("authority") },
		Says:  "Put a new authority in place of the one that certifies hosts.",
	}
)

// Methods that an agent serves.
var (
	AgentRelease = Method[AgentReleaseParams, Empty]{
		Name: "agent.release", For: Master,
		Says: "End the quarantine of an inspector.",
	}
	AgentAssign = Method[Assignment, AssignResult]{
		Name: "agent.assign", For: Master, InOrder: true,
		Says: "Give the agent the whole set of pushed inspectors it runs.",
	}
	AgentAssigned = Method[Empty, AssignResult]{
		Name: "agent.assigned", For: Master, InOrder: true,
		Says: "Ask which assignment the agent has.",
	}
	AgentKeys = Method[KeyLines, KeysResult]{
		Name: "agent.keys", For: Master, InOrder: true,
		Says: "Tell the agent which keys have followed others, and which are revoked.",
	}
	AgentTry = Method[AgentTryParams, Empty]{
		Name: "agent.try", For: Master,
		Says: "Run a draft for a short time.",
	}
	AgentUntry = Method[TrialStopParams, Empty]{
		Name: "agent.untry", For: Master,
		Says: "End a trial early.",
	}
	AgentBoost = Method[AgentBoostParams, Empty]{
		Name: "agent.boost", For: Master, InOrder: true,
		Says: "Run an inspector faster for a time.",
	}
	AgentLogs = Method[AgentLogsParams, LogsResult]{
		Name: "agent.logs", For: Master,
		Says: "Get what an inspector prints.",
	}
)

// Notifications that the master sends to whoever subscribed, or started a trial.
var (
	NotifyEvent = Method[Event, Empty]{
		Name: "event", For: Subscriber, InOrder: true,
		Says: "Something happened.",
	}
	NotifySamples = Method[Samples, Empty]{
		Name: "samples", For: Subscriber, InOrder: true,
		Says: "Live samples in columns.",
	}
	NotifyLost = Method[Lost, Empty]{
		Name: "lost", For: Subscriber, InOrder: true,
		Says: "So many events were dropped because they were read too slowly.",
	}
	NotifyHeartbeat = Method[Heartbeat, Empty]{
		Name: "heartbeat", For: Subscriber, InOrder: true,
		Says: "The link is alive.",
	}
	NotifyTrial = Method[TrialEvent, Empty]{
		Name: "trial", For: Subscriber, InOrder: true,
		Says: "A host tells what a trial has yielded.",
	}
)

func (p RolloutParams) subject() Subject { return about(p.Rollout, "reason", p.Reason) }

func (p ProposalParams) subject() Subject { return about(p.ID, "message", p.Message) }

func (p BoostParams) host() string { return p.Host }

func (p MemberParams) subject() Subject { return about(p.Host) }

func (p BoostParams) subject() Subject { return about(p.Host, "inspector", p.Inspector) }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
