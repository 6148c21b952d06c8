package agentcmd

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/library"
)

func TestMain(m *testing.M) {
	if status, is := Child(os.Args[1:]); is {
		os.Exit(status)
	}
	if kind, is := variant(); is {
		os.Exit(beAgent(kind))
	}
	goleak.VerifyTestMain(m)
}

func TestDefinitions(t *testing.T) {
	all := library.Names()
	for _, tt := range []struct {
		name, yaml string
		want       []string
	}{
		{"all of the library", "", all},
		{"none", "agent: { library: none }", nil},
		{"some", "agent: { library: [memory, cpu] }", []string{"cpu", "memory"}},
		{"own beside them", "agent: { library: [cpu] }\ninspectors: { mine: { go: 'return 1, nil' } }", []string{"cpu", "mine"}},
		{"own in place of one", "agent: { library: [cpu, memory] }\ninspectors: { cpu: { go: 'return 1, nil' } }", []string{"cpu", "memory"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.yaml")
			if err := os.WriteFile(path, []byte(tt.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(config.LoadOptions{Path: path, Dir: t.TempDir(), Environ: []string{}, For: config.PartAgent, Library: all})
			if err != nil {
				t.Fatal(err)
			}
			defs, err := Definitions(c)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, d := range defs {
				names = append(names, d.Name)
				if own := d.Script.File == path; d.Name == "cpu" && own != (tt.name == "own in place of one") {
					t.Errorf("cpu is from %s", d.Script.File)
				}
			}
			slices.Sort(names)
			if !slices.Equal(names, tt.want) {
				t.Errorf("got %v, want %v", names, tt.want)
			}
		})
	}
}
