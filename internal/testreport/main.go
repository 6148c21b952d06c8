// Command testreport reads what "go test -json" writes and prints what "go test"
// prints: one closing line for each package, and all that a failed test said. At
// the end it tells how long the packages took, and what was skipped and why, and
// writes the latter to a file too.
//
//	go test -json ./... | go run ./internal/testreport -skipped FILE
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	skipped := flag.String("skipped", "", "append what was skipped to this `file`")
	flag.Parse()
	ok, err := run(os.Stdin, os.Stdout, *skipped)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run reports whether all tests passed.
func run(in io.Reader, out io.Writer, skippedFile string) (ok bool, err error) {
	r := newReport(out)
	if err := r.read(in); err != nil {
		return false, fmt.Errorf("cannot read the events of the tests: %w", err)
	}
	r.close()
	if skippedFile == "" {
		return !r.failed, nil
	}
	f, err := os.OpenFile(skippedFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return false, fmt.Errorf("cannot keep what was skipped: %w", err)
	}
	for _, line := range r.skippedLines() {
		fmt.Fprintln(f, line)
	}
	return !r.failed, f.Close()
}

// read takes all events. A line that is none is handed on as it is.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) != nil || e.Action == "":
			fmt.Fprintf(r.out, "%s", line)
		default:
			r.take(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
