package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/inspectors"

	"github.com/vedettehq/vedette/internal/patience"
)

func load(t *testing.T, source string) *Program {
	t.Helper()
	return loadWith(t, Options{}, source)
}

func loadWith(t *testing.T, o Options, source string) *Program {
	t.Helper()
	p, err := o.Load(inspectors.Definition{Name: "test", Script: &inspectors.Script{File: "test.go", Line: 1, Source: source}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// inspect runs a program once, for at most a minute.
func inspect(p *Program) (*inspectors.Report, error) {
	return inspectFor(p, time.Minute)
}

func inspectFor(p *Program, timeout time.Duration) (*inspectors.Report, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r := inspectors.NewReport("test", time.Now())
	err := p.Inspect(ctx, r)
	return r, errors.Join(err, r.Err())
}

// value runs a program that yields one value.
func value(t *testing.T, p *Program) float64 {
	t.Helper()
	r, err := inspect(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Samples()) != 1 {
		t.Fatalf("samples %v, want one", r.Samples())
	}
	return r.Samples()[0].Value
}

// soon is the timeout of a run that is meant to reach it, and to get to its place
// before.
const soon = 300 * time.Millisecond

func TestBareBodies(t *testing.T) {
	for source, want := range map[string]float64{
		"return 3, nil": 3,
		"if _, ok := ctx.Deadline(); !ok {\n\treturn 0, fmt.Errorf(\"no deadline\")\n}\nreturn 2, nil": 2,
		"r.Gauge(\"\", 5)":                          5,
		"r.Gauge(\"\", 6)\nreturn nil":              6,
		"// A comment.\n\nreturn math.Sqrt(4), nil": 2,
		"r := 7.0\nreturn r, nil":                   7,
	} {
		if got := value(t, load(t, source)); got != want {
			t.Errorf("%q yields %v, want %v", source, got, want)
		}
	}
}

// TestPlaces holds that faults stand where the author sees them, also where the
// script stands inside a configuration.
func TestPlaces(t *testing.T) {
	script := inspectors.Script{File: "config.yaml", Line: 13, Indent: 6}
	for source, want := range map[string]string{
		"return foo, nil":                                "config.yaml:13:14: undefined: foo",
		"x := 1\nreturn foo, nil":                        "config.yaml:14:14: undefined: foo",
		"return 1,":                                      "config.yaml:13: expected operand, found '}'",
		"x := 1\n_ = x":                                  "config.yaml:14: missing return",
		"var s string = 1\n_ = s\nreturn 1, nil":         "config.yaml:13:22: cannot use 1 (untyped int constant) as string value",
		"package x\n\nfunc Inspect() {}":                 "config.yaml:15:7: func Inspect has none of the accepted signatures",
		"//vedette:speed 1\nreturn 1, nil":               "config.yaml:13:7: unknown directive",
		"m := map[string]int(nil)\nm[\"a\"]++\nreturn 1": "config.yaml:15:14: not enough return values",
	} {
		script.Source = source
		err := CheckScript(script)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q gives\n%v\nwant\n%s…", source, err, want)
		}
	}
	script.Source = "var m map[string]int\nm[\"a\"]++\nreturn 1, nil"
	p, err := Load(inspectors.Definition{Name: "test", Script: &script})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := inspect(p); err == nil || !strings.HasPrefix(err.Error(), "config.yaml:14: panic in func Inspect: assignment to entry in nil map") {
		t.Errorf("the panic gives %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	if _, err := Load(inspectors.Definition{Name: "x"}); err == nil || err.Error() != `cannot load inspector "x": it is not a script` {
		t.Errorf("without a script: %v", err)
	}
	_, err := Load(inspectors.Definition{Name: "x", Script: &inspectors.Script{File: "x.go", Source: "return foo(), bar"}})
	var faults inspectors.Diagnostics
	if !errors.As(err, &faults) || len(faults) != 2 || faults[1].Line != 1 || faults[1].Col != 15 {
		t.Errorf("two faults give %#v", err)
	}
}

// TestInitialiserThatNeverEnds holds that loading has a timeout as well.
func TestInitialiserThatNeverEnds(t *testing.T) {
	d := inspectors.Definition{Name: "x", Timeout: soon, Script: &inspectors.Script{File: "x.go", Source: `package x

var a = loop()

func loop() int {
	for {
	}
}

func Inspect() (float64, error) { return float64(a), nil }
`}}
	if _, err := Load(d); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}

func TestStateAfterTrouble(t *testing.T) {
	for range 50 { // a machine that is busy may be late once, and cut what would have heeded
		if stateAfterTrouble(t) {
			return
		}
	}
	t.Error("every run that heeds its timeout ended later than that and the grace")
}

// stateAfterTrouble reports whether the machine was quick enough to tell.
func stateAfterTrouble(t *testing.T) bool {
	p := load(t, `package x

import (
	"context"
	"errors"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

var runs float64

func Inspect(ctx context.Context, r *inspectors.Report) error {
	runs++
	r.Gauge("runs", runs)
	switch runs {
	case 2:
		return errors.New("an error")
	case 3:
		<-ctx.Done()
		return ctx.Err()
	case 4:
		for {
			time.Sleep(time.Hour)
		}
	}
	return nil
}
`)
	for i, want := range []float64{1, 2, 3, 4, 1, 2} {
		timeout := time.Minute
		if want == 3 || want == 4 {
			timeout = soon
		}
		began := time.Now()
		r, _ := inspectFor(p, timeout)
		if want == 3 && time.Since(began) >= soon+grace {
			return false
		}
		if len(r.Samples()) != 1 || r.Samples()[0].Value != want {
			t.Errorf("run %d yields %v, want %v: state survives errors and heeded timeouts, not a cut", i, r.Samples(), want)
		}
	}
	if p.Leaked() != 0 {
		t.Errorf("%d runs have leaked", p.Leaked())
	}
	return true
}

// inARead reports whether a goroutine waits for data of a connection.
func inARead() bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("net.(*conn).Read("))
}

// TestStuck holds that a run which is stuck in a library is cut off, known, and
// off the list once it ends, and that its late samples go nowhere.
func TestStuck(t *testing.T) {
	stuck, release := make(chan struct{}), make(chan struct{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		close(stuck)
		select {
		case <-release:
		case <-t.Context().Done():
		}
		conn.Close()
	}()
	// DialTCP and Read take no context and are not replaced.
	p := load(t, fmt.Sprintf(`//vedette:needs net
package x

import (
	"context"
	"net"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	addr, err := net.ResolveTCPAddr("tcp", %q)
	if err != nil {
		return err
	}
	c, err := net.DialTCP("tcp", nil, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	r.Gauge("before", 1)
	c.Read(make([]byte, 1))
	r.Gauge("after", 1)
	return nil
}
`, listener.Addr()))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-stuck
		for deadline := time.Now().Add(patience.Limit); !inARead() && time.Now().Before(deadline); {
			runtime.Gosched()
		}
		cancel()
	}()
	r := inspectors.NewReport("test", time.Now())
	if err := p.Inspect(ctx, r); !errors.Is(err, context.Canceled) {
		t.Fatalf("the error is %v", err)
	}
	if p.Leaked() != 1 || len(r.Samples()) != 0 {
		t.Errorf("%d runs have leaked, samples %v", p.Leaked(), r.Samples())
	}
	close(release)
	patience.Closed(t, "the connection to be closed", served)
	patience.Until(t, "the run that was stuck to end", func() bool { return p.Leaked() == 0 })
	if len(r.Samples()) != 0 {
		t.Errorf("late samples arrived: %v", r.Samples())
	}
}

func TestOverlap(t *testing.T) {
	p := load(t, "<-ctx.Done()\nreturn 0, ctx.Err()")
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() { first <- p.Inspect(ctx, inspectors.NewReport("test", time.Now())) }()
	patience.Until(t, "the first call to run", p.busy.Load)
	if _, err := inspect(p); !errors.Is(err, ErrOverlap) {
		t.Errorf("the second call gives %v", err)
	}
	cancel()
	if err := patience.Receive(t, "the end of the first call", first); !errors.Is(err, context.Canceled) {
		t.Errorf("the first call gives %v", err)
	}
}

func TestClosed(t *testing.T) {
	p := load(t, "return 1, nil")
	p.Close()
	p.Close()
	if _, err := inspect(p); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestPanics(t *testing.T) {
	for body, want := range map[string]string{
		`panic("boom")`:                                               "boom",
		`panic(errors.New("an error"))`:                               "an error",
		"var l []int\nreturn float64(l[3]), nil":                      "out of range",
		"var p *url.URL\nreturn 0, errors.New(p.Host)":                "nil pointer",
		"x := 0\nreturn float64(1 / x), nil":                          "divide by zero",
		"x := strings.Repeat(\"a\", -1)\nreturn float64(len(x)), nil": "negative Repeat count",
	} {
		p := load(t, body)
		_, err := inspect(p)
		if err == nil {
			t.Errorf("%q gives no error", body)
			continue
		}
		if !errors.Is(err, ErrPanic) || !strings.HasPrefix(err.Error(), "test.go:") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want a panic with %q", body, err, want)
		}
	}
}

// TestPanicsNameTheLine holds that the runtime panics that authors meet name the line,
// wherever in a function it is, and whatever has run before.
func TestPanicsNameTheLine(t *testing.T) {
	const head = "package x\n\nimport (\n\t\"sort\"\n\t\"strings\"\n)\n\ntype node struct {\n\tv    int\n\tnext *node\n}\n\n" +
		"func third(l []int) int {\n\treturn l[3]\n}\n\nfunc width(s string) int { return -len(s) }\n\nvar _, _ = sort.Ints, strings.ToUpper\n\nfunc Inspect() (float64, error) {\n" +
		"\tvar l []int\n\tvar m map[string]int\n\tvar p *node\n\tvar x any = 1\n\tvar f func() int\n\tn := 0\n\t_, _, _, _, _, _ = l, m, p, x, f, n\n"
	before := strings.Count(head, "\n")
	for body, line := range map[string]int{
		"\tn++\n\tn += l[n]\n":        2,
		"\tm[\"a\"] = 1\n":            1,
		"\tn--\n\tn++\n\tn = 7 / n\n": 3,
		"\tn = 1 + p.v\n":             1,
		"\tn = f()\n":                 1,
		"\tn = len(x.(string))\n":     1,
		"\tq := &node{}\n\tfor q.v == 0 {\n\t\tn++\n\t\tq = q.next\n\t}\n":                        2,
		"\tl = []int{1, 2}\n\tfor i := 0; l[i] > 0; i++ {\n\t\tn += i\n\t}\n":                     2,
		"\tfor i := range 3 {\n\t\tif i == 2 {\n\t\t\tn += l[i]\n\t\t}\n\t\tn++\n\t}\n":           3,
		"\tswitch {\n\tcase n > 3:\n\t\tn = 1\n\tcase l[n] > 3:\n\t\tn = 2\n\t}\n":                4,
		"\tdefer func() { n++ }()\n\tn++\n\tn += p.v\n\tn++\n":                                    3,
		"\tdefer func() {\n\t\tn = len(strings.ToUpper(\"a\"))\n\t}()\n\tl[0]++\n":                4,
		"\tsort.Slice([]int{2, 1}, func(i, j int) bool {\n\t\treturn l[i] < 3\n\t})\n":            2,
		"\tn = width(\"abc\")\n\ts := strings.Repeat(\"-\", width(\"abc\"))\n\tn += len(s)\n":     2,
		"\tg := func(i int) int {\n\t\tn++\n\t\treturn l[i]\n\t}\n\tn = 2\n\tn = g(1)\n":          3,
		"\tn = third([]int{1, 2, 3, 4})\n\tn = n/len(l) + third([]int{0, 0, 0, 0})\n":             2,
		"\tfunc() {\n\t\tdefer func() { _ = recover() }()\n\t\tn = third(l)\n\t}()\n\tn = l[5]\n": 5,
		"\tn = third(l)\n": 14 - before,
	} {
		p, err := Load(definition(head + body + "\treturn float64(n), nil\n}\n"))
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		want := fmt.Sprintf("test.go:%d: panic in func ", before+line)
		for range 2 { // the second is a run of another machine
			if _, err := inspect(p); err == nil || !errors.Is(err, ErrPanic) || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q gives %v, want %s…", body, err, want)
			}
		}
		p.Close()
	}
}

// syncBuffer is a buffer for use from several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestOutput(t *testing.T) {
	var b syncBuffer
	p := loadWith(t, Options{Output: &b}, `
type named struct{ n int }
fmt.Print("a", 1, "\n")
fmt.Printf("%d\n", 2)
fmt.Println("three")
log.Println("four")
println("five")
_ = named{}
return 1, nil`)
	value(t, p)
	if want := "a1\n2\nthree\nfour\nfive\n"; b.String() != want {
		t.Errorf("the output is %q, want %q", b.String(), want)
	}
	b = syncBuffer{}
	p = loadWith(t, Options{Output: &b}, "for i := 0; i < 3; i++ {\n\tfmt.Println(strings.Repeat(\"x\", 40000))\n}\nreturn 1, nil")
	value(t, p)
	if got := len(b.String()); got > MaxOutputBytes+100 || strings.Count(b.String(), "more output was discarded") != 1 {
		t.Errorf("there are %d bytes, want at most %d and a note", got, MaxOutputBytes)
	}
}

// TestOutputRate holds, of runs that print as nobody chose, that a script prints
// no more in the long run than it may, and that all is printed of one that prints
// little.
func TestOutputRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
		for _, most := range []int{40, 4_000, 200_000} {
			var b syncBuffer
			o := &output{w: &b}
			start, printed, notes := time.Now(), 0, 0
			for run := 1; run <= 5_000; run++ {
				o.begin()
				for range random.IntN(4) {
					n := random.IntN(most)
					printed += n
					if _, err := o.Write(bytes.Repeat([]byte("x"), n)); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(100 * time.Millisecond)
			}
			text := b.String()
			notes = strings.Count(text, "more output was discarded")
			allowed := MaxOutputBytes + int(time.Since(start).Seconds())*OutputBytesPerSecond
			switch got := strings.Count(text, "x"); {
			case got > allowed:
				t.Errorf("with up to %d bytes at once %d were printed, allowed are %d", most, got, allowed)
			case most == 40 && got != printed:
				t.Errorf("%d of %d bytes were printed", got, printed)
			case most > 40 && (got < allowed/2 || notes == 0 || notes > 200):
				t.Errorf("with up to %d bytes at once %d of %d were printed, with %d notes", most, got, allowed, notes)
			}
		}
	})
}

// TestContextIsHeeded checks that library calls that take no context end with the run.
func TestContextIsHeeded(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(hang)
	for _, body := range []string{
		"time.Sleep(time.Hour)\nreturn 0, ctx.Err()",
		fmt.Sprintf("//vedette:needs net\n_, err := http.Get(%q)\nreturn 0, err", server.URL),
		fmt.Sprintf("//vedette:needs net\n_, err := http.DefaultClient.Head(%q)\nreturn 0, err", server.URL),
		fmt.Sprintf("//vedette:needs net\nreq, err := http.NewRequest(\"GET\", %q, nil)\nif err != nil {\n\treturn 0, nil\n}\n"+
			"_, err = http.DefaultClient.Do(req)\nreturn 0, err", server.URL),
	} {
		p := load(t, body)
		_, err := inspectFor(p, soon)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q gives %v", body, err)
		}
		if p.Leaked() != 0 {
			t.Errorf("%q leaks %d runs", body, p.Leaked())
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestErrorsAreText holds that an error outlives the interpreter it comes from.
func TestErrorsAreText(t *testing.T) {
	p := load(t, `package x

type fault struct{ code int }

func (f fault) Error() string { return "code is bad" }

func Inspect() (float64, error) { return 0, fault{7} }
`)
	_, err := inspect(p)
	p.Close()
	if err == nil || err.Error() != "code is bad" {
		t.Errorf("the error is %v", err)
	}
}

// TestWhatCannotBeImported holds that the driver's own package is out of reach.
func TestWhatCannotBeImported(t *testing.T) {
	for _, path := range []string{hostPath, "vedette/host/host", "github.com/traefik/yaegi/interp", "./x", "/etc"} {
		if err := Check("x.go", fmt.Sprintf("package x\n\nimport h %q\n\nfunc Inspect() (float64, error) { h.Leave(); return 1, nil }\n", path)); err == nil {
			t.Errorf("import %q is accepted", path)
		}
	}
	// The names under which the interpreter knows the script and its host.
	for _, name := range []string{"host", "inspector", "main"} {
		if err := Check("x.go", "package x\n\nfunc Inspect() (float64, error) { "+name+".Leave(); return 1, nil }\n"); err == nil {
			t.Errorf("%s.Leave is accepted", name)
		}
	}
}

// TestRebuildsKeepTheHeapFlat loads and drops many programs, and cuts many off.
func TestRebuildsKeepTheHeapFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	rounds := 10_000
	if raceEnabled {
		rounds = 500
	}
	cycle := func(n int) {
		for range n {
			p, err := Load(definition(trivialScript)) // not load, which keeps them to the end
			if err != nil {
				t.Fatal(err)
			}
			if _, err := inspect(p); err != nil {
				t.Fatal(err)
			}
			p.Close()
		}
	}
	cycle(rounds / 20)
	before := heap()
	cycle(rounds)
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("the heap has grown by %d bytes over %d rebuilds", grown, rounds)
	}
}

// TestRunsKeepTheHeapFlat runs one program often.
func TestRunsKeepTheHeapFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	rounds := 50_000
	if raceEnabled {
		rounds = 2_000
	}
	p := load(t, trivialScript)
	run := func(n int) {
		for range n {
			if _, err := inspect(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(rounds / 20)
	before := heap()
	run(rounds)
	if grown := heap() - before; grown > 2<<20 {
		t.Errorf("the heap has grown by %d bytes over %d runs", grown, rounds)
	}
}

// TestResults holds that named results start at zero in every call, whatever the
// caller's variables hold, and that a function may use the variable that its
// result is going to.
func TestResults(t *testing.T) {
	for source, want := range map[string]float64{
		"func sum(xs ...float64) (n float64) { for _, x := range xs { n += x }; return }\n" +
			"func Inspect() (v float64, err error) { for i := 0; i < 3; i++ { v = sum(1, 2) }; return }": 3,
		"func f(b bool) (err error) { if b { err = errors.New(\"x\") }; return }\n" +
			"func Inspect() (float64, error) { n := 0.0; for i := 0; i < 4; i++ { err := f(i%2 == 0); if err != nil { n++ } }; return n, nil }": 2,
		"var n = 5.0\nfunc next() (v float64) { v = 1; v += n; return v }\n" +
			"func Inspect() (float64, error) { n = next(); return n, nil }": 6,
		"func swap(a, b float64) (x, y float64) { x, y = a, b; return y, x }\n" +
			"func Inspect() (float64, error) { a, b := swap(1, 2); return a*10 + b, nil }": 21,
		"func f() (_ int, v float64) { v = 4; return }\n" +
			"func Inspect() (float64, error) { n, v := f(); return float64(n) + v, nil }": 4,
	} {
		source = "package x\n" + source
		if strings.Contains(source, "errors.") {
			source = strings.Replace(source, "\n", "\nimport \"errors\"\n", 1)
		}
		p := load(t, source)
		for range 2 {
			if strings.Contains(source, "next()") {
				p = load(t, source) // it counts on
			}
			if got := value(t, p); got != want {
				t.Errorf("%s\nyields %v, want %v", source, got, want)
			}
		}
	}
}

// TestShownRunsChangeNothing makes runs that are kept and runs that are only
// shown, in an order that nobody chose: the kept ones go on as if there were no
// others, and so do the shown ones as long as there are any between the kept.
func TestShownRunsChangeNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	p := load(t, "package x\n\nvar runs float64\n\nfunc Inspect() (float64, error) {\n\truns++\n\treturn runs, nil\n}\n")
	kept, shown, since := 0.0, 0.0, 0
	for range 300 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		isShown := random.IntN(3) > 0
		want := kept + 1
		if isShown {
			ctx = inspectors.WithShown(ctx)
			shown++
			want, since = shown, 0
		} else {
			kept++
			if since++; since > 1 {
				shown = 0 // two kept ones, and none between
			}
		}
		r := inspectors.NewReport("x", time.Now())
		err := p.Inspect(ctx, r)
		cancel()
		if err != nil || len(r.Samples()) != 1 || r.Samples()[0].Value != want {
			t.Fatalf("a run that is shown: %v, yields %v, %v, want %v", isShown, r.Samples(), err, want)
		}
	}
}
