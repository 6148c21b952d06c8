// Package signingtest makes keys for tests.
package signingtest

import (
	"testing"

	"github.com/vedettehq/vedette/internal/signing"
)

// Key makes a key to sign with.
func Key(t testing.TB) signing.PrivateKey {
	t.Helper()
	key, err := signing.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return key
}
