package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// No part of a password is told, whatever the password is, and wherever in a configuration
// an address was written by mistake.
func TestNoPartOfAPasswordIsTold(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	for range 400 {
		secret := make([]byte, 12)
		for i := range secret {
			const letters = "QXZJKW6789/?#@:&= '"
			secret[i] = letters[r.IntN(len(letters))]
		}
		driver, dsn := wrongAddress(r, string(secret))
		args := misplaced(t, r, dir, driver, dsn)
		var out, faults bytes.Buffer
		status := try(args, &out, &faults)
		told := strings.ReplaceAll(out.String()+faults.String(), dir, "DIR") // which has digits by chance
		if status == 0 || faults.Len() == 0 {
			t.Fatalf("seed %d: %q was asked: %s", seed, dsn, told)
		}
		for i := range len(secret) - 3 {
			if part := string(secret[i : i+4]); strings.Contains(told, part) && strings.Trim(part, "/?#@:&= '") != "" {
				t.Fatalf("seed %d: %q of the password %q of %q is told:\n%s", seed, part, secret, dsn, told)
			}
		}
	}
}

// wrongAddress is an address with a password that may not be written as the form of a
// driver wants it.
func wrongAddress(r *rand.Rand, secret string) (driver, dsn string) {
	driver = []string{"postgres", "mysql"}[r.IntN(2)]
	return driver, fmt.Sprintf([]string{
		"postgres://u:%s@127.0.0.1:1/shop?sslmode=disable",
		"postgres://u:%s@127.0.0.1:1",
		"host=127.0.0.1 port=1 user=u password=%s dbname=shop sslmode=disable",
		"mysql://u:%s@127.0.0.1:1/shop",
		"u:%s@tcp(127.0.0.1:1)/shop",
		"u:%s@127.0.0.1/shop",
	}[r.IntN(6)], secret)
}

// misplaced writes a configuration in which an address is in its file, or where none can
// be. It returns the argument of the plugin.
func misplaced(t *testing.T, r *rand.Rand, dir, driver, dsn string) string {
	t.Helper()
	db := map[string]any{"driver": driver, "dsn_file": "dsn", "queries": []any{map[string]any{"name": "q", "sql": "SELECT 1"}}}
	all := map[string]any{"shop": db}
	argument := filepath.Join(dir, "sql.yaml")
	switch r.IntN(10) {
	case 0:
		db["dsn_file"] = dsn
	case 1:
		delete(db, "dsn_file")
		db["dsn_env"] = dsn
	case 2:
		db["driver"] = dsn
	case 3:
		all = map[string]any{dsn: db}
	case 4:
		all = map[string]any{"shop": dsn}
	case 5:
		db["timeout"] = dsn
	case 6:
		argument = dsn
	}
	text, err := yaml.Marshal(map[string]any{"databases": all})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "sql.yaml"), text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "dsn"), []byte(dsn), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return argument
}
