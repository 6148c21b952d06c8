// Package signing signs code that goes to hosts through a master, and verifies it
// there, with Ed25519 keys that the master never has. The signed message is the id
// of a revision, which is a hash of everything that the code consists of. It also
// signs the files of releases; a signature of one kind is not valid for the other.
package signing

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const (
	// Context begins every signed message about code, so that a signature of
	// anything else is not valid for code. PROTOCOL.md has it too.
	Context = "vedette.v1 code\n"
	// releaseContext begins the signed message about a file of a release.
	releaseContext = "vedette.v1 release\n"
	// Prefix begins the text form of a public key.
	Prefix = "ed25519:"

	// idBytes is how much of its SHA-256 the id of a public key has.
	idBytes   = 8
	pemBlock  = "PRIVATE KEY"
	hexDigits = "0123456789abcdef"
)

// PrivateKey signs.
type PrivateKey struct{ key ed25519.PrivateKey }

// PublicKey verifies.
type PublicKey struct{ key ed25519.PublicKey }

// Generate makes a random key.
func Generate() (PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return PrivateKey{key}, err
}

// ParsePrivate reads a key as PEM returns it, or as `openssl genpkey -algorithm
// ed25519` does.
func ParsePrivate(text []byte) (PrivateKey, error) {
	block, _ := pem.Decode(text)
	switch {
	case block == nil:
		return PrivateKey{}, errors.New("it is not a PEM file")
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return PrivateKey{}, errors.New("it is encrypted, which is not supported")
	case block.Type != pemBlock:
		return PrivateKey{}, fmt.Errorf("it holds a %.40q, not a %q", block.Type, pemBlock)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("it is not a PKCS#8 key: %w", err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return PrivateKey{}, errors.New("its key is not an Ed25519 key")
	}
	return PrivateKey{private}, nil
}

// PEM is the form of the key in a file, in PKCS#8.
func (k PrivateKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemBlock, Bytes: der}), nil
}

// Public returns the key that verifies the signatures of this one.
func (k PrivateKey) Public() PublicKey {
	return PublicKey{k.key.Public().(ed25519.PublicKey)}
}

// Sign returns the signature of a revision, in base64. It is the same each time.
func (k PrivateKey) Sign(revision string) string {
	return k.signs(message(revision))
}

// SignFile returns the signature of the content of a file of a release, in base64.
func (k PrivateKey) SignFile(content []byte) string {
	return k.signs(releaseMessage(content))
}

// SignFileSum is SignFile for a file whose hex SHA-256 is known.
func (k PrivateKey) SignFileSum(sum string) string {
	return k.signs([]byte(releaseContext + sum))
}

// VerifyFile reports whether the signature is by the key, and for the content of a
// file.
func (k PublicKey) VerifyFile(content []byte, signature string) bool {
	return k.verifies(releaseMessage(content), signature)
}

// VerifyFileSum is VerifyFile for a file whose hex SHA-256 is known.
func (k PublicKey) VerifyFileSum(sum, signature string) bool {
	return k.verifies([]byte(releaseContext+sum), signature)
}

func releaseMessage(content []byte) []byte {
	sum := sha256.Sum256(content)
	return []byte(releaseContext + hex.EncodeToString(sum[:]))
}

// message is the signed message for a revision.
func message(revision string) []byte { return []byte(Context + revision) }

// ParsePublic reads a key in the form of String.
func ParsePublic(text string) (PublicKey, error) {
	encoded, ok := strings.CutPrefix(text, Prefix)
	if !ok {
		return PublicKey{}, fmt.Errorf("it does not begin with %s", Prefix)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return PublicKey{}, errors.New("what follows " + Prefix + " is not base64")
	}
	if len(raw) != ed25519.PublicKeySize {
		return PublicKey{}, fmt.Errorf("it has %d bytes, not %d", len(raw), ed25519.PublicKeySize)
	}
	return PublicKey{raw}, nil
}

// String is the form of the key in a configuration.
func (k PublicKey) String() string {
	return Prefix + base64.StdEncoding.EncodeToString(k.key)
}

// ID names the key: 16 hex digits, the start of its SHA-256.
func (k PublicKey) ID() string {
	sum := sha256.Sum256(k.key)
	return hex.EncodeToString(sum[:idBytes])
}

// Equal reports whether two keys are the same. Ids do not tell: with enough time one
// can make a key that has the id of another.
func (k PublicKey) Equal(other PublicKey) bool { return bytes.Equal(k.key, other.key) }

// Verify reports whether the signature is by the key, and for the revision.
func (k PublicKey) Verify(revision, signature string) bool {
	return k.verifies(message(revision), signature)
}

// CheckShape returns the faults of a signature, or of the id of its key, that are
// visible without the key.
func CheckShape(id, signature string) error {
	if len(id) != 2*idBytes || strings.Trim(id, hexDigits) != "" {
		return fmt.Errorf("the key %.40q is not %d lower-case hex digits", id, 2*idBytes)
	}
	_, err := decodeSignature(signature)
	return err
}

func decodeSignature(text string) ([]byte, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != ed25519.SignatureSize || strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("the signature is not %d bytes in base64", ed25519.SignatureSize)
	}
	return raw, nil
}
