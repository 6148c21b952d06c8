package inspectors

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func good() Definition {
	return Definition{
		Name: "load/average-1", Interval: time.Second, Timeout: DefaultTimeout(time.Second),
		Script: &Script{File: "a.go", Line: 1, Source: "return 1, nil"},
	}
}

func TestDefinitionValidate(t *testing.T) {
	for _, c := range []struct {
		change func(*Definition)
		want   string
	}{
		{func(*Definition) {}, ""},
		{func(d *Definition) { d.Script, d.Plugin = nil, &Plugin{Path: "gpu"} }, ""},
		{func(d *Definition) { d.Name = "a b" }, `bad name: key "a b": ' ' is not allowed; use letters, digits, "_", "-", "." and ":"`},
		{func(d *Definition) { d.Interval = time.Millisecond; d.Timeout = time.Millisecond }, "interval 1ms is not between 100ms and 24h0m0s"},
		{func(d *Definition) { d.Timeout = 2 * time.Second }, "timeout 2s is not above 0 and at most the interval 1s"},
		{func(d *Definition) { d.Timeout = 0 }, "timeout 0s is not above 0 and at most the interval 1s"},
		{func(d *Definition) { d.Script = nil }, "exactly one of script, plugin and collector must be given"},
		{func(d *Definition) { d.Plugin = &Plugin{Path: "x"} }, "exactly one of script, plugin and collector must be given"},
		{func(d *Definition) { d.Script, d.Plugin = nil, &Plugin{} }, "the plugin's path is empty"},
		{func(d *Definition) { d.Script.Source = strings.Repeat(" ", MaxSourceBytes+1) }, "the script is 1048577 bytes long; at most 1048576 are allowed"},
		{
			func(d *Definition) { d.Name, d.Timeout = "", -1 },
			"bad name: key is empty; write chart/item, such as load/average-1\ntimeout -1ns is not above 0 and at most the interval 1s",
		},
	} {
		d := good()
		c.change(&d)
		err := d.Validate()
		if got := errorText(err); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestRevision(t *testing.T) {
	d := good()
	base := d.Revision()
	if len(base) != 64 {
		t.Fatalf("the revision is %q", base)
	}
	for name, change := range map[string]func(*Definition){
		"interval": func(d *Definition) { d.Interval, d.Timeout = time.Minute, time.Second },
		"place":    func(d *Definition) { d.Script.File, d.Script.Line, d.Script.Indent = "b.yaml", 12, 6 },
	} {
		d := good()
		if change(&d); d.Revision() != base {
			t.Errorf("another %s is another revision", name)
		}
	}
	for name, change := range map[string]func(*Definition){
		"name":   func(d *Definition) { d.Name = "load/average-5" },
		"source": func(d *Definition) { d.Script.Source += " " },
		"plugin": func(d *Definition) { d.Script, d.Plugin = nil, &Plugin{Path: "x"} },
	} {
		d := good()
		if change(&d); d.Revision() == base {
			t.Errorf("another %s is the same revision", name)
		}
	}
	one, two := Definition{Plugin: &Plugin{Path: "x", Args: []string{"a"}}}, Definition{Plugin: &Plugin{Path: "x", Args: []string{"b"}}}
	if one.Revision() == two.Revision() {
		t.Error("other arguments are the same revision")
	}
}
