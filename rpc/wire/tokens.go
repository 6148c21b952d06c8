package wire

// This file holds the messages of tokens that are made on the running master.

// TokenParams says what a new token is for.
type TokenParams struct {
	Name  string `json:"name,omitempty"` // whose it is; "" takes the name of the host
	Role  string `json:"role"`           // agent, viewer, operator or admin
	Host  string `json:"host,omitempty"` // for the role agent: the one host that it reports for
	ForMS int64  `json:"for_ms,omitempty"`
	// Hosts is a selector of the hosts that a viewer's or operator's token is bound to;
	// "" is all.
	Hosts string `json:"hosts,omitempty"`
}

// TokenCreated has a token that was made. The master does not keep the token
// itself: this is the one time that it is shown.
type TokenCreated struct {
	Token string    `json:"token"`
	Info  TokenInfo `json:"info"`
}

// TokenInfo is what everybody who may list tokens sees of one.
type TokenInfo struct {
	Name string `json:"name"`
	Role string `json:"role"`
	Host string `json:"host,omitempty"`
	// Hosts selects the hosts that it is bound to; "" is all.
	Hosts string `json:"hosts,omitempty"`
	// Source is where it stands: TokenOfConfiguration or TokenOfMaster.
	Source    string `json:"source"`
	By        string `json:"by,omitempty"`         // who made it
	CreatedMS int64  `json:"created_ms,omitempty"` // when
	EndsMS    int64  `json:"ends_ms,omitempty"`    // 0: never
	Ended     bool   `json:"ended,omitempty"`
	// Uses is how many hosts a join token lets in, and Used how many it has.
	Uses   int               `json:"uses,omitempty"`
	Used   int               `json:"used,omitempty"`
	Labels map[string]string `json:"labels,omitempty"` // for the hosts that join
}

// RoleJoin is the role of a join token. It is for joining and nothing else.
const RoleJoin = "join"

// Where a token stands.
const (
	TokenOfConfiguration = "configuration"
	TokenOfMaster        = "master"
)

// TokensResult lists tokens by name.
type TokensResult struct {
	Tokens []TokenInfo `json:"tokens"`
}

// TokenRevokeParams names a token.
type TokenRevokeParams struct {
	Name string `json:"name"`
}
