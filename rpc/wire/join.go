package wire

import "slices"

// This file has the messages that hosts send over HTTP to join a mesh, and those of the
// people who look after hosts that have joined.

// Paths of the requests by which a host joins, and renews its certificate. Both
// are POST, over TLS, with JSON.
const (
	JoinPath  = "/api/join"
	RenewPath = "/api/renew"
)

// MasterName is the name in the certificate of a master that is its own
// authority. A host that has joined asks for this name, whatever the address of
// the master is.
const MasterName = "vedette-master"

// JoinTokenParams says whom a join token lets in.
type JoinTokenParams struct {
	Name    string            `json:"name,omitempty"` // "" has one made up
	Host    string            `json:"host,omitempty"` // the one host that may join, also in place of another
	Labels  map[string]string `json:"labels,omitempty"`
	Uses    int               `json:"uses,omitempty"`    // how many hosts may join; 0 is 1
	ForMS   int64             `json:"for_ms,omitempty"`  // 0 is a day
	Approve bool              `json:"approve,omitempty"` // each host waits until an operator lets it in
}

// JoinTokenCreated has a join token, which pins the master's authority.
type JoinTokenCreated struct {
	Token string    `json:"token"`
	Info  TokenInfo `json:"info"`
}

// JoinRequest is a host's request to join.
type JoinRequest struct {
	Token string `json:"token"` // the secret of the join token, without the pin
	Host  string `json:"host"`
	CSR   string `json:"csr"` // PEM: a certificate request for the key of the host
}

// RenewRequest is a host's request for a new certificate in place of the one with which it
// made the connection.
type RenewRequest struct {
	CSR string `json:"csr"`
}

// JoinResult is the answer to both.
type JoinResult struct {
	State string `json:"state"` // MemberJoined or MemberWaiting
	Host  string `json:"host"`
	// Certificate is for the host's key, in PEM. It is "" while the host waits.
	Certificate string `json:"certificate,omitempty"`
	// Trust has, in PEM, the authorities by one of which the master's certificate is.
	Trust string `json:"trust,omitempty"`
	// ServerName is the name in the master's certificate, or "" if that is the one in its
	// address.
	ServerName string            `json:"server_name,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
}

// How far a host is that wants to join.
const (
	MemberWaiting = "waiting"
	MemberJoined  = "joined"
	MemberRevoked = "revoked"
)

// Member is a host that has joined, or waits to be let in.
type Member struct {
	Host      string            `json:"host"`
	State     string            `json:"state"`
	Key       string            `json:"key"`   // hex SHA-256 of its public key
	Token     string            `json:"token"` // the name of the join token
	From      string            `json:"from"`  // address from which it joined
	Labels    map[string]string `json:"labels,omitempty"`
	JoinedMS  int64             `json:"joined_ms"`
	RenewedMS int64             `json:"renewed_ms,omitempty"`
	EndsMS    int64             `json:"ends_ms,omitempty"` // of its newest certificate
	By        string            `json:"by,omitempty"`      // who let it in, or revoked it
	// Claim is the last attempt of somebody else to be this host since the master
	// started.
	Claim *Claim `json:"claim,omitempty"`
}

// Claim is a refused attempt to take the name of a host.
type Claim struct {
	From string `json:"from"`
	AtMS int64  `json:"at_ms"`
	Why  string `json:"why"`
}

// MembersResult lists hosts by name.
type MembersResult struct {
	Members []Member `json:"members"`
}

func (r *MembersResult) keep(sees Sees) {
	r.Members = slices.DeleteFunc(r.Members, func(m Member) bool { return !sees(m.Host) })
}

// MemberParams names a host that has joined or waits.
type MemberParams struct {
	Host string `json:"host"`
}

// AuthorityResult describes the master's authority.
type AuthorityResult struct {
	Fingerprint string `json:"fingerprint"` // SHA-256 of its public key, in base64
	SinceMS     int64  `json:"since_ms"`
	EndsMS      int64  `json:"ends_ms"`
	// Old are the fingerprints of those before it whose certificates are still taken.
	Old []string `json:"old,omitempty"`
}
