package wire

// This file holds the messages about people: users, how they log in, and their
// sessions.

// Paths of the requests by which people log in. They carry JSON.
const (
	// LoginPath tells by GET how to log in, logs in by POST, and out by DELETE.
	LoginPath = "/api/login"
	// PasswordPath takes a password from whoever has a link.
	PasswordPath = "/api/password"
	// OIDCPath sends a browser to the provider at which people log in, and
	// OIDCCallbackPath is where the provider sends it back to. They carry no JSON.
	OIDCPath         = "/api/oidc/login"
	OIDCCallbackPath = "/api/oidc/callback"
	// OIDCConfirmPath is where a browser confirms that a command is to be logged in, with
	// no JSON, and OIDCTokenPath where that command gets its token. See rpc/PROTOCOL.md.
	OIDCConfirmPath = "/api/oidc/confirm"
	OIDCTokenPath   = "/api/oidc/token"
)

// What a browser brings to a command that nobody is logged in for, as its error: the codes
// of RFC 6749 (4.1.2.1).
const (
	OIDCDenied = "access_denied"           // the provider or the master has refused
	OIDCAway   = "temporarily_unavailable" // the log-in could not be decided
)

// LoginTokenPrefix begins every token that a user has got by logging in.
const LoginTokenPrefix = "vedette_login_"

// LinkFragment is the part of a link for choosing a password that follows the address of
// the master. A browser does not send it.
const LinkFragment = "/#link="

// UserParams names a user, and what the user is to be.
type UserParams struct {
	Name string `json:"name"`
	Role string `json:"role"` // viewer, operator or admin
	// Hosts selects the hosts that a viewer or an operator is bound to; "" is all.
	Hosts string `json:"hosts,omitempty"`
	// Password is "" to have a link made instead, with which the user chooses one.
	Password string `json:"password,omitempty"`
}

// UserNameParams names a user; "" is the caller, if that makes sense.
type UserNameParams struct {
	Name string `json:"name,omitempty"`
}

func (p UserNameParams) subject() Subject { return about(p.Name) }

// UserRoleParams gives a user another role, and binds it to hosts or to none.
type UserRoleParams struct {
	Name  string `json:"name"`
	Role  string `json:"role"`
	Hosts string `json:"hosts,omitempty"`
}

// UserPasswordParams sets a password. Whoever sets their own gives the old one.
type UserPasswordParams struct {
	Name     string `json:"name,omitempty"` // "" is the caller
	Old      string `json:"old,omitempty"`
	Password string `json:"password"`
}

// UserInfo is what everybody who may list users sees of one.
type UserInfo struct {
	Name      string `json:"name"`
	Role      string `json:"role"`
	Hosts     string `json:"hosts,omitempty"`      // a selector of those that the role is for; "" is all
	Provider  string `json:"provider,omitempty"`   // where the user logs in; "" is here, with a password
	By        string `json:"by"`                   // who made the user
	CreatedMS int64  `json:"created_ms"`           // when
	ChangedMS int64  `json:"changed_ms,omitempty"` // when the password was set last; 0: there is none
	LinkMS    int64  `json:"link_ms,omitempty"`    // until when a link for choosing a password is good
	UsedMS    int64  `json:"used_ms,omitempty"`    // when a session of the user was in use last
	Sessions  int    `json:"sessions,omitempty"`   // that are good now
}

// UsersResult lists users by name.
type UsersResult struct {
	Users []UserInfo `json:"users"`
}

// UserMade is a user, and the secret of a link if one was made, which is shown only once.
type UserMade struct {
	User UserInfo `json:"user"`
	Link string   `json:"link,omitempty"`
}

// UserLogoutResult says how many sessions have ended.
type UserLogoutResult struct {
	Sessions int `json:"sessions"`
}

// LoginWays says how people can log in.
type LoginWays struct {
	Users bool `json:"users"` // by name and password; a token is always taken
	// Provider is where people log in who have no password here.
	Provider *LoginProvider `json:"provider,omitempty"`
	// Who names the user who is logged in; "" for nobody.
	Who string `json:"who,omitempty"`
}

// LoginProvider is a provider that speaks OpenID Connect.
type LoginProvider struct {
	Name string `json:"name"`
	// URL is to be opened in a browser, with next=PATH for the page to come back to, or
	// with port, challenge and state for a command.
	URL string `json:"url"`
}

// LoginRequest logs a user in.
type LoginRequest struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	// Token asks for a token in place of a cookie, for a program.
	Token bool  `json:"token,omitempty"`
	ForMS int64 `json:"for_ms,omitempty"` // how long the token is good
}

// OIDCTokenRequest asks for the token of somebody who has logged in for a command.
type OIDCTokenRequest struct {
	Code     string `json:"code"`             // what the browser has brought
	Verifier string `json:"verifier"`         // whose checksum the link had
	ForMS    int64  `json:"for_ms,omitempty"` // how long the token is good, within session_max
}

// PasswordRequest sets the password of the user whom a link is for, and logs in.
type PasswordRequest struct {
	Link     string `json:"link"`
	Name     string `json:"name,omitempty"` // where the link is for the first admin
	Password string `json:"password"`
}

// LoginAnswer says who has logged in.
type LoginAnswer struct {
	Name   string `json:"name"`
	Role   string `json:"role"`
	Token  string `json:"token,omitempty"`
	EndsMS int64  `json:"ends_ms,omitempty"`
}
