// Package jointoken defines the form of a join token: a secret that the master
// knows, and a pin by which the host recognises the master.
package jointoken

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// prefix begins every join token.
const prefix = "vedette_join_"

const secretBytes = 32

// Token is a join token in its parts.
type Token struct {
	Secret string // sent to the master
	Pin    string // of a certificate in the chain of the master
}

// New makes a random token that pins a certificate.
func New(pinned *x509.Certificate) Token {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // it never fails
	return Token{Secret: prefix + base64.RawURLEncoding.EncodeToString(secret), Pin: PinOf(pinned)}
}

// String returns the token in the form to paste.
func (t Token) String() string { return t.Secret + "." + t.Pin }

// Parse reads a token.
func Parse(text string) (Token, error) {
	secret, pin, ok := strings.Cut(strings.TrimSpace(text), ".")
	raw, isSecret := strings.CutPrefix(secret, prefix)
	if !ok || !isSecret {
		return Token{}, errors.New("this is no join token, which begins with " + prefix + "; `vedette join-token` makes one")
	}
	if !isBase64(raw, secretBytes) || !isBase64(pin, sha256.Size) {
		return Token{}, errors.New("the join token is incomplete; paste it again, with everything after the dot")
	}
	return Token{Secret: secret, Pin: pin}, nil
}

func isBase64(text string, size int) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == size && !strings.ContainsAny(text, "\r\n")
}

// Hash is the form in which the master stores a secret.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// PinOf returns the pin of a certificate: the SHA-256 of its public key.
func PinOf(c *x509.Certificate) string {
	sum := KeyOf(c.RawSubjectPublicKeyInfo)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// KeyOf returns the identifier of a public key.
func KeyOf(subjectPublicKeyInfo []byte) [sha256.Size]byte { return sha256.Sum256(subjectPublicKeyInfo) }
