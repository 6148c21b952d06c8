package adapt

import (
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		`/bin/a -w 10% -c  5%`:             {"/bin/a", "-w", "10%", "-c", "5%"},
		`/bin/a 'a b' "c 'd'" e\ f '' ""`:  {"/bin/a", "a b", "c 'd'", "e f", "", ""},
		`/bin/a -w ~:10 -c @10:20 x~y#z`:   {"/bin/a", "-w", "~:10", "-c", "@10:20", "x~y#z"},
		`/bin/a "\$HOME \"q\" \n" '$(id)'`: {"/bin/a", `$HOME "q" \n`, "$(id)"},
		"\n /bin/a\n  -v\n":                {"/bin/a", "-v"},
	} {
		got, err := Words(line)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", line, got, err, want)
		}
	}
	for line, want := range map[string]string{
		"":                 "the command line is empty",
		"/bin/a | wc":      "'|' at character 8 is for a shell, and there is none; put the word into single quotes, or name a script of the shell",
		"/bin/a $ARG1$":    "'$' at character 8 is for a shell",
		`/bin/a "$HOME"`:   "'$' at character 9 is for a shell",
		"/bin/a *":         "'*' at character 8 is for a shell",
		"/bin/a ~/x":       "'~' at character 8 is for a shell",
		"/bin/a 'x":        `the quote '\'' at character 8 is not closed`,
		`/bin/a \`:         `nothing follows the last \`,
		"/bin/a 'x\x00y'":  "the command line holds a zero byte",
		"/bin/a #comment":  "'#' at character 8 is for a shell",
		"/bin/a; rm -rf x": "';' at character 7 is for a shell",
	} {
		if got, err := Words(line); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %q, %v, want the error %q", line, got, err, want)
		}
	}
}

// Random command lines are split as a shell splits them, or refused.
func TestWordsAreThoseOfAShell(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	pieces := []string{"a", "-w", "10%", " ", " ", "'", "\"", "\\", "~:5", "@1:2", "=", "x y", "''", `"$"`, "é", ",", "{}", "!", "#", "\t", "$", "|", ";"}
	var script strings.Builder
	var lines []string
	var want [][]string
	for len(lines) < 400 {
		var b strings.Builder
		for range 1 + rng.IntN(10) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		words, err := Words(b.String())
		if err != nil {
			continue
		}
		lines, want = append(lines, b.String()), append(want, words)
		script.WriteString("printf '%s\\001' " + b.String() + "; printf '\\002'\n")
	}
	shell := exec.Command("/bin/sh", "-s")
	shell.Stdin = strings.NewReader(script.String())
	output, err := shell.Output()
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	answers := strings.Split(strings.TrimSuffix(string(output), "\x02"), "\x02")
	if len(answers) != len(lines) {
		t.Fatalf("seed %d: the shell ran %d of %d lines", seed, len(answers), len(lines))
	}
	for i, answer := range answers {
		if got := strings.Join(want[i], "\x01") + "\x01"; got != answer {
			t.Errorf("seed %d: %q: got %q, a shell says %q", seed, lines[i], got, answer)
		}
	}
}

// Every accepted command line becomes a script that passes the check.
func TestCheckIsAScript(t *testing.T) {
	for _, line := range []string{
		"/usr/lib/nagios/plugins/check_disk -w 10% -c 5% -p /",
		"/bin/a 'a\"b`\\' \"\u202e\" '\n' %d %s %%",
	} {
		source, err := Check(line)
		if err != nil {
			t.Fatal(err)
		}
		d := inspectors.Definition{Name: "nagios/disk", Script: &inspectors.Script{File: "c.yaml", Source: source}}
		if err := d.Complete(); err != nil {
			t.Fatal(err)
		}
		if faults := check.Definition(d); len(faults) > 0 {
			t.Errorf("%s: %v\n%s", line, faults, source)
		}
	}
	for line, want := range map[string]string{
		"check_disk -w 10%":                    "is not absolute, and programs are not looked for; write it as /usr/lib/nagios/plugins/check_disk",
		"/usr/lib/../bin/a":                    "is not a plain path; write it as /usr/bin/a",
		"'/opt/my checks/a'":                   "has ' ' in its path, and no script can name it",
		"/bin/a " + strings.Repeat("x", 1<<15): "the command line is 32776 bytes long",
	} {
		if _, err := Check(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", line, err, want)
		}
	}
}
