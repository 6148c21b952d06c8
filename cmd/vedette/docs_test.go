package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/commands"
)

var updateDocs = flag.Bool("update-docs", false, "write docs/commands.md again")

// docs/commands.md is the help of the commands.
func TestCommandsAreDocumented(t *testing.T) {
	t.Parallel()
	got := "# Commands\n\n<!-- Made by: go test ./cmd/vedette -run TestCommandsAreDocumented -update-docs -->\n\n" +
		"What `vedette help` says, of every command. `vedette man FOLDER` writes the same as pages for man, and\n" +
		"`vedette completion bash` (or zsh, fish, powershell) prints what a shell needs to complete commands.\n\n" +
		"```text\n" + cli.ExitHelp + "\n```\n" + cli.Manual(commands.New()) +
		cli.Manual(agentcmd.New("vedette-agent", "vedette-agent"))
	const file = "../../docs/commands.md"
	if *updateDocs {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the commands say; make it again as its second line tells", file)
	}
}

// Each command has a man page that this system's formatter accepts, if there is one.
func TestManPages(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "man1")
	root := commands.New()
	root.SetArgs([]string{"man", folder})
	var out strings.Builder
	root.SetOut(&out)
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	pages := []string{"-man", "-Tutf8", "-ww", "-z"}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		page := filepath.Join(folder, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1")
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), ".SH NAME\n") || !strings.Contains(string(text), ".SH OPTIONS\n") {
			t.Errorf("the page of %q has no name or no options:\n%s", cmd.CommandPath(), text)
		}
		pages = append(pages, page)
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				walk(sub)
			}
		}
	}
	walk(root)
	if groff, err := exec.LookPath("groff"); err == nil {
		if warnings, err := exec.Command(groff, pages...).CombinedOutput(); err != nil || len(warnings) > 0 {
			t.Errorf("groff: %v\n%s", err, warnings)
		}
	}
}

// documents lists the Markdown files for people, by their paths from the root of the
// repository.
func documents(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "node_modules" || name == "dist" || name == "testdata" || name == "bin" || strings.HasPrefix(name, ".") && len(name) > 2) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			list = append(list, path)
		}
		return nil
	})
	if err != nil || len(list) < 15 {
		t.Fatalf("found %d documents, %v", len(list), err)
	}
	return list
}

// spoken is a command line of a document.
type spoken struct {
	file string
	line int
	text string
	// whole is set for a line of an example, which must be complete. In the middle of a
	// sentence, a command may lack its arguments.
	whole bool
}

var (
	inProse = regexp.MustCompile("`((?:vedette|vedette-agent) [^`]+)`")
	program = regexp.MustCompile(`(?:^|[;|&(] *|\s)(?:go run \./cmd/|bin/)?(vedette(?:-agent)?) `)
)

// commandsOf finds the command lines of a document: in examples, and in the text.
func commandsOf(t *testing.T, file string) (list []spoken) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fence := ""
	for i, line := range strings.Split(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") {
			if fence != "" {
				fence = ""
			} else {
				fence = trimmed
			}
			continue
		}
		example := fence == "```sh" || fence == "```console" || fence == "```" || fence == "" && strings.HasPrefix(line, "    ")
		switch at := program.FindStringIndex(trimmed); {
		case example && at != nil && at[0] == 0 && !strings.Contains(line, "─"): // and not a drawing
			list = append(list, spoken{file, i + 1, trimmed, true})
		case fence == "" && !example:
			for _, m := range inProse.FindAllStringSubmatch(line, -1) {
				list = append(list, spoken{file, i + 1, m[1], false})
			}
		}
	}
	return list
}

// The program understands every command line in a document: the command and its flags
// exist, and the number of arguments is right.
func TestDocumentedCommandsAreUnderstood(t *testing.T) {
	t.Parallel()
	found := 0
	for _, file := range documents(t) {
		for _, s := range commandsOf(t, file) {
			found++
			words := shellWords(s.text)
			for len(words) > 0 && !strings.HasPrefix(filepath.Base(words[0]), "vedette") { // go run
				words = words[1:]
			}
			root := commands.New()
			if filepath.Base(words[0]) == "vedette-agent" {
				root = agentcmd.New("vedette-agent", "vedette-agent")
				cli.Helpful(root)
			}
			root.InitDefaultHelpCmd()
			root.InitDefaultCompletionCmd()
			if err := understood(root, words[1:], s.whole); err != nil {
				t.Errorf("%s:%d: %s: %v", s.file, s.line, s.text, err)
			}
		}
	}
	if found < 100 {
		t.Errorf("found %d command lines; the documents have more", found)
	}
}

func understood(root *cobra.Command, words []string, whole bool) error {
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	err = cmd.ParseFlags(rest)
	if !whole && err != nil && strings.Contains(err.Error(), "needs an argument") {
		err = nil // a flag in a sentence
	}
	if err != nil || !whole {
		return err
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	return cmd.ValidateRequiredFlags()
}

// shellWords splits a command line as a shell does, up to a comment, a pipe, or a
// redirection.
func shellWords(line string) (words []string) {
	var word strings.Builder
	quote, begun, depth := rune(0), false, 0
	end := func() {
		if begun {
			words = append(words, word.String())
			word.Reset()
			begun = false
		}
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote && depth == 0:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			end()
		case quote == 0 && (r == '#' && !begun || slices.Contains([]rune("|;&>"), r)):
			end()
			return words
		default:
			if quote == '"' && r == '(' {
				depth++
			} else if quote == '"' && r == ')' {
				depth--
			}
			word.WriteRune(r)
			begun = true
		}
	}
	end()
	return words
}

var (
	link    = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
)

// Every link in a document leads to an existing file and heading.
func TestLinksOfDocuments(t *testing.T) {
	t.Parallel()
	followed := 0
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			followed++
			path := file
			if target != "" {
				path = filepath.Join(filepath.Dir(file), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			} else if anchor != "" && !slices.Contains(anchors(t, path), anchor) {
				t.Errorf("%s links to %s, and %s has no such heading", file, m[1], path)
			}
		}
	}
	if followed < 20 {
		t.Errorf("followed %d links; the documents have more", followed)
	}
}

// Every row of a table is one line, with as many cells as the head of the table.
func TestTablesOfDocuments(t *testing.T) {
	t.Parallel()
	bars := func(line string) int { return strings.Count(line, "|") - strings.Count(line, `\|`) }
	rows := 0
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head := 0
		for line := range strings.Lines(fenced.ReplaceAllString(string(text), "")) {
			line = strings.TrimSpace(line)
			switch {
			case !strings.HasPrefix(line, "|"):
				head = 0
			case head == 0:
				head = bars(line)
			default:
				rows++
				if !strings.HasSuffix(line, "|") || bars(line) != head {
					t.Errorf("%s: a row is not like the head of its table, which has %d bars: %s", file, head, line)
				}
			}
		}
	}
	if rows < 500 {
		t.Errorf("read %d rows; the documents have more", rows)
	}
}

// anchors lists the anchors of the headings of a document.
func anchors(t *testing.T, path string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 127:
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		list = append(list, name)
	}
	return list
}

// The files and tests that CONTRIBUTING.md names for things to add exist.
func TestPlacesOfContributing(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(text), "\n## Where do I add X?\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	tests := make(map[string]bool)
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err = filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	places, forced := 0, 0
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(chapter, -1) {
		switch word := m[1]; {
		case strings.HasPrefix(word, "Test"):
			forced++
			if !tests[word] {
				t.Errorf("CONTRIBUTING.md names the test %s, and there is none", word)
			}
		case strings.Contains(word, "/") && word[0] != '/' && !strings.ContainsAny(word, " :") || strings.HasSuffix(word, ".md"):
			places++
			if _, err := os.Stat(filepath.Join("../..", word)); err != nil {
				t.Errorf("CONTRIBUTING.md names a place that there is not: %v", err)
			}
		}
	}
	if places < 15 || forced < 15 {
		t.Errorf("the chapter names %d places and %d tests", places, forced)
	}
}
