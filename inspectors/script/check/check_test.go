package check_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// checkerEnv makes the test binary a checker of the script on its input.
const checkerEnv = "VEDETTE_CHECK_TEST_CHECKER"

// everyPackage imports all packages of the allow-list and uses one name of each.
func everyPackage() string {
	var imports, uses strings.Builder
	for i, path := range symbols.Paths() {
		p, _ := symbols.Lookup(path)
		name := "p" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		imports.WriteString("\t" + name + " \"" + path + "\"\n")
		for _, exported := range p.Names() {
			if v := p.Value(exported); v.IsValid() && v.Kind().String() == "func" {
				uses.WriteString("\t_ = " + name + "." + exported + "\n")
				break
			}
			if v := p.Value(exported); v.IsValid() && v.Kind().String() == "ptr" && v.IsNil() {
				uses.WriteString("\t_ = (*" + name + "." + exported + ")(nil)\n")
				break
			}
		}
	}
	return "//vedette:needs net processes exec:/bin/true\npackage all\n\nimport (\n" + imports.String() + ")\n\nfunc Inspect() (float64, error) {\n" +
		uses.String() + "\treturn 1, nil\n}\n"
}

// TestWithoutGo holds that the checker needs neither a Go toolchain nor any file
// of one: it knows all packages, and their types, in a process that has nothing.
func TestWithoutGo(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{everyPackage(), ""},
		{"n := strconv.Atoi(\"5\")\nreturn n, nil", "t.go:1:6: assignment mismatch: 1 variable but strconv.Atoi returns 2 values"},
		{"var c http.Client\nc.Nonsense()\nreturn 1, nil", "c.Nonsense undefined"},
	} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{checkerEnv + "=1", "GOROOT=/nonexistent", "PATH=/nonexistent", "HOME=/nonexistent"}
		cmd.Stdin = strings.NewReader(c.source)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if c.want == "" && len(out) > 0 || !strings.Contains(string(out), c.want) {
			t.Errorf("the check of\n%s\nsays\n%s\nwant %q", c.source, out, c.want)
		}
	}
}

// checkInput is the child of TestWithoutGo.
func checkInput() {
	var b bytes.Buffer
	if _, err := b.ReadFrom(os.Stdin); err != nil {
		panic(err)
	}
	if faults := check.Check("t.go", b.String()); len(faults) > 0 {
		os.Stdout.WriteString(faults.Error() + "\n")
	}
}

// TestAllAtOnce holds that one check finds everything, in the order of the
// places, also where the types do not come out.
func TestAllAtOnce(t *testing.T) {
	faults := check.Check("t.go", `package x

import (
	"os"
	"strconv"
)

func Inspect() (float64, error) {
	n := strconv.Atoi("5")
	_ = n
	go func() {}()
	for i := 0; ; {
		i++
	}
	var unused int
	return 5
}
`)
	var got []string
	for _, f := range faults {
		got = append(got, f.Error())
	}
	for i, want := range []string{
		`t.go:4:2: "os" imported and not used`,
		"t.go:9:7: assignment mismatch: 1 variable but strconv.Atoi returns 2 values",
		"t.go:11:2: inspectors start no goroutines",
		"t.go:15:6: declared and not used: unused",
		"t.go:16:9: not enough return values",
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Fatalf("fault %d is not %q in\n%s", i, want, strings.Join(got, "\n"))
		}
	}
	if len(got) != 5 {
		t.Errorf("%d faults:\n%s", len(got), strings.Join(got, "\n"))
	}
}

// TestInsideAnotherFile holds that places are those of the file that a script
// stands in, and that a definition without a script has no faults.
func TestInsideAnotherFile(t *testing.T) {
	d := inspectors.Definition{Script: &inspectors.Script{
		File: "config.yaml", Line: 13, Indent: 6,
		Source: "m := map[string]int{}\nm[\"a\"] = 1\ngo clear(m)\nreturn 1, nil",
	}}
	faults := check.Definition(d)
	if len(faults) != 1 || faults[0].File != "config.yaml" || faults[0].Line != 15 || faults[0].Col != 7 || faults[0].Fix == "" {
		t.Errorf("got %+v", faults)
	}
	if faults := check.Definition(inspectors.Definition{}); faults != nil {
		t.Errorf("no script gives %v", faults)
	}
	text, err := json.Marshal(faults)
	if err != nil || !strings.Contains(string(text), `"line":15`) {
		t.Errorf("as JSON: %s %v", text, err)
	}
}

// TestSideBySide holds that checks do not disturb each other.
func TestSideBySide(t *testing.T) {
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			if faults := check.Check("all.go", everyPackage()); faults != nil {
				t.Error(faults)
			}
			if faults := check.Check("t.go", "r.Gauge(\"x\", 1)\nreturn 5"); len(faults) != 1 {
				t.Error(faults)
			}
		}()
	}
	all.Wait()
}
