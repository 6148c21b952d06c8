package cli

import (
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/config"
)

// The output formats of commands; "" is for people.
const (
	FormatWide = "wide" // a table with every column, and exact times
	FormatJSON = "json"
	FormatYAML = "yaml"
	FormatName = "name" // only names, one a line
	FormatCSV  = "csv"
)

// Output has the flags that choose the format of a command's output.
type Output struct {
	formats []string
	format  string
	json    bool
}

// Flags adds -o, and --json as another name of -o json, with its usage.
func (o *Output) Flags(cmd *cobra.Command, usage string, formats ...string) {
	o.formats = formats
	cmd.Flags().StringVarP(&o.format, "output", "o", "", "print as `FORMAT`: "+orList(formats))
	cmd.Flags().BoolVar(&o.json, "json", false, usage)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// Check checks the flags.
func (o *Output) Check() error {
	switch {
	case o.json && o.format != "" && o.format != FormatJSON:
		return Usagef("give --json or -o %s, not both", o.format)
	case o.format != "" && !slices.Contains(o.formats, o.format):
		return Usagef("-o is %q; write %s", o.format, orList(o.formats))
	}
	return nil
}

// Format is the chosen format.
func (o *Output) Format() string {
	if o.json {
		return FormatJSON
	}
	return o.format
}

// ForPeople reports whether the output is for people.
func (o *Output) ForPeople() bool { return o.Format() == "" || o.Format() == FormatWide }

// Print prints one thing if the format is one for programs, and reports whether it did.
func (o *Output) Print(w io.Writer, thing any) (bool, error) {
	switch o.Format() {
	case FormatJSON:
		return true, json.NewEncoder(w).Encode(thing)
	case FormatYAML:
		return true, config.WriteYAML(w, thing)
	}
	return false, nil
}

// orList writes words with "or" before the last.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
