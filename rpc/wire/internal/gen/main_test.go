package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The page's types and the table of PROTOCOL.md are what the messages say.
func TestGeneratedFilesAreFresh(t *testing.T) {
	const wire = "../.."
	m, err := read(wire)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.methods) < 40 {
		t.Fatalf("only %d methods were found", len(m.methods))
	}
	types, err := m.typescript()
	if err != nil {
		t.Fatal(err)
	}
	have := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(wire, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if !bytes.Equal(have(typesFile), types) {
		t.Errorf("%s is not what the messages say: run go generate ./rpc/wire", typesFile)
	}
	text := have(protocolFile)
	if fresh, err := m.protocol(text); err != nil || !bytes.Equal(text, fresh) {
		t.Errorf("the table of methods in PROTOCOL.md is not what the rows say (%v): run go generate ./rpc/wire", err)
	}
}
