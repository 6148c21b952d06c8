package promote

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
)

// A plugin has nobody who tells it secrets, which its author learns here.
func TestSecretsAreNotPromoted(t *testing.T) {
	source := "// Package pw has a secret.\n//\n//vedette:needs secret:pw\npackage pw\n\nfunc Inspect() (float64, error) { return 1, nil }\n"
	d := inspectors.Definition{Name: "pw", Script: &inspectors.Script{File: "pw.go", Line: 1, Source: source}}
	_, err := newProject([]inspectors.Definition{d})
	if text := fmt.Sprint(err); !strings.HasPrefix(text, "pw.go:3:1: the script needs secrets of its host, which a plugin does not get") {
		t.Errorf("got %v", text)
	}
}
