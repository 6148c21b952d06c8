package config

import (
	"crypto/tls"
	"net"
	"net/url"
	"path/filepath"
	"strings"
)

// Audit sends the entries of the audit log elsewhere as they are made, so that a
// person who takes over the master cannot take them back. An entry is sent until
// the receiver has taken it, so at least once. Entries wait in the log itself.
type Audit struct {
	// Syslog is a server that takes RFC 5424: tls://HOST:6514, tcp://HOST:PORT, or
	// the socket of one on this machine, unix:///PATH.
	Syslog string `yaml:"syslog"`
	// CA is a PEM file of the authorities to trust for the certificates of Syslog and
	// Webhook.
	CA string `yaml:"ca" absent:"the authorities of the system" path:"true"`
	// Cert is the PEM file of the certificate that the master shows to Syslog and
	// Webhook if they require one.
	Cert string `yaml:"cert" path:"true"`
	// Key is the PEM file of the private key of Audit.Cert.
	Key string `yaml:"key" path:"true" private:"true"`
	// Webhook is an address that takes entries as lines of JSON, by POST.
	Webhook string `yaml:"webhook"`
	// TokenFile holds a bearer token for Webhook, and nothing else. A file that every
	// user of the machine can read is refused.
	TokenFile string `yaml:"token_file" path:"true" private:"true"`
	// Token is the content of TokenFile.
	Token string `yaml:"-"`
}

// SyslogAddress returns how to reach Audit.Syslog: the network (tls, tcp or unix),
// and the host:port or the path. ok is false if it is not such an address.
func (a Audit) SyslogAddress() (network, address string, ok bool) {
	u, err := url.Parse(a.Syslog)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", false
	}
	switch u.Scheme {
	case "unix":
		return u.Scheme, u.Path, u.Host == "" && filepath.IsAbs(u.Path) && u.Path != "/"
	case "tls", "tcp":
		port := u.Port()
		if port == "" && u.Scheme == "tls" {
			port = "6514"
		}
		return u.Scheme, net.JoinHostPort(u.Hostname(), port), u.Hostname() != "" && port != "" && port != "0" && validPort(port) && strings.Trim(u.Path, "/") == ""
	}
	return "", "", false
}

// audit checks where the audit log is sent.
func (l *loader) audit() {
	a := l.c.Master.Audit
	const p = "master.audit"
	if a.Syslog != "" {
		_, _, ok := a.SyslogAddress()
		l.check(!ok, p+".syslog", "%s is not an address; write it as tls://logs.example.org:6514, tcp://127.0.0.1:601 or unix:///dev/log", quote(a.Syslog))
	}
	l.web(p+".webhook", a.Webhook, "https://audit.example.org/entries", a.TokenFile != "")
	l.check(a.TokenFile != "" && a.Webhook == "", p+".token_file", "it is for the webhook, and there is none")
	l.check(a.Cert != "" && a.Key == "", p, "cert is given without key; both are needed")
	l.check(a.Cert == "" && a.Key != "", p, "key is given without cert; both are needed")
	u, err := url.Parse(a.Webhook)
	encrypted := strings.HasPrefix(a.Syslog, "tls:") || err == nil && isTLS(u)
	l.check(a.CA != "" && !encrypted, p+".ca", "nothing is sent over TLS; write tls:// or https://, or remove ca")
	l.check(a.Cert != "" && !encrypted, p+".cert", "nothing is sent over TLS; write tls:// or https://, or remove cert and key")
}

// auditFiles reads the token, and checks the certificates.
func (l *loader) auditFiles() {
	a := &l.c.Master.Audit
	if a.TokenFile != "" {
		a.Token = l.token("master.audit.token_file", a.TokenFile)
	}
	l.authorities("master.audit.ca", a.CA)
	if a.Cert != "" && a.Key != "" {
		_, err := tls.LoadX509KeyPair(a.Cert, a.Key)
		l.check(err != nil, "master.audit.cert", "it cannot be used with the key: %v", err)
	}
}
