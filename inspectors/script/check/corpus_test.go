package check_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/inspectors/script/internal/truth"
	"golang.org/x/tools/txtar"
)

var (
	corpusFlag = flag.String("corpus", "testdata/corpus/*.txtar", "the files of programs that TestCorpus runs")
	updateFlag = flag.Bool("update", false, "write the marks of the programs again, from what they print natively and what the checker says")
)

// Limits of one interpreted program: a generous one for an accepted program, which ends by
// itself, and a short one for a program that is refused because it does not end.
const (
	runTimeout     = 2 * time.Minute
	refusedTimeout = 2 * time.Second
)

// program is one section of a corpus file. Its first line is its mark:
//
//	//ok "what it prints"
//	//refused rule[,rule…] "what it prints natively"
//	//refused rule[,rule…] -           (it does not compile natively either)
//
// What it prints is what Run returns, where it has func Run() string; otherwise
// it is an inspector, and it is what it printed and the samples it reported.
type program struct {
	file    string
	name    string
	source  string
	refused []string // the rules that refuse it, or nil
	output  string
	native  bool // it compiles natively
}

// job returns the program as an inspector with its needs.
func (p *program) job() truth.Job {
	source := p.source
	if strings.Contains(source, "\nfunc Run() string") {
		head, rest, _ := strings.Cut(source, "\n")
		source = head + "; import corpusfmt \"fmt\"\n" + rest + "\nfunc Inspect() (float64, error) { corpusfmt.Print(Run(), \"\\n\"); return 0, nil }\n"
	}
	if strings.Contains(source, "\"net\"") || strings.Contains(source, "\"net/http\"") {
		source = "//vedette:needs net\n" + source
	}
	if strings.Contains(source, "inspectors.Exec(") {
		source = "//vedette:needs exec:/bin/true\n" + source
	}
	timeout := runTimeout
	if p.refused != nil {
		timeout = refusedTimeout
	}
	return truth.Job{Name: p.name, Source: source, Timeout: timeout}
}

func loadCorpus(t *testing.T, pattern string) []*program {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus in %s: %v", pattern, err)
	}
	var programs []*program
	seen := make(map[string]bool)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range archive.Files {
			if seen[section.Name] {
				t.Errorf("%s: there are two programs %s", file, section.Name)
			}
			seen[section.Name] = true
			p, err := parseProgram(section)
			if err != nil && !*updateFlag {
				t.Errorf("%s: %s: %v", file, section.Name, err)
			}
			p.file = file
			programs = append(programs, p)
		}
	}
	return programs
}

func parseProgram(section txtar.File) (*program, error) {
	p := &program{name: section.Name, source: string(section.Data)}
	mark, rest, _ := strings.Cut(p.source, "\n")
	if !strings.HasPrefix(mark, "//ok ") && !strings.HasPrefix(mark, "//refused ") {
		return p, fmt.Errorf("the first line is not a mark; run the test with -update")
	}
	p.source = rest
	verdict, output, _ := strings.Cut(strings.TrimPrefix(mark, "//"), " ")
	if verdict == "refused" {
		var rules string
		rules, output, _ = strings.Cut(output, " ")
		p.refused = strings.Split(rules, ",")
	}
	if output == "-" {
		return p, nil
	}
	p.native = true
	var err error
	p.output, err = strconv.Unquote(output)
	return p, err
}

// mark is the first line of the program.
func (p *program) mark() string {
	output := "-"
	if p.native {
		output = strconv.Quote(p.output)
	}
	if p.refused == nil {
		return "//ok " + output
	}
	return "//refused " + strings.Join(p.refused, ",") + " " + output
}

func writeCorpus(t *testing.T, programs []*program) {
	t.Helper()
	files := make(map[string]*txtar.Archive)
	for _, p := range programs {
		a := files[p.file]
		if a == nil {
			old, err := txtar.ParseFile(p.file)
			if err != nil {
				t.Fatal(err)
			}
			a = &txtar.Archive{Comment: old.Comment}
			files[p.file] = a
		}
		a.Files = append(a.Files, txtar.File{Name: p.name, Data: []byte(p.mark() + "\n" + p.source)})
	}
	for file, a := range files {
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// figures are the results of the corpus.
type figures struct {
	programs, accepted, refused  int
	wrongAccepted                []string // accepted, and not as natively
	refusedRight                 []string // refused, and yet as natively
	refusedLoud, refusedSilently int      // refused, and a fault or a wrong output
}

// TestCorpus runs every program natively and interpreted. An accepted program must print
// the same both ways; a refused one must be refused by the rules that the mark names.
func TestCorpus(t *testing.T) {
	var programs []*program
	for i, p := range loadCorpus(t, *corpusFlag) {
		if i%every == 0 {
			programs = append(programs, p)
		}
	}
	jobs := make([]truth.Job, len(programs))
	for i, p := range programs {
		jobs[i] = p.job()
	}
	native := nativeAll(t, jobs)
	interpreted, err := truth.Interpret(jobs)
	if err != nil {
		t.Fatal(err)
	}
	f := figures{programs: len(programs)}
	for _, p := range programs {
		verifyNative(t, p, native[p.name])
		verifyVerdict(t, p)
		got := interpreted[p.name]
		right := got.Fault == "" && got.Output == p.output
		switch {
		case p.refused == nil:
			f.accepted++
			if !right {
				f.wrongAccepted = append(f.wrongAccepted, p.name)
				t.Errorf("%s: accepted, and wrong\n  native      %q\n  interpreted %q %s", p.name, p.output, got.Output, got.Fault)
			}
		case os.Getenv("SHOWREFUSED") != "" && p.native && !right:
			t.Logf("REFUSED %s (%s)\n  native      %q\n  interpreted %q %s", p.name, strings.Join(p.refused, ","), p.output, got.Output, got.Fault)
		case right && p.native:
			f.refused++
			f.refusedRight = append(f.refusedRight, p.name+" ("+strings.Join(p.refused, ",")+")")
		case got.Fault != "":
			f.refused++
			f.refusedLoud++
		default:
			f.refused++
			f.refusedSilently++
		}
	}
	if *updateFlag && every == 1 {
		writeCorpus(t, programs)
	}
	t.Logf("programs %d: accepted %d, of them wrong %d; refused %d, of them silently wrong %d, failing loudly %d, right %d",
		f.programs, f.accepted, len(f.wrongAccepted), f.refused, f.refusedSilently, f.refusedLoud, len(f.refusedRight))
	t.Logf("refused though right: %s", strings.Join(f.refusedRight, " "))
}

// verifyNative compares the program's output with that of the native run.
func verifyNative(t *testing.T, p *program, r truth.Result) {
	t.Helper()
	compiles := !strings.HasPrefix(r.Fault, "build: ")
	if *updateFlag {
		p.native, p.output = compiles, r.Output
		if r.Fault != "" && compiles {
			t.Errorf("%s: natively: %s", p.name, r.Fault)
		}
		return
	}
	switch {
	case compiles != p.native:
		t.Errorf("%s: compiles natively: %v, marked: %v %s", p.name, compiles, p.native, r.Fault)
	case compiles && (r.Fault != "" || r.Output != p.output):
		t.Errorf("%s: prints natively %q %s, marked: %q", p.name, r.Output, r.Fault, p.output)
	}
}

// verifyVerdict compares the checker's verdict with the mark.
func verifyVerdict(t *testing.T, p *program) {
	t.Helper()
	var rules []string
	var text bytes.Buffer
	for _, f := range check.Findings(inspectors.Script{File: p.name + ".go", Line: 1, Source: p.job().Source}) {
		if !slices.Contains(rules, f.Rule()) {
			rules = append(rules, f.Rule())
		}
		fmt.Fprintf(&text, "  %s [%s]\n", f.Error(), f.Rule())
	}
	slices.Sort(rules)
	if *updateFlag {
		if testing.Verbose() && rules != nil {
			t.Logf("%s is refused:\n%s", p.name, text.String())
		}
		p.refused = rules
		return
	}
	if !slices.Equal(rules, p.refused) {
		t.Errorf("%s: refused by %q, marked %q\n%s", p.name, rules, p.refused, text.String())
	}
}
