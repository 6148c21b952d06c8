package check_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"golang.org/x/tools/txtar"
)

// BenchmarkCheck checks the inspectors of the corpus, which are like those of authors, in a
// process that has already read the packages.
func BenchmarkCheck(b *testing.B) {
	archive, err := txtar.ParseFile("testdata/corpus/inspectors.txtar")
	if err != nil {
		b.Fatal(err)
	}
	scripts := make([]inspectors.Script, len(archive.Files))
	lines := 0
	for i, f := range archive.Files {
		scripts[i] = inspectors.Script{File: f.Name, Line: 1, Source: string(f.Data)}
		lines += strings.Count(scripts[i].Source, "\n")
		check.Script(scripts[i])
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		check.Script(scripts[i%len(scripts)])
	}
	b.ReportMetric(float64(lines)/float64(len(scripts)), "lines/script")
}

// BenchmarkFirst runs a whole process that checks one script, and must first read the types
// of its packages. It also reports the memory of the process.
func BenchmarkFirst(b *testing.B) {
	for name, source := range map[string]string{
		"small": "return 1, nil",
		"http": "//vedette:needs net\nresp, err := http.Get(\"http://127.0.0.1\")\nif err != nil {\n\treturn 0, err\n}\n" +
			"return float64(resp.StatusCode), resp.Body.Close()",
		"all": everyPackage(),
	} {
		b.Run(name, func(b *testing.B) {
			var before, after float64
			for b.Loop() {
				cmd := exec.Command(os.Args[0])
				cmd.Env = []string{checkerEnv + "=rss"}
				cmd.Stdin = strings.NewReader(source)
				out, err := cmd.Output()
				if err != nil {
					b.Fatal(err)
				}
				fields := strings.Fields(string(out))
				before, _ = strconv.ParseFloat(fields[0], 64)
				after, _ = strconv.ParseFloat(fields[1], 64)
			}
			b.ReportMetric(before, "MiB-before")
			b.ReportMetric(after, "MiB-after")
		})
	}
	size := 0.0
	if info, err := os.Stat(filepath.Join("types.gob.gz")); err == nil {
		size = float64(info.Size()) / 1024
	}
	b.Logf("the types of the packages are %.0f KiB in the program", size)
}

// residentMiB is the resident memory of the process.
func residentMiB() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
