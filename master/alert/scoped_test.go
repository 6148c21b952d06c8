package alert

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	amlabels "github.com/prometheus/alertmanager/pkg/labels"

	"github.com/vedettehq/vedette/master/alert/route"
	"github.com/vedettehq/vedette/master/scope"
)

// someHosts are hosts whose labels do not change: those of the scope have role=db.
type someHosts map[string]string

func (h someHosts) LabelsOf(host string) (map[string]string, bool) {
	role, known := h[host]
	return map[string]string{scope.HostLabel: host, "role": role}, known
}

func (h someHosts) Names() []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	return names
}

func (someHosts) Generation() uint64 { return 1 }

// A silence that somebody sees silences no alert of another host, and names none: for
// silences that were made up at random, and every host.
func TestSilencesThatAreSeen(t *testing.T) {
	hosts := someHosts{"db-1": "db", "db.2": "db", "web-1": "web", "web.2": "web"}
	s := scope.Of("role=db", hosts)
	all := append(hosts.Names(), "unknown", "")
	seen := 0
	for range 20_000 {
		one := route.Silence{Either: rand.IntN(20) == 0}
		for range 1 + rand.IntN(3) {
			values := []string{all[rand.IntN(len(all))]}
			op := []string{"=", "!=", "=~", "!~"}[rand.IntN(4)]
			if strings.HasSuffix(op, "~") {
				for range rand.IntN(3) {
					values = append(values, all[rand.IntN(len(all))])
				}
				for i := range values {
					values[i] = regexp.QuoteMeta(values[i])
				}
				if rand.IntN(4) == 0 {
					values = append(values, []string{".*", "db.*", ".+", "web", ""}[rand.IntN(5)])
				}
			}
			name := []string{"host", "host", "role", "alertname"}[rand.IntN(4)]
			one.Matchers = append(one.Matchers, fmt.Sprintf("%s%s%q", name, op, strings.Join(values, "|")))
		}
		if !seesSilence(s, &one) {
			continue
		}
		seen++
		for _, host := range all {
			matches := !slices.ContainsFunc(one.Matchers, func(text string) bool {
				m, err := amlabels.ParseMatcher(text)
				if err != nil {
					t.Fatal(err)
				}
				return m.Name == "host" && !m.Matches(host)
			})
			if matches && !s.Sees(host) {
				t.Fatalf("%v is seen, and silences %q", one.Matchers, host)
			}
		}
		if text := fmt.Sprint(one.Matchers); strings.Contains(text, "web-1") || strings.Contains(strings.ReplaceAll(text, `\`, ""), "web.2") {
			t.Fatalf("%s is seen, and names another host", text)
		}
	}
	if seen == 0 {
		t.Error("no silence is seen: nothing is proved")
	}
	t.Log(seen, "silences are seen")
	mine := route.Silence{Matchers: []string{`alertname!="x"`, `host=~"db-1|db\\.2"`}}
	if !seesSilence(s, &mine) {
		t.Error("a silence of the scope's own hosts is not seen")
	}
}
