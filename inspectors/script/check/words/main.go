// Command words writes the table from which editors propose and explain words to authors:
// each package that inspectors may import, with the names that they may use, their types,
// and the first sentence of their documentation.
//
// Names and types come from the checker's tables, so nothing is proposed that the checker
// would refuse. The documentation comes from the sources on this machine.
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

// encode writes a line for each package, so that a diff is readable.
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
