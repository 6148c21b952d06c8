package oidc

import (
	"slices"
	"strings"
)

// Person is somebody whom the provider knows, and what the configuration makes of that.
type Person struct {
	// Name is the user's here, Subject what the provider knows the person by, which
	// stays when the name changes.
	Name, Subject string
	Role, Hosts   string
	// Groups are those that the provider names. GroupsKnown is whether it was asked.
	Groups      []string
	GroupsKnown bool
}

// claims are what a provider says of somebody.
type claims map[string]any

// add takes claims that are not there. Whether an email was verified is taken where
// it is the same email, and so together with an email that is not there.
func (c claims) add(more claims) {
	if c["email"] == nil && more["email"] != nil {
		delete(c, "email")
		delete(c, "email_verified") // of an email that nobody has named
	}
	_, verified := c["email_verified"]
	if mine, ok := c["email"]; ok && !verified && mine == more["email"] && more["email_verified"] != nil {
		c["email_verified"] = more["email_verified"]
	}
	_, mail := c["email"]
	for name, value := range more {
		if _, there := c[name]; !there && (name != "email_verified" || !mail) {
			c[name] = value
		}
	}
}

// asksGroups reports whether a rule names a group.
func (p *Provider) asksGroups() bool {
	for _, r := range *p.roles.Load() {
		if r.Group != "" {
			return true
		}
	}
	return false
}

// needsMail reports whether the email says who somebody is, or may be.
func (p *Provider) needsMail() bool { return p.cfg.Claim == "email" || len(p.cfg.Domains) > 0 }

// hasMail reports whether there is an email, and whether it was verified.
func (c claims) hasMail() bool { return c["email"] != nil && c["email_verified"] != nil }

// person finds out who somebody is here, and in which role.
func (p *Provider) person(c claims) (Person, error) {
	subject, _ := c["sub"].(string)
	name, ok := c[p.cfg.Claim].(string)
	if !ok || name == "" || subject == "" {
		return Person{}, refuse("the provider does not name the user", "the claim %q is %T, or sub is missing", p.cfg.Claim, c[p.cfg.Claim])
	}
	who := Person{Name: name, Subject: subject}
	if p.cfg.Claim == "email" {
		who.Name = strings.ToLower(name)
	}
	if p.needsMail() {
		if err := p.checkMail(c); err != nil {
			return Person{}, err
		}
	}
	groups, err := groupsOf(c[p.cfg.GroupsClaim])
	if err != nil {
		return Person{}, err
	}
	who.Groups, who.GroupsKnown = groups, p.asksGroups() || c[p.cfg.GroupsClaim] != nil
	if who.Role, who.Hosts, ok = p.Grant(groups); ok {
		return who, nil
	}
	none := refuse("no role is for the user", "%q is in the groups %q, and master.oidc.roles names none of them", who.Name, groups)
	none.Person, none.Out = who, true
	return Person{}, none
}

// checkMail refuses an email that the provider has not verified, or that is of another
// domain.
func (p *Provider) checkMail(c claims) error {
	mail, _ := c["email"].(string)
	if verified := c["email_verified"]; verified != true && verified != "true" { // some providers send text
		return refuse("the email is not verified", "the provider says email_verified = %v of %q", verified, mail)
	}
	at := strings.LastIndexByte(mail, '@')
	if at <= 0 || at == len(mail)-1 {
		return refuse("the email is none", "it is %q", mail)
	}
	same := func(domain string) bool { return strings.EqualFold(domain, mail[at+1:]) }
	if len(p.cfg.Domains) > 0 && !slices.ContainsFunc(p.cfg.Domains, same) {
		return refuse("the email is of another domain", "%q is of none of %q", mail, p.cfg.Domains)
	}
	return nil
}

// groupsOf reads a list of groups. One group may stand alone, and none may be there. A
// claim of another type is refused, since nobody knows what it means.
func groupsOf(claim any) ([]string, error) {
	switch claim := claim.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{claim}, nil
	case []any:
		groups := make([]string, 0, len(claim))
		for _, g := range claim {
			name, ok := g.(string)
			if !ok {
				return nil, refuse("the groups cannot be read", "there is a %T among them", g)
			}
			groups = append(groups, name)
		}
		return groups, nil
	}
	return nil, refuse("the groups cannot be read", "the claim is a %T", claim)
}
