// Command testreport reads the output of "go test -json" and prints that of "go
// test": one closing line for each package, and all output of failed tests. At the
// end it prints how long the packages took, and which tests were skipped and why,
// which it also writes to a file.
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
		return false, fmt.Errorf("cannot store what was skipped: %w", err)
	}
	for _, line := range r.skippedLines() {
		fmt.Fprintln(f, line)
	}
	return !r.failed, f.Close()
}

// read reads all events. A line that is not an event is passed on as it is.
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
