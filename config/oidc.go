package config

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// OIDC has people log in at a provider that speaks OpenID Connect. It is read when the
// master starts; other Roles count as soon as the file has changed. Users with a password go on working beside it.
type OIDC struct {
	// Issuer is the address of the provider as its own configuration gives it, such as
	// https://login.example.org/realms/main. Without it people log in with passwords
	// and tokens alone.
	Issuer string `yaml:"issuer"`
	// Name is what the button on the page says after "Log in with".
	Name string `yaml:"name" absent:"the host of the issuer"`
	// ClientID is the name of the master at the provider.
	ClientID string `yaml:"client_id"`
	// ClientSecretFile holds the secret that belongs to OIDC.ClientID, and nothing else.
	// A file that every user of the machine can read is refused.
	ClientSecretFile string `yaml:"client_secret_file" absent:"no secret, as a public client has none" path:"true" private:"true"`
	// ClientSecret is what ClientSecretFile gave.
	ClientSecret string `yaml:"-"`
	// URL is the address of the page, as people type it. The provider sends browsers
	// back to it, to the path /api/oidc/callback, which must be registered there.
	URL string `yaml:"url" absent:"needed"`
	// CA is a PEM file of the authorities to trust for the certificate of the provider.
	CA string `yaml:"ca" absent:"the authorities of the system" path:"true"`
	// Scopes are asked for beside openid. Some providers send groups only where a scope
	// such as groups asks for them.
	Scopes []string `yaml:"scopes" absent:"profile, email"`
	// Claim is the claim that is the name of the user here. It must be one that people
	// cannot choose themselves. An email counts where the provider has verified it.
	Claim string `yaml:"claim" default:"email"`
	// GroupsClaim is the claim with the groups that OIDC.Roles name.
	GroupsClaim string `yaml:"groups_claim" default:"groups"`
	// Domains are those of the email addresses that are let in, such as example.org.
	Domains []string `yaml:"domains" absent:"every domain"`
	// SessionMax ends a session so long after the log-in, if Access.SessionMax does not
	// end it sooner. What the provider has taken away since then ends with it.
	SessionMax time.Duration `yaml:"session_max" default:"8h" min:"1m" max:"30d"`
	// Roles say who may do what. The first that fits counts, and a person whom none fits is
	// refused.
	Roles []OIDCRole `yaml:"roles" absent:"nobody is let in"`
}

// OIDCRole gives a role to a group.
type OIDCRole struct {
	// Group is one that the provider names in the claim OIDC.GroupsClaim.
	Group string `yaml:"group" absent:"everybody whom the provider lets in"`
	// Role is viewer, operator or admin.
	Role string `yaml:"role" required:"true" one:"a role: viewer, operator, admin"`
	// Hosts selects the hosts that a viewer or operator is bound to: role=db.
	Hosts string `yaml:"hosts" absent:"all hosts"`
}

// On reports whether people log in at a provider.
func (o OIDC) On() bool { return o.Issuer != "" }

// oidc checks how people log in at a provider.
func (l *loader) oidc() {
	o := l.c.Master.OIDC
	const p = "master.oidc"
	if !o.On() {
		l.check(o.ClientID != "" || o.URL != "" || len(o.Roles) > 0, p, "there is no issuer; give the address of the provider, such as https://login.example.org")
		return
	}
	l.safeAddress(p+".issuer", o.Issuer, "https://login.example.org")
	l.check(o.ClientID == "", p+".client_id", "it is missing; it is the name that the provider has given to the master")
	l.check(o.URL == "", p+".url", "it is missing; write the address of the page as people type it, such as https://vedette.example.org")
	if o.URL != "" {
		l.safeAddress(p+".url", o.URL, "https://vedette.example.org")
		u, err := url.Parse(o.URL)
		l.check(err == nil && strings.Trim(u.Path, "/") != "", p+".url", "the master is at the root of its host name; remove the path")
		// A proxy on this machine looks like a user of it: see docs/proxy.md.
		l.check(err == nil && !IsLoopback(u.Hostname()) && !l.c.Master.Exposed() && len(l.c.Master.Tokens) == 0, p+".url",
			"behind a proxy a master needs tokens; `vedette token` makes one, for master.tokens")
	}
	l.check(printable(o.Name) != o.Name || len(o.Name) > maxNameBytes, p+".name",
		"%s is not a name of at most %d printable characters", quote(o.Name), maxNameBytes)
	l.check(o.Claim == "", p+".claim", "the claim has no name; email is the usual one")
	l.check(o.GroupsClaim == "", p+".groups_claim", "the claim has no name; groups is the usual one")
	for i, scope := range o.Scopes {
		l.check(scope == "" || strings.ContainsAny(scope, " \"\\") || printable(scope) != scope, l.entry(p+".scopes", i), "%s is not one scope", quote(scope))
	}
	for i, domain := range o.Domains {
		l.check(domain == "" || strings.ContainsAny(domain, "@ /*"), l.entry(p+".domains", i), "%s is not a domain; write it as example.org", quote(domain))
	}
	l.check(len(o.Roles) == 0, p+".roles", "nobody would be let in; give at least one, such as {group: sre, role: operator}")
	for i, r := range o.Roles {
		at := l.entry(p+".roles", i)
		l.check(r.Role == RoleAdmin && r.Hosts != "", l.child(at, "hosts"), "an admin is for all hosts; remove it, or make the role operator")
		earlier := slices.ContainsFunc(o.Roles[:i], func(e OIDCRole) bool { return e.Group == "" || e.Group == r.Group })
		l.check(earlier, at, "it never counts: one before it fits already, and the first that fits counts")
	}
}

// safeAddress checks an address that must be reached over TLS, or on this machine.
func (l *loader) safeAddress(p, address, example string) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		l.check(true, p, "%s is not an address; write it as %s", quote(address), example)
	case !isTLS(u) && !IsLoopback(u.Hostname()):
		l.check(true, p, "log-ins would cross the network in clear; write https://")
	}
}

// oidcFiles reads the secret, and looks at the authorities.
func (l *loader) oidcFiles() {
	o := &l.c.Master.OIDC
	if o.ClientSecretFile != "" {
		o.ClientSecret = l.token("master.oidc.client_secret_file", o.ClientSecretFile)
	}
	l.authorities("master.oidc.ca", o.CA)
}
