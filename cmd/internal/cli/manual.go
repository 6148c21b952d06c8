package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// Manual writes the reference of a command and its subcommands in Markdown.
func Manual(root *cobra.Command) string {
	var b strings.Builder
	for _, cmd := range documented(root) {
		fmt.Fprintf(&b, "\n## %s\n\n", cmd.CommandPath())
		block(&b, about(cmd))
		if cmd.Runnable() || cmd.HasAvailableSubCommands() {
			block(&b, cmd.UseLine())
		}
		if cmd.HasAvailableSubCommands() {
			for _, sub := range cmd.Commands() {
				if sub.IsAvailableCommand() {
					fmt.Fprintf(&b, "- [%s](#%s): %s\n", sub.CommandPath(), strings.ReplaceAll(sub.CommandPath(), " ", "-"), sub.Short)
				}
			}
			b.WriteString("\n")
		}
		if flags := cmd.LocalFlags().FlagUsages(); flags != "" {
			block(&b, flags)
		}
		if cmd.Example != "" {
			b.WriteString("For example:\n\n")
			block(&b, unindent(cmd.Example))
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// documented lists a command and its subcommands, without hidden ones.
func documented(cmd *cobra.Command) []*cobra.Command {
	cmd.InitDefaultHelpFlag()
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			list = append(list, documented(sub)...)
		}
	}
	return list
}

func about(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

func block(b *strings.Builder, text string) {
	fmt.Fprintf(b, "```text\n%s\n```\n\n", strings.TrimRight(text, "\n"))
}

// unindent removes the two spaces by which the help indents examples.
func unindent(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(text, "  "), "\n  ", "\n")
}

// ManCommand makes the command that writes man pages.
func ManCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man FOLDER",
		Short: "Write a man page for each command into a folder",
		Long: `Write a page for man(1) for each command, such as vedette-push.1, into a folder,
which is made where it does not exist.`,
		Example: "  vedette man ~/.local/share/man/man1",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("%s takes one FOLDER, but got %d", cmd.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("cannot make the folder: %w", err)
			}
			pages := documented(cmd.Root())
			for _, page := range pages {
				name := strings.ReplaceAll(page.CommandPath(), " ", "-") + ".1"
				if err := os.WriteFile(filepath.Join(args[0], name), []byte(manPage(page)), 0o644); err != nil {
					return fmt.Errorf("cannot write the page: %w", err)
				}
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d pages are in %s\n", len(pages), args[0])
			return err
		},
	}
}

// manPage writes the man page of a command.
func manPage(cmd *cobra.Command) string {
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	var b strings.Builder
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, ".SH %s\n.nf\n%s\n.fi\n", title, roff(strings.TrimRight(text, "\n")))
		}
	}
	fmt.Fprintf(&b, ".TH %s 1\n.SH NAME\n%s \\- %s\n", roff(strings.ToUpper(name)), roff(name), roff(cmd.Short))
	section("SYNOPSIS", cmd.UseLine())
	section("DESCRIPTION", about(cmd))
	section("OPTIONS", cmd.LocalFlags().FlagUsages())
	section("EXAMPLES", unindent(cmd.Example))
	if !cmd.HasParent() {
		section("EXIT STATUS", strings.TrimPrefix(ExitHelp, "Exit status:\n"))
	}
	var others []string
	if cmd.HasParent() {
		others = append(others, cmd.Parent().CommandPath())
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			others = append(others, sub.CommandPath())
		}
	}
	for i, other := range others {
		others[i] = strings.ReplaceAll(other, " ", "-") + "(1)"
	}
	section("SEE ALSO", strings.Join(others, "\n"))
	return b.String()
}

// roff escapes text for troff: backslashes and hyphens, characters beyond ASCII, and a
// dot or a quote that begins a line, which would be a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`).Replace(text)
	var ascii strings.Builder
	for _, r := range text {
		if r > unicode.MaxASCII {
			fmt.Fprintf(&ascii, `\[u%04X]`, r)
		} else {
			ascii.WriteRune(r)
		}
	}
	lines := strings.Split(ascii.String(), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
