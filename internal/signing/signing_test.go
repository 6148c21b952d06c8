package signing

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
)

const revision = "6da44349a340a46e5cebb594d0eaac57e9128d136ded088662ce09ea26d85cbc"

func generate(t *testing.T) PrivateKey {
	t.Helper()
	key, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSignatureIsOfOneKeyAndOneRevision(t *testing.T) {
	key, other := generate(t), generate(t)
	signature := key.Sign(revision)
	public := key.Public()
	if !public.Verify(revision, signature) {
		t.Error("a good signature is refused")
	}
	if other.Public().Verify(revision, signature) || public.Verify(strings.Replace(revision, "6", "7", 1), signature) || public.Verify(revision, "") {
		t.Error("a bad signature is taken")
	}
	// Of the revision alone, without what it is signed for.
	if public.Verify(revision, base64.StdEncoding.EncodeToString(ed25519.Sign(key.key, []byte(revision)))) {
		t.Error("a signature for something else is taken")
	}
	if err := CheckShape(public.ID(), signature); err != nil {
		t.Error(err)
	}
}

// A signature of code is none of a file, and the other way round, for the same bytes.
func TestSignaturesOfFiles(t *testing.T) {
	key := generate(t)
	public, content := key.Public(), []byte(revision)
	signature := key.SignFile(content)
	if !public.VerifyFile(content, signature) {
		t.Error("a good signature is refused")
	}
	if public.VerifyFile(append(content, '\n'), signature) || generate(t).Public().VerifyFile(content, signature) {
		t.Error("a bad signature is taken")
	}
	if public.Verify(revision, signature) || public.VerifyFile(content, key.Sign(revision)) {
		t.Error("a signature of another kind is taken")
	}
}

func TestKeysAreReadAsTheyAreWritten(t *testing.T) {
	key := generate(t)
	text, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParsePrivate(text)
	if err != nil || again.Sign(revision) != key.Sign(revision) {
		t.Errorf("the private key is another: %v", err)
	}
	public, err := ParsePublic(key.Public().String())
	if err != nil || public.ID() != key.Public().ID() || !public.Verify(revision, key.Sign(revision)) {
		t.Errorf("the public key is another: %v", err)
	}
}

func TestBadKeysAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"":               "it does not begin with ed25519:",
		"ssh-ed25519 AA": "it does not begin with ed25519:",
		"ed25519:***":    "what follows ed25519: is not base64",
		"ed25519:AAAA":   "it has 3 bytes, not 32",
	} {
		if _, err := ParsePublic(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for text, want := range map[string]string{
		"hello":                                 "it is not a PEM file",
		block("ENCRYPTED PRIVATE KEY", der):     "it is encrypted, which is not supported",
		block("CERTIFICATE", der):               `it holds a "CERTIFICATE", not a "PRIVATE KEY"`,
		block("PRIVATE KEY", der):               "its key is not an Ed25519 key",
		block("PRIVATE KEY", []byte("nothing")): "it is not a PKCS#8 key: ",
	} {
		if _, err := ParsePrivate([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestBadShapes(t *testing.T) {
	key := generate(t)
	good := key.Sign(revision)
	for _, bad := range [][2]string{
		{"", good},
		{"ABCDEF0123456789", good},
		{"0123", good},
		{key.Public().ID(), ""},
		{key.Public().ID(), "AAAA"},
		{key.Public().ID(), good + "\n"},
		{key.Public().ID(), "!" + good[1:]},
	} {
		if CheckShape(bad[0], bad[1]) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
