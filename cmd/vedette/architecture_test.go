package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/vedettehq/vedette"

// listedPackage is a package as the go tool describes it.
type listedPackage struct {
	ImportPath string
	Doc        string
	Imports    []string

	Dir                       string
	TestGoFiles, XTestGoFiles []string
	TestImports, XTestImports []string
}

// goList lists packages, from the root of the module.
func goList(t *testing.T, args ...string) []listedPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Doc,Imports,Dir,TestGoFiles,XTestGoFiles,TestImports,XTestImports"}, args...)...)
	cmd.Dir = "../.."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, stderr.String())
	}
	var packages []listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// mayImport reads the table of ARCHITECTURE.md, which says which of our folders a folder
// may import beside itself. For a package, the longest folder that contains it decides.
func mayImport(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "| folder | what it is | may import, of ours |\n|---|---|---|\n")
	rows, _, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatal("ARCHITECTURE.md has no table of folders")
	}
	rules := make(map[string][]string)
	quoted := regexp.MustCompile("`([^`]+)`")
	for row := range strings.Lines(rows + "\n") {
		cells := strings.Split(strings.Trim(row, "|\n "), " | ")
		folders := quoted.FindAllStringSubmatch(cells[0], -1)
		if len(cells) != 3 || folders == nil {
			t.Fatalf("ARCHITECTURE.md has the row %q", row)
		}
		if rest := strings.Trim(quoted.ReplaceAllString(cells[2], ""), ", "); rest != "" && rest != "–" {
			t.Errorf("ARCHITECTURE.md says %q of what %s may import; list folders, or write –", cells[2], cells[0])
		}
		var allowed []string
		for _, folder := range quoted.FindAllStringSubmatch(cells[2], -1) {
			allowed = append(allowed, folder[1])
		}
		for _, folder := range folders {
			rules[folder[1]] = allowed
		}
		for _, folder := range slices.Concat(folders, quoted.FindAllStringSubmatch(cells[2], -1)) {
			if info, err := os.Stat(filepath.Join("../..", folder[1])); err != nil || !info.IsDir() {
				t.Errorf("ARCHITECTURE.md names %s, which is no folder", folder[1])
			}
		}
	}
	return rules
}

// owners returns the only folder that may import each library.
func owners() map[string][]string {
	return map[string][]string{
		"github.com/gorilla/websocket":        {"rpc"},
		"github.com/fxamacker/cbor":           {"rpc"},
		"github.com/hashicorp/go-plugin":      {"plugins"},
		"github.com/hashicorp/go-hclog":       {"plugins"},
		"google.golang.org/grpc":              {"plugins"},
		"google.golang.org/protobuf":          {"plugins", "master/alert/route", "master/history/receive"},
		"github.com/traefik/yaegi":            {"inspectors/script"},
		"github.com/shirou/gopsutil":          {"inspectors"},
		"go.yaml.in/yaml":                     {"config"},
		"github.com/joho/godotenv":            {"config"},
		"github.com/spf13/cobra":              {"cmd"},
		"github.com/mdlayher/netlink":         {"master/owner"},
		"go.etcd.io/bbolt":                    {"master/state", "agent/delivery/spool"},
		"github.com/prometheus":               {"master/history", "master/alert", "inspectors/alerts", "agent/collect"},
		"k8s.io/apimachinery":                 {"master/catalog", "master/api", "master/scope", "master/twopersons", "agent/assignment"},
		"github.com/nats-io":                  {"master/state", "master/live"},
		"github.com/bufbuild/protocompile":    {"plugins/internal/protogen"},
		"github.com/coreos/go-oidc":           {"master/oidc"},
		"golang.org/x/oauth2":                 {"master/oidc"},
		"github.com/oauth2-proxy/mockoidc":    nil, // tests only
		"github.com/golang-jwt/jwt":           nil, // tests only
		"github.com/emersion/go-smtp":         nil, // tests only
		"github.com/rogpeppe/go-internal":     nil, // tests only
		"go.uber.org/goleak":                  nil, // tests only
		"github.com/vedettehq/vedette/master": {"cmd/internal/serve", "master", "bench"},
		"github.com/vedettehq/vedette/web":    {"cmd/internal/serve", "web"},

		"github.com/vedettehq/vedette/internal/alone":                 nil, // tests only
		"github.com/vedettehq/vedette/internal/freeport":              nil, // tests only
		"github.com/vedettehq/vedette/internal/patience":              nil, // tests only
		"github.com/vedettehq/vedette/internal/signing/signingtest":   nil, // tests only
		"github.com/vedettehq/vedette/internal/sdnotify/sdnotifytest": nil,
		"github.com/vedettehq/vedette/master/state/statetest":         nil, // tests only
	}
}

// within reports whether a path is a folder or inside it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// folderOf finds the longest folder of the table that holds a path.
func folderOf(table map[string][]string, path string) string {
	best := ""
	for folder := range table {
		if within(path, folder) && len(folder) > len(best) {
			best = folder
		}
	}
	return best
}

func TestImportDirection(t *testing.T) {
	rules, owned := mayImport(t), owners()
	for _, p := range goList(t, "./...") {
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		folder := folderOf(rules, path)
		if folder == "" {
			t.Errorf("%s is in no folder that the architecture knows", path)
			continue
		}
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
				allowed := within(ours, folder) || slices.ContainsFunc(rules[folder], func(f string) bool { return within(ours, f) })
				if !allowed {
					t.Errorf("%s may not import %s", path, ours)
				}
			}
			for library, folders := range owned {
				if within(imported, library) && !slices.ContainsFunc(folders, func(f string) bool { return within(path, f) }) {
					t.Errorf("%s may not import %s; only %v may", path, imported, folders)
				}
			}
		}
	}
}

// A program that runs a master or an agent is its own child process. A test binary that
// does not act as that child would silently run all of its tests again in each child.
func TestTestsThatStartChildrenAnswerAsOne(t *testing.T) {
	starts := []string{module + "/cmd/internal/agentcmd", module + "/cmd/internal/serve", module + "/cmd/internal/commands"}
	held := 0
	for _, p := range goList(t, "./cmd/...") {
		tests := slices.Concat(p.TestGoFiles, p.XTestGoFiles)
		imports := slices.Concat(p.Imports, p.TestImports, p.XTestImports, []string{p.ImportPath})
		if len(tests) == 0 || !slices.ContainsFunc(imports, func(i string) bool { return slices.Contains(starts, i) }) {
			continue
		}
		held++
		if !slices.ContainsFunc(tests, func(name string) bool {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			_, main, found := strings.Cut(string(text), "\nfunc TestMain(")
			return found && (strings.Contains(main, "Child(os.Args") || strings.Contains(main, "testscript.Main("))
		}) {
			t.Errorf("the tests of %s start a master or an agent: they need a TestMain that asks agentcmd.Child", p.ImportPath)
		}
	}
	if held < 3 {
		t.Errorf("only %d packages were held", held)
	}
}

// The lean agent links nothing that only a master needs.
func TestLeanAgent(t *testing.T) {
	forbidden := []string{
		module + "/master", module + "/web", module + "/cmd/vedette",
		"github.com/prometheus", "github.com/nats-io", "net/http/pprof",
	}
	// The parser of exporters' answers is the only part of Prometheus in it.
	allowed := []string{
		"github.com/prometheus/prometheus/model", "github.com/prometheus/prometheus/schema", "github.com/prometheus/prometheus/prompb/io",
		"github.com/prometheus/prometheus/util/convertnhcb", "github.com/prometheus/prometheus/util/kahansum",
		"github.com/prometheus/common/model", "github.com/prometheus/client_model",
	}
	packages := goList(t, "-deps", "./cmd/vedette-agent")
	if len(packages) < 100 {
		t.Fatalf("only %d packages are listed", len(packages))
	}
	for _, p := range packages {
		for _, f := range forbidden {
			if within(p.ImportPath, f) && !slices.ContainsFunc(allowed, func(a string) bool { return within(p.ImportPath, a) }) {
				t.Errorf("vedette-agent links %s", p.ImportPath)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range goList(t, "./...") {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}
