package inspectors

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseDirectives(t *testing.T) {
	for source, want := range map[string]Directives{
		"package x": {},
		"// Package disk is that.\n//\n//vedette:name disk\n//vedette:interval 10s\n//vedette:timeout 2s\npackage disk\n": {
			Name:     "disk",
			Interval: 10 * time.Second, Timeout: 2 * time.Second,
		},
		"/* A licence. */\n\n//vedette:name  load/average-1 \r\n\npackage x": {Name: "load/average-1"},
		"//vedette:interval 500ms\nreturn 1, nil":                            {Interval: 500 * time.Millisecond},
		"//vedette:budget cpu=100ms  series=7\npackage x":                    {Budget: Budget{CPU: 100 * time.Millisecond, Series: 7}},
		"//vedette:name x\nthis is not Go \" at all ¿":                       {Name: "x"},
		"//vedette:isolation own\n//vedette:needs  net fs:/b fs:/a/x processes fs:/b\npackage x": {
			Isolation: IsolationOwn,
			Needs:     Needs{Net: true, Processes: true, Files: []string{"/a/x", "/b"}},
		},
		"// The directive vedette:name is described elsewhere.\npackage x": {},
		"package x\nvar s = `\n//vedette:name not-a-comment\n`":            {},
	} {
		got, err := ParseDirectives("x.go", source)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q gives %+v, %v, want %+v", source, got, err, want)
		}
	}
}

func TestBadDirectives(t *testing.T) {
	for source, want := range map[string]string{
		"//vedette:nam x\n//vedette:speed 1\npackage x": "x.go:1:1: unknown directive \"//vedette:nam\"; did you mean //vedette:name?\n" +
			"x.go:2:1: unknown directive \"//vedette:speed\"; use name, interval, timeout, budget, isolation, needs, alert, unit, help or runbook",
		"//vedette:budget cpu=1\npackage x":   `x.go:1:1: budget: cpu "1" is not a duration; write it as 100ms`,
		"//vedette:isolation mine\npackage x": `x.go:1:1: isolation "mine" is not known; write shared or own`,
		"//vedette:needs\npackage x":          "x.go:1:1: //vedette:needs has no value; write //vedette:needs net fs:/var/log/app",
		"//vedette:needs nett fs:a fs:/a/ fs:/ fs: exec:ss,ip exec:/usr//bin/ss exec:/ exec:\n" +
			"package x": `x.go:1:1: needs: "nett" is not among net, net:HOST:PORT, unix:PATH, processes, fs:PATH, exec:PATH and secret:NAME; fs:a is not absolute; write it as fs:/a; fs:/a/ is not plain; write it as fs:/a; ` +
			"fs:/ is everything; name the folder that is read; fs: has no path; write it as fs:/var/log/app; " +
			"exec:ss,ip is not absolute, and programs are not looked for; write it as exec:/usr/bin/ss,ip; exec:/usr//bin/ss is not plain; write it as " +
			"exec:/usr/bin/ss; " +
			"exec:/ is a folder; name one program; exec: has no path; write it as exec:/usr/bin/uptime",
		"//vedette:name a\n//vedette:name b\npackage x":          "x.go:2:1: //vedette:name is given twice; keep one",
		"//vedette:name\npackage x":                              "x.go:1:1: //vedette:name has no value; write //vedette:name load/average-1",
		"//vedette:name a b\npackage x":                          `x.go:1:1: bad name: key "a b": ' ' is not allowed; use letters, digits, "_", "-", "." and ":"`,
		"//vedette:interval 10\npackage x":                       `x.go:1:1: interval "10" has no unit; write 10s for seconds`,
		"//vedette:interval soon\npackage x":                     `x.go:1:1: interval "soon" is not a duration; write //vedette:interval 10s`,
		"//vedette:interval 10ms\npackage x":                     "x.go:1:1: interval 10ms is not between 100ms and 24h0m0s",
		"//vedette:timeout 0s\npackage x":                        "x.go:1:1: timeout 0s is not above 0; write //vedette:timeout 2s",
		"//vedette:timeout 25h\npackage x":                       "x.go:1:1: timeout 25h is longer than 24h0m0s",
		"//vedette:interval 1s\n//vedette:timeout 2s\npackage x": "x.go:2:1: timeout 2s is longer than the interval 1s; a run must end before the next is due",
		"package x\n\n\t//vedette:name late":                     "x.go:3:2: //vedette:name is below the package clause; move it above",
		"// vedette:name x\npackage x":                           `x.go:1:1: a directive has a space after //; write "//vedette:name x"`,
		"//vedette:\npackage x":                                  `x.go:1:1: unknown directive "//vedette:"; use name, interval, timeout, budget, isolation, needs, alert, unit, help or runbook`,
		"//line foo.go:100\n//vedette:name\npackage x":           "x.go:2:1: //vedette:name has no value; write //vedette:name load/average-1",
	} {
		_, err := ParseDirectives("x.go", source)
		if got := errorText(err); got != want {
			t.Errorf("%q gives\n%s\nwant\n%s", source, got, want)
		}
		var faults Diagnostics
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Errorf("%q gives a %T, not Diagnostics", source, err)
		}
	}
}

func TestDirectivesInsideAnotherFile(t *testing.T) {
	s := Script{File: "config.yaml", Line: 7, Indent: 6, Source: "// A comment.\n//vedette:x y\nreturn 1, nil"}
	_, err := s.Directives()
	if got, want := errorText(err), `config.yaml:8:7: unknown directive "//vedette:x"; use name, interval, timeout, budget, isolation, needs, alert, unit, help or runbook`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDiagnostics(t *testing.T) {
	if err := (Diagnostics{}).Err(); err != nil {
		t.Errorf("no faults are %v", err)
	}
	d := Diagnostics{
		{File: "b.go", Line: 2, Col: 3, Message: "late"},
		{File: "a.go", Line: 9, Message: "a whole line", Fix: "fix it"},
		{File: "a.go", Message: "a whole file"},
		{File: "b.go", Line: 2, Col: 3, Message: "late"},
	}
	want := "a.go: a whole file\na.go:9: a whole line; fix it\nb.go:2:3: late"
	if got := d.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// FuzzParseDirectives holds that no text makes it panic, and that every fault
// has a place inside the text.
func FuzzParseDirectives(f *testing.F) {
	f.Add("//vedette:name disk\n//vedette:interval 10\npackage x")
	f.Add("/*\n//vedette:name x\n*/\n//vedette:timeout 1h\n")
	f.Fuzz(func(t *testing.T, source string) {
		d, err := ParseDirectives("x.go", source)
		if err == nil {
			if d.Name != "" && ValidateKey(d.Name) != nil {
				t.Errorf("the name %q is accepted", d.Name)
			}
			return
		}
		var faults Diagnostics
		if !errors.As(err, &faults) {
			t.Fatalf("the error is a %T", err)
		}
		showable(t, err.Error())
		for _, fault := range faults {
			if fault.Line < 1 || fault.Line > strings.Count(source, "\n")+1 || fault.Col < 1 {
				t.Errorf("%v stands outside of the text", fault)
			}
		}
	})
}
