package wire

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
)

// OIDCChallenge is what a command sends of its verifier: S256 of RFC 7636.
func OIDCChallenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// OIDCCode is what a command prints and the page shows, so that people see that one
// belongs to the other.
func OIDCCode(challenge string) string {
	sum := sha256.Sum256([]byte("the code of " + challenge))
	text := base32.StdEncoding.EncodeToString(sum[:5])
	return text[:4] + "-" + text[4:]
}
