package agent

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/exposition"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

var updateCounts = flag.Bool("update", false, "write the table of docs/budgets.md again")

// notCounts are the numbers of a status that count nothing.
func notCounts() map[string]bool {
	return map[string]bool{"interval_ms": true, "since_ms": true, "boosted_ms": true}
}

// Every number of a status is a row of counts with a value that is this number, each
// row is in the samples of a run and at /metrics where it says so, and the wire's
// specification and the table of docs/budgets.md have it.
func TestEveryCountIsARow(t *testing.T) {
	var s wire.InspectorStatus
	rows := make(map[string]count)
	for _, c := range counts() {
		rows[c.field] = c
	}
	v := reflect.ValueOf(&s).Elem()
	for f, field := range v.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := field.Kind()
		if kind == reflect.String || kind == reflect.Bool || notCounts()[name] {
			continue
		}
		n := 1 + rand.IntN(1000)
		field.Set(reflect.ValueOf(n).Convert(field.Type()))
		row, ok := rows[name]
		if !ok {
			t.Errorf("%s has no row in counts", name)
			continue
		}
		if got := row.value(&s); got != float64(n) {
			t.Errorf("the row %s gives %v where the status has %d", name, got, n)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("the row %s is no number of a status", name)
	}
	var text exposition.Text
	writeInspectors(&text, []measures{{InspectorStatus: s}})
	samples := (&record{InspectorStatus: s}).samples(plugins.Outcome{Start: time.Now()})
	protocol := readText(t, "../rpc/PROTOCOL.md")
	for _, c := range counts() {
		if c.measure != "" && !strings.Contains(string(text.Bytes()), fmt.Sprintf("vedette_agent_inspector_%s{inspector=\"\"} %v\n", c.measure, c.value(&s))) {
			t.Errorf("%s is not at /metrics:\n%s", c.measure, text.Bytes())
		}
		found := c.series == ""
		for _, sample := range samples {
			found = found || sample.Key == c.series && sample.Value == c.value(&s)
		}
		if !found {
			t.Errorf("a run does not yield %s of %v", c.series, c.value(&s))
		}
		if !strings.Contains(protocol, "`"+c.field+"`") {
			t.Errorf("rpc/PROTOCOL.md does not name %s", c.field)
		}
	}
}

// The table of docs/budgets.md is that of the rows.
func TestCountsAreDocumented(t *testing.T) {
	const file, begin, end = "../docs/budgets.md", "<!-- counts: begin -->\n", "<!-- counts: end -->"
	text := readText(t, file)
	before, rest, ok := strings.Cut(text, begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no table of counts", file)
	}
	want := "| on the wire | series | at the agent's `/metrics` | counts |\n|---|---|---|---|\n"
	code := func(prefix, name string) string {
		if name == "" {
			return ""
		}
		return "`" + prefix + name + "`"
	}
	for _, c := range counts() {
		want += fmt.Sprintf("| `%s` | %s | %s | %s |\n", c.field, code("", c.series), code("vedette_agent_inspector_", c.measure), c.says)
	}
	if *updateCounts {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the table of %s is\n%s\nand the rows are\n%s\nmake it again with: go test ./agent -run TestCountsAreDocumented -update", file, got, want)
	}
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
