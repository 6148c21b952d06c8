package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// thing is the element of the lists in these tests.
type thing struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	AtMS int64  `json:"at_ms"`
}

// things makes a list, and a command with its flags.
func things(t *testing.T, out io.Writer, flags ...string) (*List[thing], *cobra.Command) {
	t.Helper()
	l := &List[thing]{
		Columns: func(now time.Time) []Column[thing] {
			return []Column[thing]{
				{Name: "name", Cell: func(t thing) string { return t.Name }},
				Num("size", func(t thing) int64 { return t.Size }),
				When("at", now, func(t thing) int64 { return t.AtMS }),
				{Name: "extra", Wide: true, Cell: func(t thing) string { return "x" + t.Name }},
			}
		},
		Name:  func(t thing) string { return t.Name },
		Empty: func() string { return "Nothing." },
	}
	cmd := &cobra.Command{Use: "things"}
	l.Flags(cmd, "print JSON")
	cmd.SetOut(out)
	cmd.SetErr(out)
	if err := cmd.ParseFlags(flags); err != nil {
		t.Fatal(err)
	}
	return l, cmd
}

func TestListFormats(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	all := []thing{{"b", 10, at.UnixMilli()}, {"a", 9, at.UnixMilli()}, {"c", 100, 0}}
	for flags, want := range map[string]string{
		"":                     "NAME  SIZE  AT\nb       10  5s ago\na        9  5s ago\nc      100  never\n",
		"--sort size":          "NAME  SIZE  AT\na        9  5s ago\nb       10  5s ago\nc      100  never\n",
		"--sort -size -o name": "c\nb\na\n",
		"--sort NAME -o wide": "NAME  SIZE  AT                   EXTRA\na        9  2026-01-02 03:04:05  xa\nb       10  2026-01-02 03:04:05  xb\n" +
			"c      100  never                xc\n",
		"--sort at -o csv": "name,size,at,extra\nc,100,never,xc\nb,10,2026-01-02 03:04:05,xb\na,9,2026-01-02 03:04:05,xa\n",
		"--sort name -o yaml": fmt.Sprintf("- name: a\n  size: 9\n  at_ms: %d\n- name: b\n  size: 10\n  at_ms: %[1]d\n- name: c\n  size: 100\n  at_ms: 0\n",
			at.UnixMilli()),
		"--json --sort -extra": fmt.Sprintf("{\"name\":\"c\",\"size\":100,\"at_ms\":0}\n{\"name\":\"b\",\"size\":10,\"at_ms\":%d}\n"+
			"{\"name\":\"a\",\"size\":9,\"at_ms\":%[1]d}\n", at.UnixMilli()),
		"-o json --sort -extra": fmt.Sprintf("{\"name\":\"c\",\"size\":100,\"at_ms\":0}\n{\"name\":\"b\",\"size\":10,\"at_ms\":%d}\n"+
			"{\"name\":\"a\",\"size\":9,\"at_ms\":%[1]d}\n", at.UnixMilli()),
	} {
		var out bytes.Buffer
		l, _ := things(t, &out, strings.Fields(flags)...)
		if err := l.Check(); err != nil {
			t.Fatalf("%s: %v", flags, err)
		}
		if err := l.Write(&out, slices.Clone(all), at.Add(5*time.Second)); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", flags, out.String(), want)
		}
	}
}

func TestListRefuses(t *testing.T) {
	for flags, want := range map[string]string{
		"--sort szie":      `there is no column "szie" to sort by; there are name, size, at, extra; did you mean "size"?`,
		"-o xml":           `-o is "xml"; write wide, json, yaml, csv or name`,
		"--json -o yaml":   `give --json or -o yaml, not both`,
		"--sort - -o name": `there is no column "" to sort by; there are name, size, at, extra`,
	} {
		l, _ := things(t, io.Discard, strings.Fields(flags)...)
		if err := l.Check(); err == nil || err.Error() != want || Status(err) != ExitUsage {
			t.Errorf("%s: got %v, want %s", flags, err, want)
		}
	}
}

// Random lists: each thing appears once, in the chosen order; no line is wider than the
// terminal, and nothing steers it.
func TestListOfAnything(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		var all []thing
		for i := range r.IntN(30) {
			all = append(all, thing{fmt.Sprint(i) + strings.Repeat([]string{"a", "é", "\x1b[2J"}[r.IntN(3)], r.IntN(60)), r.Int64N(1000) - 500, r.Int64()})
		}
		var out bytes.Buffer
		l, _ := things(t, &out, "--sort", "-size")
		width := 45 + r.IntN(100)
		columns := l.Columns(time.Now())
		l.order(columns, all)
		if err := l.writeTable(&out, columns, all, time.Now(), width); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(all) > 0 && len(lines) != len(all)+1 {
			t.Fatalf("seed %d: %d lines for %d things", seed, len(lines), len(all))
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > width || strings.Contains(line, "\x1b") {
				t.Errorf("seed %d: %q is wider than %d, or steers the terminal", seed, line, width)
			}
		}
		if !slices.IsSortedFunc(all, func(x, y thing) int { return int(y.Size - x.Size) }) {
			t.Errorf("seed %d: not sorted: %v", seed, all)
		}
		out.Reset()
		l, _ = things(t, &out, "-o", "csv")
		if err := l.Write(&out, all, time.Now()); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != len(all)+1 {
			t.Fatalf("seed %d: %d rows for %d things, %v", seed, len(rows), len(all), err)
		}
		for i, row := range rows[1:] {
			if row[0] != all[i].Name {
				t.Errorf("seed %d: row %d is of %q, not %q", seed, i, row[0], all[i].Name)
			}
		}
	}
}

// A narrow terminal loses columns that say nothing before any cell is cut.
func TestListNarrowed(t *testing.T) {
	for width, want := range map[int]string{
		30: "NAME           SIZE  AT\nhas-long-name     0  never\n",
		20: "NAME           AT\nhas-long-name  never\n",
		16: "NAME       AT\nhas-long…  never\n",
	} {
		var out bytes.Buffer
		l, _ := things(t, &out)
		all := []thing{{"has-long-name", 0, 0}}
		if err := l.writeTable(&out, l.Columns(time.Now()), all, time.Now(), width); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%d: got:\n%s\nwant:\n%s", width, out.String(), want)
		}
	}
}

// Into a pipe, --watch prints everything, and then only new and changed lines.
func TestListWatch(t *testing.T) {
	for format, want := range map[string][]string{
		"": {
			"NAME  SIZE  AT\na        1  never\nbb       2  never\n", "", "bb       3  now\n", "cannot reach it; trying again\n",
			"bb is not in the list any more\nc        4  never\n",
		},
		"name": {"a\nbb\n", "", "bb\n", "cannot reach it; trying again\n", "bb is not in the list any more\nc\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			l, cmd := things(t, &out, "--watch", "-o", format)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			calls := 0
			states := [][]thing{{{"a", 1, 0}, {"bb", 2, 0}}, {{"a", 1, 0}, {"bb", 2, 0}}, nil, nil, {{"a", 1, 0}, {"c", 4, 0}}}
			var got []string
			err := l.Run(ctx, cmd, func() ([]thing, error) {
				if calls > 0 {
					got = append(got, out.String())
					out.Reset()
				}
				calls++
				switch calls {
				case 3: // times that grow older are no change
					return []thing{{"a", 1, time.Now().UnixMilli()}, {"bb", 3, time.Now().UnixMilli()}}, nil
				case 4:
					return nil, Exit(ExitUnreachable, errors.New("cannot reach it"))
				case 6:
					cancel()
					return nil, ctx.Err()
				}
				return states[calls-1], nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q: got %q, want %q", format, got, want)
			}
		})
	}
}

// On a terminal the list is redrawn in place.
func TestListDraws(t *testing.T) {
	var out bytes.Buffer
	l, _ := things(t, &out)
	s := &Screen{out: &out, size: func() (int, int) { return 20, 5 }}
	for _, all := range [][]thing{{{"a", 1, 0}}, {{"a", 2, 0}}} {
		if err := l.draw(s, all, "", false); err != nil {
			t.Fatal(err)
		}
	}
	want := "NAME  SIZE  AT\na        1  never\n\x1b[2A\r\x1b[JNAME  SIZE  AT\na        2  never\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestOutputPrint(t *testing.T) {
	var out bytes.Buffer
	for format, want := range map[string]string{"json": "{\"name\":\"a\",\"size\":1,\"at_ms\":0}\n", "yaml": "name: a\nsize: 1\nat_ms: 0\n", "": ""} {
		o := Output{formats: []string{FormatJSON, FormatYAML}, format: format}
		out.Reset()
		printed, err := o.Print(&out, thing{"a", 1, 0})
		if err != nil || out.String() != want || printed != (want != "") {
			t.Errorf("%q: got %q, %v", format, out.String(), err)
		}
		if want != "" && format == "json" && !json.Valid(out.Bytes()) {
			t.Error("no JSON")
		}
	}
}

// However long cells are and however narrow the terminal is: a column that is whole is
// never cut, and a name never loses a character: it is continued on the next line, but
// only when every other column is as narrow as possible and the spare one is gone. Rows
// fit if the others can be cut enough; and a spare column is there wherever it fits.
func TestWholeLastAndSpareColumns(t *testing.T) {
	for range 1000 {
		cell := func() string { return strings.Repeat("x", 1+rand.IntN(30)) }
		rows := make([][5]string, 1+rand.IntN(5))
		for i := range rows {
			rows[i] = [5]string{"a" + cell(), "s" + cell(), "w" + cell(), "n" + cell() + "-" + cell(), "d" + cell()}
		}
		columns := []Column[[5]string]{
			{Name: "a", Cell: func(r [5]string) string { return r[0] }},
			{Name: "b", Spare: true, Cell: func(r [5]string) string { return r[1] }},
			{Name: "c", Whole: true, Cell: func(r [5]string) string { return r[2] }},
			{Name: "n", Last: true, Cell: func(r [5]string) string { return r[3] }},
			{Name: "d", Cell: func(r [5]string) string { return r[4] }},
		}
		l := List[[5]string]{Columns: func(time.Time) []Column[[5]string] { return columns }}
		most := 20 + rand.IntN(110)
		full, without := l.fitted(nil, columns, rows), l.fitted(nil, slices.Delete(slices.Clone(columns), 1, 2), rows)
		narrowest := without.least() - without.widths[2] + min(without.widths[2], leastWidth) // with short names
		var out strings.Builder
		if err := l.writeTable(&out, columns, rows, time.Now(), most); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		spare := strings.Contains(text, "  s")
		if spare != (full.least() <= most) {
			t.Fatalf("%d columns, %d needed, spare is shown: %v\n%s", most, full.least(), spare, text)
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > most && narrowest <= most {
				t.Fatalf("a line has %d of %d columns:\n%s", n, most, text)
			}
		}
		lines = lines[1:]
		for _, r := range rows {
			shown := strings.Fields(lines[0])
			name := shown[len(shown)-2]
			if shown[len(shown)-3] != r[2] {
				t.Fatalf("%d columns: %q is cut in\n%s", most, r[2], text)
			}
			for _, other := range []string{shown[0], shown[len(shown)-1]} {
				if name != r[3] && (spare || utf8.RuneCountInString(other) > leastWidth) {
					t.Fatalf("%d columns: the name %q is continued beside %q in\n%s", most, r[3], other, text)
				}
			}
			for lines = lines[1:]; len(lines) > 0 && strings.HasPrefix(lines[0], " "); lines = lines[1:] {
				name += strings.TrimSpace(lines[0])
			}
			if name != r[3] {
				t.Fatalf("%d columns: the name %q is shown as %q in\n%s", most, r[3], name, text)
			}
		}
		if len(lines) > 0 {
			t.Fatalf("%d columns: lines too many in\n%s", most, text)
		}
	}
}

// A text that does not fit into its column goes below its row, whole, and takes nothing
// away from the other columns; one that fits stays.
func TestColumnsBelow(t *testing.T) {
	type row struct{ who, outcome, detail string }
	all := []row{
		{"ann@example.org", "ok", "-"},
		{"ann@example.org", "the credential ann may not push to web-1: it is a viewer, and pushes are for operators", "to role=web"},
		{"bob@example.org", "ok", "from 12345678 to 87654321, of 12 hosts in three stages of the rollout"},
	}
	const want = `WHO              OUTCOME  DETAIL
ann@example.org  ok       -
ann@example.org  …        …
    outcome: the credential ann may not push
    to web-1: it is a viewer, and pushes are
    for operators
    detail: to role=web
bob@example.org  ok       …
    detail: from 12345678 to 87654321, of 12
    hosts in three stages of the rollout
`
	columns := []Column[row]{
		{Name: "who", Cell: func(r row) string { return r.who }},
		{Name: "outcome", Below: true, Cell: func(r row) string { return r.outcome }},
		{Name: "detail", Below: true, Cell: func(r row) string { return r.detail }},
	}
	l := List[row]{Columns: func(time.Time) []Column[row] { return columns }}
	write := func(most int) string {
		var out strings.Builder
		if err := l.writeTable(&out, columns, all, time.Now(), most); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got := write(44); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	for most := 34; most < 200; most++ {
		text := write(most)
		for _, r := range all {
			for _, cell := range []string{r.who, r.outcome, r.detail} {
				if !strings.Contains(strings.Join(strings.Fields(text), " "), cell) {
					t.Errorf("%d columns: %q is not whole in\n%s", most, cell, text)
				}
			}
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > most {
				t.Errorf("%d columns: a line has %d in\n%s", most, n, text)
			}
		}
	}
	if one := write(0); strings.Contains(one, "…") || strings.Count(one, "\n") != len(all)+1 {
		t.Errorf("into a pipe:\n%s", one)
	}
}
