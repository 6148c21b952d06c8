// Command words writes what an editor proposes and explains to authors: each
// package that inspectors may import, with the names that they may use of it,
// their types, and the first sentence of their documentation.
//
// Names and types come from the tables of the checker, so that nothing is proposed
// that it would refuse. The documentation is that of the sources on this machine.
//
//	go run ./words ../../../web/src/editor/words.json    # in inspectors/script/check; or: go generate
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the file to write, not %d arguments", len(args))
	}
	packages, err := collect()
	if err != nil {
		return err
	}
	if err := document(packages); err != nil {
		return err
	}
	data, err := encode(packages)
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], data, 0o644)
}

// encode has a line for each package, so that a change can be read.
func encode(packages []*Package) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("[\n")
	for i, p := range packages {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(p); err != nil {
			return nil, err
		}
		if i < len(packages)-1 {
			b.Truncate(b.Len() - 1)
			b.WriteString(",\n")
		}
	}
	b.WriteString("]\n")
	return b.Bytes(), nil
}
