package probe

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/gallery"
)

// execute runs the command in a folder of the test.
func execute(cmd *cobra.Command, args ...string) (string, error) {
	var out bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	return out.String(), err
}

func TestInit(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, template := range gallery.All() {
		out, err := execute(NewInit(), "my/"+template.Name, "--template", template.Name)
		file := "my-" + template.Name + ".go"
		if err != nil || !strings.HasPrefix(out, file+" ") {
			t.Fatalf("%s: %v, %s", template.Name, err, out)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if said, err := inspectors.ParseDirectives(file, string(text)); err != nil || said.Name != "my/"+template.Name {
			t.Errorf("%s says that it is %q: %v", file, said.Name, err)
		}
		if strings.Contains(template.Needs, "exec:") && !strings.Contains(out, "--allow-exec /usr/bin/systemctl") {
			t.Errorf("%s does not say how it is run here: %s", template.Name, out)
		}
	}
	out, err := execute(NewInit(), "--list", "-o", "name")
	if err != nil || len(strings.Fields(out)) != len(gallery.All()) {
		t.Errorf("the list is %q, %v", out, err)
	}
	before, err := os.ReadFile("my-http.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   string
		status int
		want   string
	}{
		{"my/http", cli.ExitFailed, `cannot write "my-http.go": it is there already; give another NAME, or remove it`},
		{"x --template htpt", cli.ExitUsage, `there is no template "htpt"; did you mean "http"?`},
		{"../x", cli.ExitUsage, "NAME: "},
		{"", cli.ExitFailed, "init needs a NAME, or --list"},
	} {
		if _, err := execute(NewInit(), strings.Fields(tt.args)...); err == nil || !strings.HasPrefix(err.Error(), tt.want) || cli.Status(err) != tt.status {
			t.Errorf("%s: got %v", tt.args, err)
		}
	}
	if after, err := os.ReadFile("my-http.go"); err != nil || !bytes.Equal(before, after) {
		t.Error("a file that was there is changed")
	}
}
