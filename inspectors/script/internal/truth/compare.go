package truth

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors/script"
)

// Class is the result of comparing a script with Go.
type Class string

// The classes. The first five are of scripts that the checker accepts.
const (
	Equal        Class = "equal"         // the same output
	Wrong        Class = "wrong"         // another output
	Hang         Class = "hang"          // it did not end
	Loud         Class = "loud"          // it does not load, panics, or takes its process down
	Unfit        Class = "unfit"         // it says nothing: it fails natively, prints something else each time, or too much
	Refused      Class = "refused"       // refused by the checker, and rightly: it is not equal
	RefusedRight Class = "refused-right" // refused by the checker, although it is equal
)

// Verdict is a script with its outcome both ways.
type Verdict struct {
	Job         Job
	Class       Class
	Native      Result
	Interpreted Result
}

// Patience is the timeouts of a run: a program that has not ended after the first runs once
// more, with the second.
const (
	firstPatience  = 4 * time.Second
	secondPatience = 30 * time.Second
)

// Compare runs the sources both ways and returns a verdict for each, in their
// order. Each script is called runs times. Dir is a folder of this module.
func (l *Library) Compare(dir string, sources []string, runs int) ([]Verdict, error) {
	jobs := make([]Job, len(sources))
	for i, s := range sources {
		jobs[i] = Job{Name: fmt.Sprintf("p%d", i), Source: s, Runs: runs, Timeout: firstPatience}
	}
	return l.CompareJobs(dir, jobs)
}

// CompareJobs is Compare for jobs that have their own names.
func (l *Library) CompareJobs(dir string, jobs []Job) ([]Verdict, error) {
	native, err := l.Native(dir, jobs)
	if err != nil {
		return nil, err
	}
	var fit []Job
	for _, j := range jobs {
		if native[j.Name].End == "" {
			fit = append(fit, j)
		}
	}
	interpreted, err := Interpret(fit)
	if err != nil {
		return nil, err
	}
	if err := again(fit, interpreted); err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, len(jobs))
	for i, j := range jobs {
		v := Verdict{Job: j, Native: native[j.Name], Interpreted: interpreted[j.Name]}
		v.classify()
		verdicts[i] = v
	}
	return verdicts, nil
}

// again runs those that did not end once more, with more time: the machine may
// have been busy. Where there are many, the first few stand for all.
func again(jobs []Job, results map[string]Result) error {
	const most = 6
	var late []Job
	for _, j := range jobs {
		if r := results[j.Name]; r.End == EndHang && r.Refused == "" && !j.AcceptedOnly && len(late) < most {
			j.Timeout = max(j.Timeout, secondPatience)
			late = append(late, j)
		}
	}
	more, err := Interpret(late)
	for name, r := range more {
		results[name] = r
	}
	return err
}

// maxOutput is how much a program may print in all its runs and be compared. A
// script may print script.MaxOutputBytes at once, some of which samples and errors
// take here.
const maxOutput = script.MaxOutputBytes * 3 / 4

func (v *Verdict) classify() {
	v.Native.Output = bounds.ReplaceAllString(v.Native.Output, "$1 out of range")
	v.Interpreted.Output = bounds.ReplaceAllString(v.Interpreted.Output, "$1 out of range")
	same := v.Interpreted.End == "" && v.Interpreted.Output == v.Native.Output
	switch {
	case v.Native.End != "":
		v.Class = Unfit
	case len(v.Native.Output) > maxOutput:
		v.Class = Unfit
		v.Native.Fault = "it prints more than a script may"
	case v.Interpreted.Refused != "" && same:
		v.Class = RefusedRight
	case v.Interpreted.Refused != "":
		v.Class = Refused
	case same:
		v.Class = Equal
	case v.Interpreted.End == EndHang:
		v.Class = Hang
	case v.Interpreted.End != "":
		v.Class = Loud
	default:
		v.Class = Wrong
	}
}

// Bad reports a script that is accepted and does not behave as in Go.
func (v *Verdict) Bad() bool { return v.Class == Wrong || v.Class == Hang || v.Class == Loud }

var (
	quoted  = regexp.MustCompile("\"[^\"]*\"|`[^`]*`")
	numbers = regexp.MustCompile(`\d+`)
	// bounds matches what Go adds to the interpreter's message about an index out of range;
	// the text of such a panic is not promised.
	bounds = regexp.MustCompile(`(index|slice bounds) out of range( \[[^\]]*\])?( with (length|capacity) \d+)?`)
	place  = regexp.MustCompile(`^\S+\.go:\d+(:\d+)?: `)
)

// Reason is why a script was refused or ended loudly, without the details of this script,
// so that reasons can be counted.
func (v *Verdict) Reason() string {
	text := v.Interpreted.Fault
	if v.Class == Refused || v.Class == RefusedRight {
		text = v.Interpreted.Refused
	}
	if v.Class == Unfit {
		text = v.Native.Fault
	}
	text = place.ReplaceAllString(firstLine(text), "")
	text, _, _ = strings.Cut(text, "; ")
	return numbers.ReplaceAllString(quoted.ReplaceAllString(text, "…"), "N")
}

// Difference shows the first line in which the two outputs differ.
func (v *Verdict) Difference() (native, interpreted string) {
	a, b := strings.Split(v.Native.Output, "\n"), strings.Split(v.Interpreted.Output, "\n")
	for i := range max(len(a), len(b)) {
		x, y := "(no more)", "(no more)"
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return x, y
		}
	}
	return "", ""
}
