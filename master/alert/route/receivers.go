package route

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/discord"
	"github.com/prometheus/alertmanager/notify/email"
	"github.com/prometheus/alertmanager/notify/incidentio"
	"github.com/prometheus/alertmanager/notify/jira"
	"github.com/prometheus/alertmanager/notify/mattermost"
	"github.com/prometheus/alertmanager/notify/msteams"
	"github.com/prometheus/alertmanager/notify/msteamsv2"
	"github.com/prometheus/alertmanager/notify/opsgenie"
	"github.com/prometheus/alertmanager/notify/pagerduty"
	"github.com/prometheus/alertmanager/notify/pushover"
	"github.com/prometheus/alertmanager/notify/rocketchat"
	"github.com/prometheus/alertmanager/notify/slack"
	"github.com/prometheus/alertmanager/notify/telegram"
	"github.com/prometheus/alertmanager/notify/victorops"
	"github.com/prometheus/alertmanager/notify/webex"
	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/notify/wechat"
	"github.com/prometheus/alertmanager/template"
)

// builder collects the integrations of one receiver: the ways in which it is told.
type builder struct {
	receiver string
	tmpl     *template.Template
	log      *slog.Logger
	wrap     func(receiver, integration string, sends notify.ResolvedSender, n notify.Notifier) notify.Notifier

	made   []notify.Integration
	faults []error
}

// each adds one integration for each configuration of a kind.
func each[C notify.ResolvedSender, N notify.Notifier](b *builder, kind string, configs []C, make func(C, *slog.Logger) (N, error)) {
	for i, c := range configs {
		n, err := make(c, b.log.With("receiver", b.receiver, "integration", kind))
		if err != nil {
			b.faults = append(b.faults, fmt.Errorf("cannot make %s %d of receiver %q: %w", kind, i+1, b.receiver, err))
			continue
		}
		wrapped := b.wrap(b.receiver, fmt.Sprintf("%s[%d]", kind, i), c, n)
		b.made = append(b.made, notify.NewIntegration(wrapped, c, kind, i, b.receiver))
	}
}

// build makes the integrations of a receiver: those of Alertmanager, without SNS, which
// would link the SDK of AWS, and with ntfy.
func (b *builder) build(r config.Receiver, topics []*ntfy) ([]notify.Integration, error) {
	t := b.tmpl
	each(b, "webhook", r.WebhookConfigs, func(c *webhook.WebhookConfig, l *slog.Logger) (*webhook.Notifier, error) {
		return webhook.New(c, t, l)
	})
	each(b, "email", r.EmailConfigs, func(c *config.EmailConfig, l *slog.Logger) (*email.Email, error) { return email.New(c, t, l), nil })
	each(b, "ntfy", topics, func(c *ntfy, _ *slog.Logger) (*ntfyNotifier, error) { return c.notifier(t) })
	each(b, "pagerduty", r.PagerdutyConfigs, func(c *config.PagerdutyConfig, l *slog.Logger) (*pagerduty.Notifier, error) {
		return pagerduty.New(c, t, l)
	})
	each(b, "opsgenie", r.OpsGenieConfigs, func(c *config.OpsGenieConfig, l *slog.Logger) (*opsgenie.Notifier, error) {
		return opsgenie.New(c, t, l)
	})
	each(b, "wechat", r.WechatConfigs, func(c *config.WechatConfig, l *slog.Logger) (*wechat.Notifier, error) { return wechat.New(c, t, l) })
	each(b, "slack", r.SlackConfigs, func(c *config.SlackConfig, l *slog.Logger) (*slack.Notifier, error) { return slack.New(c, t, l) })
	each(b, "victorops", r.VictorOpsConfigs, func(c *config.VictorOpsConfig, l *slog.Logger) (*victorops.Notifier, error) {
		return victorops.New(c, t, l)
	})
	each(b, "pushover", r.PushoverConfigs, func(c *config.PushoverConfig, l *slog.Logger) (*pushover.Notifier, error) {
		return pushover.New(c, t, l)
	})
	each(b, "telegram", r.TelegramConfigs, func(c *config.TelegramConfig, l *slog.Logger) (*telegram.Notifier, error) {
		return telegram.New(c, t, l)
	})
	each(b, "discord", r.DiscordConfigs, func(c *discord.DiscordConfig, l *slog.Logger) (*discord.Notifier, error) { return discord.New(c, t, l) })
	each(b, "webex", r.WebexConfigs, func(c *config.WebexConfig, l *slog.Logger) (*webex.Notifier, error) { return webex.New(c, t, l) })
	each(b, "msteams", r.MSTeamsConfigs, func(c *msteams.MSTeamsConfig, l *slog.Logger) (*msteams.Notifier, error) {
		return msteams.New(c, t, l)
	})
	each(b, "msteamsv2", r.MSTeamsV2Configs, func(c *config.MSTeamsV2Config, l *slog.Logger) (*msteamsv2.Notifier, error) {
		return msteamsv2.New(c, t, l)
	})
	each(b, "jira", r.JiraConfigs, func(c *jira.JiraConfig, l *slog.Logger) (*jira.Notifier, error) { return jira.New(c, t, l) })
	each(b, "incidentio", r.IncidentioConfigs, func(c *incidentio.IncidentioConfig, l *slog.Logger) (*incidentio.Notifier, error) {
		return incidentio.New(c, t, l)
	})
	each(b, "rocketchat", r.RocketchatConfigs, func(c *config.RocketchatConfig, l *slog.Logger) (*rocketchat.Notifier, error) {
		return rocketchat.New(c, t, l)
	})
	each(b, "mattermost", r.MattermostConfigs, func(c *mattermost.MattermostConfig, l *slog.Logger) (*mattermost.Notifier, error) {
		return mattermost.New(c, t, l)
	})
	if len(r.SNSConfigs) > 0 {
		b.faults = append(b.faults, fmt.Errorf(
			"cannot use sns_configs of receiver %q: Amazon SNS is not built in; use a webhook, or an external Alertmanager", r.Name))
	}
	return b.made, errors.Join(b.faults...)
}
