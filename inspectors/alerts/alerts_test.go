package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vedettehq/vedette/inspectors"
)

func probe(t testing.TB, name string, lines ...string) Probe {
	t.Helper()
	said, err := inspectors.ParseDirectives(name+".go", "//vedette:"+strings.Join(lines, "\n//vedette:")+"\npackage x\n")
	if err != nil {
		t.Fatal(err)
	}
	return Probe{Name: name, Said: said}
}

func TestRules(t *testing.T) {
	for expr, want := range map[string]string{
		"used_percent > 90":                             "disk_used_percent > 90",
		"value > 1":                                     "disk > 1",
		`used_percent{mount="/"} > 90`:                  `disk_used_percent{mount="/"} > 90`,
		"rate(read_total[5m]) > 1":                      "rate(disk_read_total[5m]) > 1",
		"100 * free / size < 3":                         "100 * disk_free / ignoring (key) disk_size < 3",
		"used_percent > 9 and on (host) busy":           "disk_used_percent > 9 and on (host) disk_busy",
		"used_percent > 9 unless ignoring (mount) busy": "disk_used_percent > 9 unless ignoring (mount, key) disk_busy",
		`used_percent > 9 and on (host) {__name__="load_average_1"} > 4`: `disk_used_percent > 9 and on (host) {__name__="load_average_1"} > 4`,
		"used_percent > 90 clear < 85 for 1m": `disk_used_percent > 90 or (disk_used_percent >= 85 and ignoring (alertname, alertstate, severity, inspector) ` +
			`ALERTS{alertname="disk/a", alertstate="firing", severity="warning"})`,
		"free / size < (-3) clear >2.5 keep 1m": `disk_free / ignoring (key) disk_size < (-3) or (disk_free / ignoring (key) disk_size <= 2.5 and ` +
			`ignoring (alertname, alertstate, severity, inspector) ALERTS{alertname="disk/a", alertstate="firing", severity="warning"})`,
		"max_over_time(sum(used_percent)[5m:1m]) > 1": "max_over_time(sum(disk_used_percent)[5m:1m]) > 1",
	} {
		list, faults := Rules(probe(t, "disk", "alert a warning "+expr))
		if faults.Err() != nil || len(list) != 1 || list[0].Expr != want {
			t.Errorf("%s gives %+v, %v; want %s", expr, list, faults, want)
		}
	}
	list, faults := Rules(probe(t, "nagios/disk", `alert full critical value > 90 for 1m keep 2m "{{ $value }} of {{ $labels.host }}"`,
		"alert half info share > 0.5", "help share what {{ is taken", "unit share parts", "runbook https://wiki/x"))
	if faults.Err() != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, faults)
	}
	full, half := list[0], list[1]
	if full.Alert != "nagios/disk/full" || full.Expr != "nagios_disk > 90" || full.For != model.Duration(time.Minute) ||
		full.KeepFiringFor != model.Duration(2*time.Minute) ||
		full.Labels["severity"] != "critical" || full.Labels["inspector"] != "nagios/disk" || full.Annotations["summary"] != "{{ $value }} of {{ $labels.host }}" {
		t.Errorf("full is %+v", full)
	}
	if half.KeepFiringFor != model.Duration(inspectors.DefaultAlertKeep) || half.Annotations["description"] != `what {{ "{{" }} is taken` ||
		half.Annotations["unit"] != "parts" ||
		half.Annotations["runbook_url"] != "https://wiki/x" || half.Annotations["summary"] != "nagios/disk/half on {{ $labels.host }}: {{ $value }} parts" {
		t.Errorf("half is %+v", half)
	}
}

// Faults are at their places in the author's file.
func TestCheck(t *testing.T) {
	for line, want := range map[string]string{
		"alert a info x >":           "disk.go:1:27: alert a: unexpected end of input",
		"alert a info sum(x) by > 1": "disk.go:1:34: alert a: unexpected <op:>> in grouping opts, expected \"(\"",
		"alert a info 1 > bool 2": "disk.go:1:24: alert a: the expression gives a scalar, and an alert is for the series of a vector; compare a " +
			"value, such as used_percent > 90",
		"alert a info x[5m]": "disk.go:1:24: alert a: the expression gives a range vector, and an alert is for the series of a vector; compare " +
			"a value, such as used_percent > 90",
		`alert a info {__name__="y"} > 1`: "disk.go:1:24: alert a: the expression names none of the inspector's own values; compare one of them, such as " +
			"used_percent > 90",
		"alert a info x > 90 clear < 95 for 1m": "disk.go:1:31: alert a: clear < 95 holds already when the alert fires at > 90; choose a number on the other side",
		"alert a info x > 90 clear > 85":        "disk.go:1:31: alert a: clear > 85 is on the same side as > 90; write it as clear < 85",
		"alert a info x < 10 clear >= 5":        "disk.go:1:31: alert a: clear >= 5 holds already when the alert fires at < 10",
		"alert a info x == 1 clear < 1":         "disk.go:1:31: alert a: clear is for an expression that compares values with a number; write it as used_percent > 90 clear < 85",
		"alert a info x > y   clear < 1":        "disk.go:1:32: alert a: clear is for an expression",
		`alert a info x > 1 "{{ $labels.host"`:  "disk.go:1:24: alert a: annotation \"summary\": template: __alert_disk/a:1: unclosed action",
	} {
		faults := Check(inspectors.Definition{Name: "disk", Script: &inspectors.Script{File: "disk.go", Line: 1, Source: "//vedette:" + line + "\npackage x\n"}})
		if err := faults.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives\n%v\nwant\n%s", line, err, want)
		}
	}
}

// Two revisions with the same alert have one rule, each for its own hosts.
func TestRulesOfTwoRevisions(t *testing.T) {
	before, after := probe(t, "disk", "alert full critical used > 90", "alert old info used > 1"),
		probe(t, "disk", "alert full critical used > 95 for 1m", "alert new info used > 2")
	hosts := []string{"web-1", "web-2.example"}
	before.Hosts, before.Except = hosts, true
	after.Hosts = hosts
	list, faults := Rules(before, after)
	if faults.Err() != nil {
		t.Fatal(faults)
	}
	var got []string
	for _, r := range list {
		got = append(got, r.Alert+": "+r.Expr)
	}
	const in, out = `{host=~"web-1|web-2\\.example"}`, `{host!~"web-1|web-2\\.example"}`
	want := "disk/full: (disk_used" + out + " > 90) or (disk_used" + in + " > 95)\n" +
		"disk/old: disk_used" + out + " > 1\ndisk/new: disk_used" + in + " > 2"
	if strings.Join(got, "\n") != want || list[0].For != model.Duration(time.Minute) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// Random directives: Prometheus accepts every rule that is made of them.
func FuzzRules(f *testing.F) {
	for _, text := range []string{
		`filling warning used_percent > 90 for 10m keep 5m "{{ $labels.mount }}"`, "a info 100 * free / size < 3", `b critical {"x.y"} > 1`,
		`c info x{__name__="y"} > 1`, "d info (a + on(b) group_left c)", "e info x offset 5m @ end() > 1", `f info value{host="x"} or y`,
		`g info {__name__=~"a.*", x!="y"} and z`,
		"h info (a or b) > 2 clear <= 1 for 1m", "i info sum(-a) < -2 clear > 1e9",
	} {
		f.Add(text)
	}
	syntax := parser.NewParser(parser.Options{})
	f.Fuzz(func(t *testing.T, text string) {
		said, err := inspectors.ParseDirectives("x.go", "//vedette:alert "+text+"\npackage x\n")
		if err != nil {
			return
		}
		list, _ := Rules(Probe{Name: "my/probe", Said: said}, Probe{Name: "my/probe", Said: said, Hosts: []string{"a.b"}})
		for _, r := range list {
			if _, err := syntax.ParseExpr(r.Expr); err != nil {
				t.Errorf("%q gives the rule %s: %v", text, r.Expr, err)
			}
		}
	})
}
