package route

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	commonconfig "github.com/prometheus/common/config"
)

// Priorities of ntfy: an urgent alert rings even in silent mode, one that has ended does
// not ring.
const (
	ntfyUrgent  = 5
	ntfyDefault = 3
	ntfyLow     = 2
)

// ntfy is a topic of an ntfy server.
type ntfy struct {
	server, topic, tokenFile string
}

// newNtfy reads an address such as https://ntfy.sh/my-topic.
func newNtfy(address, tokenFile string) (*ntfy, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("the address of a topic reads https://ntfy.sh/my-topic")
	}
	folder, topic := path.Split(strings.TrimSuffix(u.Path, "/"))
	if topic == "" {
		return nil, errors.New("the address names no topic; write it as https://ntfy.sh/my-topic")
	}
	u.Path = folder
	return &ntfy{server: u.String(), topic: topic, tokenFile: tokenFile}, nil
}

// SendResolved implements notify.ResolvedSender.
func (n *ntfy) SendResolved() bool { return true }

func (n *ntfy) notifier(t *template.Template) (*ntfyNotifier, error) {
	client, err := commonconfig.NewClientFromConfig(n.http(), "ntfy")
	if err != nil {
		return nil, err
	}
	return &ntfyNotifier{ntfy: n, tmpl: t, client: client, retrier: &notify.Retrier{RetryCodes: []int{http.StatusTooManyRequests}}}, nil
}

func (n *ntfy) http() commonconfig.HTTPClientConfig {
	c := commonconfig.DefaultHTTPClientConfig
	if n.tokenFile != "" {
		c.Authorization = &commonconfig.Authorization{Type: "Bearer", CredentialsFile: n.tokenFile}
	}
	return c
}

// ntfyNotifier publishes to a topic. A webhook with a payload would not do, because it
// reads texts as YAML, where "web-1: full" becomes an object.
type ntfyNotifier struct {
	*ntfy
	tmpl    *template.Template
	client  *http.Client
	retrier *notify.Retrier
}

// ntfyMessage is the JSON that ntfy accepts.
type ntfyMessage struct {
	Topic    string `json:"topic"`
	Title    string `json:"title"`
	Message  string `json:"message"`
	Priority int    `json:"priority"`
	Click    string `json:"click,omitempty"`
}

// Notify implements notify.Notifier.
func (n *ntfyNotifier) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	data := notify.GetTemplateData(ctx, n.tmpl, alerts, nil)
	var fault error
	text := notify.TmplText(n.tmpl, data, &fault)
	m := ntfyMessage{
		Topic: n.topic, Title: text(subjectTemplate), Message: text(shortTemplate), Priority: ntfyDefault, Click: data.ExternalURL,
	}
	switch {
	case len(data.Alerts.Firing()) == 0:
		m.Priority = ntfyLow
	case data.CommonLabels["severity"] == "critical":
		m.Priority = ntfyUrgent
	}
	if fault != nil {
		return false, fmt.Errorf("cannot write the message: %w", fault)
	}
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(m); err != nil {
		return false, err
	}
	response, err := notify.PostJSON(ctx, n.client, n.server, &body)
	if err != nil {
		return true, notify.RedactURL(err)
	}
	defer notify.Drain(response)
	return n.retrier.Check(response.StatusCode, response.Body)
}
