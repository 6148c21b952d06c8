package ruletest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors/adapt"
	"github.com/vedettehq/vedette/master/alert/ruletest"
)

const diskProbe = `// Package disk reports how full disks are.
//
//vedette:name disk
//vedette:alert filling warning used_percent > 90 for 10m keep 5m "{{ $labels.mount }} of {{ $labels.host }} is {{ $value | printf "%.0f" }} % full"
//vedette:help used_percent share of the space in use
package disk

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
)

// Inspect reports.
func Inspect(context.Context, *inspectors.Report) error { return nil }
`

const diskTest = `tests:
  - name: a disk fills up
    interval: 1m
    input_series:
      - series: disk_used_percent{host="web-1", mount="/"}
        values: 80x4 91x10 95 20x30
      - series: disk_used_percent{host="web-2", mount="/"}
        values: 10x60
    alert_rule_test:
      - eval_time: 14m
        alertname: disk/filling
      - eval_time: 15m
        alertname: disk/filling
        exp_alerts:
          - exp_labels: {host: web-1, mount: /, severity: warning, inspector: disk}
            exp_annotations:
              summary: >-
                / of web-1 is
                91 % full
              description: share of the space in use
      - eval_time: 40m
        alertname: disk/filling
    promql_expr_test:
      - expr: count(disk_used_percent > 50)
        eval_time: 3m
        exp_samples: [{labels: '{}', value: 1}]
`

func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a file whose tests can be run.
func run(t *testing.T, path string) ruletest.Result {
	t.Helper()
	result, err := ruletest.Run(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestInspectorBesideItsTests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "disk.go", diskProbe)
	result := run(t, write(t, dir, "disk.test.yaml", diskTest))
	if result.Tests != 1 || len(result.Failures) != 0 {
		t.Errorf("%d tests ran, and failed are %v", result.Tests, result.Failures)
	}
	// The same by name, from elsewhere.
	named := write(t, t.TempDir(), "other.yaml", "rule_files: ["+filepath.Join(dir, "d*.go")+"]\n"+diskTest)
	if result := run(t, named); len(result.Failures) != 0 {
		t.Errorf("with the inspector named, failed are %v", result.Failures)
	}
}

func TestFailureShowsBothSides(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "disk.go", diskProbe)
	text := strings.NewReplacer("91 % full", "92 % full", "value: 1}", "value: 2}", "eval_time: 14m", "eval_time: 16m").Replace(diskTest)
	path := write(t, dir, "disk.test.yaml", text)
	result := run(t, path)
	var got []string
	for _, f := range result.Failures {
		got = append(got, strings.ReplaceAll(f.String(), path, "disk.test.yaml"))
	}
	firing := `{alertname="disk/filling", host="web-1", inspector="disk", mount="/", severity="warning"}`
	empty := strings.Repeat(" ", len(firing))
	want := []string{
		// Cases are looked at in the order of time.
		`disk.test.yaml:12:9: test "a disk fills up": the alert disk/filling at 15m
    expected` + empty[8:] + ` | got
    ` + firing + ` | ` + firing + `
      description: share of the space in use` + empty[40:] + ` |   description: share of the space in use
  !   summary: / of web-1 is 92 % full` + empty[34:] + ` |   summary: / of web-1 is 91 % full`,
		`disk.test.yaml:10:9: test "a disk fills up": the alert disk/filling at 16m
    expected | got
  ! nothing  | ` + firing + `
  !          |   description: share of the space in use
  !          |   summary: / of web-1 is 95 % full`,
		`disk.test.yaml:24:9: test "a disk fills up": count(disk_used_percent > 50) at 3m
    expected | got
  ! {} 2     | {} 1`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFaultsAtTheirPlaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown field": {"tests:\n- nam: x\n", `:2:3: unknown field "nam" in tests[0]`},
		"twice":         {"tests:\n- name: x\n  name: y\n", `:3:3: "name" is given twice`},
		"no tests":      {"evaluation_interval: 1m\n", "the file has no tests"},
		"duration":      {"tests:\n- interval: 1x\n", `:2:13: unknown unit "x" in duration "1x"`},
		"interval":      {"evaluation_interval: soon\ntests: [{name: x}]\n", `:1:22: not a valid duration string: "soon"`},
		"series":        {"tests:\n- input_series:\n  - series: up{\n    values: 1x3\n", `:3:5: the series "up{"`},
		"values":        {"tests:\n- input_series:\n  - series: up\n    values: 1y3\n", `:3:5: the series "up" with the values "1y3"`},
		"series twice":  {"tests:\n- input_series:\n  - {series: 'a{x=\"1\"}', values: 1}\n  - {series: 'a{ x=\"1\" }', values: 1}\n", ":4:14: the series "},
		"no alert":      {"tests:\n- alert_rule_test:\n  - eval_time: 1m\n", ":3:5: the test names no alert"},
		"expression":    {"tests:\n- promql_expr_test:\n  - expr: sum(\n", ":3:11: the expression cannot be read"},
		"labels":        {"tests:\n- promql_expr_test:\n  - expr: up\n    exp_samples:\n    - labels: up{x}\n", ":5:15: the labels"},
		"number":        {"tests:\n- promql_expr_test:\n  - expr: up\n    exp_samples:\n    - {labels: up, value: many}\n", `:5:27: "many" is not a number`},
		"histogram":     {"tests:\n- promql_expr_test:\n  - expr: up\n    exp_samples:\n    - {labels: up, histogram: '5'}\n", `:5:31: "5" is not one histogram`},
		"start":         {"tests:\n- start_timestamp: today\n", `:2:20: "today" is no time`},
		"group twice":   {"group_eval_order: [a, a]\ntests: [{name: x}]\n", `:1:23: the group "a" is named twice`},
		"missing rules": {"rule_files: [none-*.yaml]\ntests: [{name: x}]\n", `cannot find a file "none-*.yaml"`},
		"two documents": {"tests: [{name: x}]\n---\ntests: []\n", ":2:1: a second document starts here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ruletest.Run(t.Context(), write(t, t.TempDir(), "x.test.yaml", c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v; want %q in it", err, c.want)
			}
		})
	}
}

func TestFaultsOfRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, want string }{
		"rules":      {"r.yaml", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up ==\n", "r.yaml: 5:11"},
		"expression": {"x.go", strings.Replace(diskProbe, "> 90", ">> 90", 1), "x.go:4:"},
		"no alerts":  {"x.go", "package x\n", "it has none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, c.file, c.text)
			_, err := ruletest.Run(t.Context(), write(t, dir, "x.test.yaml", "rule_files: ["+c.file+"]\ntests: [{name: a}]\n"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v; want %q in it", err, c.want)
			}
		})
	}
}

// A rule that cannot be evaluated is an error, not a test that holds.
func TestRuleThatCannotBeEvaluated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "r.yaml", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'a + on(x) b > 0'}\n")
	_, err := ruletest.Run(t.Context(), write(t, dir, "x.test.yaml", `rule_files: [r.yaml]
tests:
- name: many to many
  input_series:
  - {series: 'a{y="1"}', values: 1}
  - {series: 'a{y="2"}', values: 1}
  - {series: 'b{y="1"}', values: 1}
  - {series: 'b{y="2"}', values: 1}
  alert_rule_test: [{alertname: A}]
`))
	if err == nil || !strings.Contains(err.Error(), `the test "many to many"`) || !strings.Contains(err.Error(), `the rule "A" at 0s`) {
		t.Errorf("the error is %v", err)
	}
}

// model is what a rule does with a series, by a second way of thinking.
type model struct {
	limit, holds, keeps int // the rule: x > limit for holds minutes, kept for keeps
	values              []int
}

const missing = -1

func randomModel(r *rand.Rand) model {
	m := model{limit: r.IntN(10), holds: r.IntN(4), keeps: r.IntN(4)}
	gap := 0
	for range 10 + r.IntN(20) {
		v := r.IntN(10)
		// Gaps stay below the lookback, at whose edge versions of promtool differ.
		if gap < 3 && len(m.values) > 0 && r.IntN(5) == 0 {
			v, gap = missing, gap+1
		} else {
			gap = 0
		}
		m.values = append(m.values, v)
	}
	return m
}

func (m model) at(minute int) int {
	for m.values[minute] == missing {
		minute--
	}
	return m.values[minute]
}

// firing reports whether the alert fires at a minute, and what its value is.
func (m model) firing(minute int) (fires bool, value int) {
	active, keeping := -1, -1
	for now := range minute + 1 {
		if v := m.at(now); v > m.limit {
			if active < 0 {
				active = now
			}
			fires = fires || now-active >= m.holds
			keeping, value = -1, v
			continue
		}
		if fires && m.keeps > 0 && keeping < 0 {
			keeping = now
		}
		if !fires || m.keeps == 0 || now-keeping >= m.keeps {
			active, keeping, fires = -1, -1, false
		}
	}
	return fires, value
}

func (m model) series() string {
	var values []string
	for _, v := range m.values {
		if v == missing {
			values = append(values, "_")
		} else {
			values = append(values, fmt.Sprint(v))
		}
	}
	return strings.Join(values, " ")
}

// generate writes rules, and tests of which about the half do not hold. It returns the
// path of the tests and the names of those that are to fail.
func generate(t *testing.T, r *rand.Rand, cases int) (path string, failing []string) {
	t.Helper()
	dir := t.TempDir()
	var rules, tests strings.Builder
	rules.WriteString("groups:\n- name: records\n  rules:\n  - {record: double, expr: x * 2}\n- name: alerts\n  rules:\n")
	tests.WriteString("rule_files: [rules.yaml]\ngroup_eval_order: [records, alerts]\ntests:\n")
	for i := range cases {
		m, name := randomModel(r), fmt.Sprintf("case-%d", i)
		fmt.Fprintf(&rules, "  - {alert: A%d, expr: 'double / 2 > %d', for: %dm, keep_firing_for: %dm, annotations: {v: '{{ $value }}'}}\n", i, m.limit, m.holds, m.keeps)
		minute := r.IntN(len(m.values))
		fires, value := m.firing(minute)
		double := 2 * m.at(minute)
		wrong := true
		switch r.IntN(8) {
		case 0:
			fires = !fires
		case 1:
			double++
		case 2:
			wrong = fires // otherwise nobody sees the value
			value++
		default:
			wrong = false
		}
		if wrong {
			failing = append(failing, name)
		}
		expected := "[]"
		if fires {
			expected = fmt.Sprintf("[{exp_labels: {host: h}, exp_annotations: {v: '%d'}}]", value)
		}
		seconds := minute*60 + r.IntN(60)
		fmt.Fprintf(&tests, "- name: %s\n  interval: 1m\n  input_series: [{series: 'x{host=\"h\"}', values: '%s'}]\n", name, m.series())
		fmt.Fprintf(&tests, "  alert_rule_test: [{eval_time: %ds, alertname: A%d, exp_alerts: %s}]\n", seconds, i, expected)
		fmt.Fprintf(&tests, "  promql_expr_test: [{expr: 'double', eval_time: %dm, exp_samples: [{labels: 'double{host=\"h\"}', value: %d}]}]\n", minute, double)
	}
	write(t, dir, "rules.yaml", rules.String())
	return write(t, dir, "x.test.yaml", tests.String()), failing
}

func random(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func failedNames(result ruletest.Result) []string {
	var names []string
	for _, f := range result.Failures {
		names = append(names, f.Test)
	}
	return slices.Compact(names)
}

func TestRandomRules(t *testing.T) {
	t.Parallel()
	path, failing := generate(t, random(t), 12)
	result := run(t, path)
	if got := failedNames(result); !slices.Equal(got, failing) {
		t.Errorf("failed are %v; want %v: %v", got, failing, result.Failures)
	}
}

// promtool says the same of generated tests.
func TestSameVerdictsAsPromtool(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	path, _ := generate(t, random(t), 16)
	result := run(t, path)
	out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput()
	if (err != nil) != (len(result.Failures) > 0) {
		t.Errorf("promtool ended with %v, and failed here are %v", err, result.Failures)
	}
	// It names no test where an expression gave something else.
	named := regexp.MustCompile(`name: (case-\d+),`).FindAllStringSubmatch(string(out), -1)
	var alerts []string
	for _, match := range named {
		alerts = append(alerts, match[1])
	}
	var ours []string
	exprs := 0
	for _, f := range result.Failures {
		if strings.HasPrefix(f.Subject, "the alert ") {
			ours = append(ours, f.Test)
		} else {
			exprs++
		}
	}
	if !slices.Equal(ours, alerts) {
		t.Errorf("failed are the alerts of %v; promtool says %v:\n%s", ours, alerts, out)
	}
	if theirs := strings.Count(string(out), "expr: "); theirs != exprs {
		t.Errorf("%d expressions failed; promtool says %d:\n%s", exprs, theirs, out)
	}
}

// The alerts of a Nagios check have what it said when its state began.
func TestAlertsOfChecks(t *testing.T) {
	source, err := adapt.Check("/usr/lib/nagios/plugins/check_disk -w 10%")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"disk.go": "//vedette:name nagios/disk\n" + source, "disk.test.yaml": `tests:
  - interval: 30s
    input_series:
      - {series: 'nagios_disk_status{host="web-1", key="nagios/disk/status"}', values: '0 0 2x20'}
      - {series: 'nagios_disk_said_seconds{host="web-1", key="nagios/disk/said_seconds", text="old"}', values: '5'}
      - {series: 'nagios_disk_said_seconds{host="web-1", key="nagios/disk/said_seconds", text="DISK CRITICAL"}', values: '_ _ 70x20'}
      - {series: 'nagios_disk_said_seconds{host="web-2", key="nagios/disk/said_seconds", text="another host"}', values: '90x20'}
      - {series: 'nagios_disk_status{host="web-3", key="nagios/disk/status"}', values: '3x20'}
    alert_rule_test:
      - {eval_time: 1m, alertname: nagios/disk/critical}
      - eval_time: 3m
        alertname: nagios/disk/critical
        exp_alerts:
          - exp_labels: {host: web-1, key: nagios/disk/status, severity: critical, inspector: nagios/disk}
            exp_annotations: {summary: DISK CRITICAL}
      - eval_time: 3m
        alertname: nagios/disk/unknown
        exp_alerts:
          - exp_labels: {host: web-3, key: nagios/disk/status, severity: warning, inspector: nagios/disk}
            exp_annotations: {summary: the status is 3}
      - {eval_time: 3m, alertname: nagios/disk/warning}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	result, err := ruletest.Run(t.Context(), filepath.Join(dir, "disk.test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Failures {
		t.Errorf("%s", f.String())
	}
}

// A value of an inspector that runs every hour holds until the next run.
func TestAlertsOfRareInspectors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"rare.go": "//vedette:name rare\n//vedette:interval 1h\n//vedette:alert high warning value > 9 and abs(value) > 1 for 90m keep 0s \"high\"\nreturn 1, nil\n",
		"rare.test.yaml": `tests:
  - interval: 1h
    input_series: [{series: 'rare{host="web-1"}', values: '10 10 10 1 10 10 10'}]
    alert_rule_test:
      - {eval_time: 89m, alertname: rare/high}
      - {eval_time: 91m, alertname: rare/high, exp_alerts: [{exp_labels: {host: web-1, severity: warning, inspector: rare}, exp_annotations: {summary: high}}]}
      - {eval_time: 179m, alertname: rare/high, exp_alerts: [{exp_labels: {host: web-1, severity: warning, inspector: rare}, exp_annotations: {summary: high}}]}
      - {eval_time: 3h1m, alertname: rare/high}
      - {eval_time: 5h, alertname: rare/high}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	result, err := ruletest.Run(t.Context(), filepath.Join(dir, "rare.test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Failures {
		t.Errorf("%s", f.String())
	}
}

// An alert with clear begins and ends as a small model of it says, whatever its values.
func TestClearIsHysteresis(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	fired := 0
	for n := range 12 {
		hold, keep := random.IntN(4), random.IntN(4)
		sum := n%2 == 0 // an expression that loses the labels
		expr := "value > 90 clear < 85"
		if sum {
			expr = "sum(value) > 90 clear < 85"
		}
		source := fmt.Sprintf("//vedette:name level\n//vedette:alert high warning %s for %dm keep %dm \"high\"\nreturn 1, nil\n", expr, hold, keep)
		var values, cases strings.Builder
		active, firing, left := -1, false, -1 // minutes since when
		v := 80
		for i := range 80 {
			v = max(75, min(99, v+random.IntN(13)-6))
			fmt.Fprintf(&values, "%d ", v)
			switch {
			case v > 90 || firing && v >= 85:
				if left = -1; active < 0 {
					active = i
				}
				firing = i-active >= hold
			case firing:
				if left < 0 {
					left = i
				}
				firing = i-left < keep
			}
			if !firing && (v < 85 || v <= 90) {
				active, left = -1, -1
			}
			fmt.Fprintf(&cases, "      - {eval_time: %dm, alertname: level/high", i)
			if firing {
				fired++
				host := "host: web-1, "
				if sum {
					host = ""
				}
				fmt.Fprintf(&cases, ", exp_alerts: [{exp_labels: {%sseverity: warning, inspector: level}, exp_annotations: {summary: high}}]", host)
			}
			cases.WriteString("}\n")
		}
		test := fmt.Sprintf("tests:\n  - interval: 1m\n    input_series: [{series: 'level{host=\"web-1\"}', values: '%s'}]\n    alert_rule_test:\n%s", &values, &cases)
		for name, text := range map[string]string{"level.go": source, "level.test.yaml": test} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		result, err := ruletest.Run(t.Context(), filepath.Join(dir, "level.test.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range result.Failures {
			t.Errorf("for %dm keep %dm over %s:\n%s", hold, keep, &values, f.String())
		}
	}
	if fired < 20 {
		t.Errorf("the alert fired at %d times only", fired)
	}
}

// The alerts of the gallery fire and end as the tests beside them say, and each probe
// with an alert has such a test.
func TestAlertsOfTheGallery(t *testing.T) {
	scripts, err := filepath.Glob("../../../inspectors/gallery/*/*.go")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	tested := 0
	for _, script := range scripts {
		source, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(source), "\n//vedette:alert ") {
			continue
		}
		result, err := ruletest.Run(t.Context(), strings.TrimSuffix(script, ".go")+".test.yaml")
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, f := range result.Failures {
			t.Errorf("%s", f.String())
		}
		tested += result.Tests
	}
	if tested < 5 {
		t.Errorf("only %d tests", tested)
	}
}
