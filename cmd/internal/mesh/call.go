package mesh

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
)

// NewCall makes the command `vedette call`.
func NewCall() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:   "call METHOD [PARAMS]",
		Short: "Call a method of the master and print its result",
		Long: `Call a method of the master. PARAMS is a JSON object or array; "-" reads it from
standard input. The result is printed as indented JSON, with --json on one line.`,
		Example: `  vedette call master.info
  vedette call hosts.get '{"host": "web-1"}'
  vedette call master.reportMetric '["web-1", {"ts": 1767225600000, "key": "load/average-1", "val": 0.25}]'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("vedette call needs the name of a METHOD, such as master.info")
			}
			if len(args) > 2 {
				return fmt.Errorf("vedette call takes a METHOD and PARAMS, but got %q too; quote the PARAMS", args[2])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			params, err := readParams(cmd.InOrStdin(), args[1:])
			if err != nil {
				return err
			}
			var result json.RawMessage
			if err := c.CallNamed(cmd, args[0], params, &result); err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), result, c.JSON)
		},
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print the result on one line")
	return cmd
}

// readParams returns the params as they were written, or nil if there are none.
func readParams(stdin io.Reader, args []string) (any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	text := []byte(args[0])
	if args[0] == "-" {
		var err error
		if text, err = io.ReadAll(stdin); err != nil {
			return nil, fmt.Errorf("cannot read the params: %w", err)
		}
	}
	text = bytes.TrimSpace(text)
	var raw json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, cli.Usagef("the params are not JSON: %v", err)
	}
	if !strings.ContainsRune("{[", rune(text[0])) {
		return nil, cli.Usagef("the params are not an object or array, as '{\"host\": \"web-1\"}' or '[\"web-1\"]'")
	}
	return raw, nil
}

func printJSON(w io.Writer, raw json.RawMessage, oneLine bool) error {
	var out bytes.Buffer
	if len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	indent := json.Indent(&out, raw, "", "  ")
	if oneLine {
		out.Reset()
		indent = json.Compact(&out, raw)
	}
	if indent != nil {
		return fmt.Errorf("the result is not JSON: %w", indent)
	}
	_, err := fmt.Fprintln(w, cli.Printable(out.String()))
	return err
}
