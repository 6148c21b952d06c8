package config

import (
	"maps"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"
)

const maxAlertmanagers = 10

// alerts checks the settings that say who is told of alerts.
func (l *loader) alerts() {
	const p = "master.alerts.alertmanagers"
	addresses := l.c.Master.Alerts.Alertmanagers
	l.check(len(addresses) > maxAlertmanagers, p, "%d Alertmanagers are named; at most %d are allowed", len(addresses), maxAlertmanagers)
	for i, address := range addresses {
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
			l.check(true, l.entry(p, i), "%s is not an address; write it as http://alertmanager:9093", quote(address))
		case u.User != nil:
			// The address is not shown: it contains a secret.
			l.faults = append(l.faults, Fault{Origin: l.at(l.entry(p, i)), Message: l.entry(p, i) + ": a name or password in the address is not used; leave it out"})
		case slices.Contains(addresses[:i], address):
			l.check(true, l.entry(p, i), "%s is given twice", quote(address))
		}
	}
	l.notify()
	l.thresholds()
}

// thresholds checks the thresholds of alerts.
func (l *loader) thresholds() {
	known := make(map[[2]string]bool)
	for i, t := range l.c.Master.Alerts.Thresholds {
		at := l.entry("master.alerts.thresholds", i)
		inspector, alert, both := strings.Cut(t.Alert, "/")
		l.check(!both || inspector == "" || alert == "", l.child(at, "alert"), "%s is not the name of an inspector's alert; write it as disk/full", quote(t.Alert))
		_, number := t.Number()
		l.check(!number && t.Value != "off", l.child(at, "value"), "%s is neither a number nor off", quote(t.Value))
		l.check(known[[2]string{t.Alert, t.Hosts}], at, "the threshold of %s on these hosts is given twice", quote(t.Alert))
		known[[2]string{t.Alert, t.Hosts}] = true
	}
}

// notify checks the simple form of these settings.
func (l *loader) notify() {
	a := l.c.Master.Alerts
	const p = "master.alerts.notify"
	l.check(a.AlertmanagerConfig != "" && len(a.Notify) > 0, p, "alertmanager_config says who is told already; leave one of the two out")
	for _, name := range slices.Sorted(maps.Keys(a.Notify)) {
		to, at := a.Notify[name], l.entry(p, name)
		l.check(to.Email == "" && to.Ntfy == "" && to.Webhook == "", at, "it has no address; give an email, an ntfy topic or a webhook")
		l.check(!isName(name), at, "%s is not a name; use letters, digits, - and _", quote(name))
		l.check(to.Email != "" && !isMail(to.Email), l.child(at, "email"), "%s is not an address; write it as ops@example.org", quote(to.Email))
		l.web(l.child(at, "ntfy"), to.Ntfy, "https://ntfy.sh/my-topic", to.TokenFile != "")
		l.web(l.child(at, "webhook"), to.Webhook, "https://hooks.example.org/alerts", to.TokenFile != "")
		u, err := url.Parse(to.Ntfy)
		l.check(to.Ntfy != "" && err == nil && strings.Trim(u.Path, "/") == "", l.child(at, "ntfy"),
			"the address names no topic; write it as https://ntfy.sh/my-topic")
	}
	l.web("master.alerts.url", a.URL, "https://vedette.example.org", false)
	const server = "master.alerts.smtp.server"
	_, port, err := net.SplitHostPort(a.SMTP.Server)
	l.check(err != nil || !validPort(port), server, "%s is not an address; write host:port, such as mail.example.org:587", quote(a.SMTP.Server))
	l.check(a.SMTP.User != "" && a.SMTP.PasswordFile == "", "master.alerts.smtp.user",
		"there is no password; put it into a file and name that in password_file")
}

// web checks an address that may be missing.
func (l *loader) web(p, address, example string, token bool) {
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		// The address is not shown: it may be a secret.
		l.faults = append(l.faults, Fault{Origin: l.at(p), Message: p + ": this is not an address; write it as " + example})
	case token && !isTLS(u) && !IsLoopback(u.Hostname()):
		l.faults = append(l.faults, Fault{Origin: l.at(p), Message: p + ": the token would cross the network in clear; write https://, or remove token_file"})
	}
}

func isMail(list string) bool {
	_, err := mail.ParseAddressList(list)
	return err == nil
}

func isName(name string) bool {
	return name != "" && len(name) <= maxNameBytes && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
}
