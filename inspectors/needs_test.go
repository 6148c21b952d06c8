package inspectors

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestNeedsAreWrittenAsTheyAreRead(t *testing.T) {
	for _, text := range []string{"", "net", "processes", "fs:/a", "net processes fs:/a fs:/a/b", "exec:/a", "fs:/b exec:/a exec:/b"} {
		n, err := ParseNeeds(text)
		if err != nil || n.String() != text {
			t.Errorf("%q is read as %q, %v", text, n, err)
		}
	}
	var many []string
	for i := range maxPaths + 1 {
		many = append(many, fmt.Sprintf("fs:/%d", i))
	}
	if _, err := ParseNeeds(strings.Join(many, " ")); err == nil {
		t.Errorf("%d paths are accepted", len(many))
	}
	if _, err := ParseNeeds(strings.ReplaceAll(strings.Join(many, " "), "fs:", "exec:")); err == nil {
		t.Errorf("%d programs are accepted", len(many))
	}
}

func TestPolicy(t *testing.T) {
	all := Policy{Net: true, Processes: true, Files: []string{"/var/log", "/run/app.json"}, Programs: []string{"/usr/bin/ss", "/opt"}}
	for _, c := range []struct {
		policy Policy
		needs  string
		want   string // of the refusal, or "" for none
	}{
		{Policy{}, "", ""},
		{all, "net processes fs:/var/log fs:/var/log/app/x fs:/run/app.json exec:/usr/bin/ss", ""},
		{all, "exec:/opt/x exec:/usr/bin/ss", "refused by this host's policy: the script says //vedette:needs exec:/opt/x, but agent.policy.exec of the host's " +
			"configuration does not name that program"},
		{Policy{}, "net", "refused by this host's policy: the script says //vedette:needs net, but agent.policy.net is not true in the host's configuration"},
		{Policy{Net: true}, "processes", "refused by this host's policy: the script says //vedette:needs processes, but agent.policy.processes is not true in " +
			"the host's configuration"},
		{all, "fs:/var/logs fs:/var fs:/run/app.json.old", strings.Join([]string{
			"refused by this host's policy: the script says //vedette:needs fs:/run/app.json.old, but agent.policy.fs of the host's configuration does not cover " +
				"that path",
			"refused by this host's policy: the script says //vedette:needs fs:/var, but agent.policy.fs of the host's configuration does not cover that path",
			"refused by this host's policy: the script says //vedette:needs fs:/var/logs, but agent.policy.fs of the host's configuration does not cover that path",
		}, "\n")},
	} {
		n, err := ParseNeeds(c.needs)
		if err != nil {
			t.Fatal(err)
		}
		err = c.policy.Check(n)
		if got := fmt.Sprint(err); err != nil && got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%+v on %q:\n%s\nwant\n%s", c.policy, c.needs, got, c.want)
		}
		if err != nil && !errors.Is(err, ErrPolicy) {
			t.Errorf("%v does not wrap ErrPolicy", err)
		}
	}
}

// Of the host's own scripts nothing but the programs is bounded.
func TestPolicyOfOwnScripts(t *testing.T) {
	n, err := ParseNeeds("net processes fs:/a exec:/b exec:/c")
	if err != nil {
		t.Fatal(err)
	}
	if err := (Policy{Programs: []string{"/b", "/c"}}).CheckPrograms(n); err != nil {
		t.Errorf("%v", err)
	}
	if err := (Policy{Programs: []string{"/b"}}).CheckPrograms(n); !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), "exec:/c") ||
		strings.Contains(err.Error(), "exec:/b") {
		t.Errorf("%v", err)
	}
}

// Two definitions that run the same code within other bounds are not one.
func TestRevisionTellsBoundsApart(t *testing.T) {
	revision := func(i Isolation, pushed bool) string {
		d := Definition{Name: "x", Script: &Script{Source: "return 1, nil"}, Isolation: i, Pushed: pushed}
		return d.Revision()
	}
	if revision("", false) != revision(IsolationShared, false) {
		t.Error("no isolation is not the shared one")
	}
	if revision("", false) == revision(IsolationOwn, false) || revision("", false) == revision("", true) {
		t.Error("isolation and origin make no difference")
	}
}
