package truth

import (
	"fmt"
	"time"
)

// shrinking is one script that is made smaller.
type shrinking struct {
	verdict Verdict
	tried   map[string]bool
	done    bool
}

// shrinkPatience is how long a smaller program may run.
const shrinkPatience = 2 * time.Second

// perRound is how many smaller programs of one script a round tries.
const perRound = 30

// Shrinker makes bad scripts smaller, all of them at once, so that one native
// build serves many.
type Shrinker struct {
	lib   *Library
	judge judge
	work  []*shrinking
}

// judge holds programs against Go.
type judge func([]Job) ([]Verdict, error)

// Shrinker returns one for the scripts of bad verdicts. Dir is a folder of this
// module.
func (l *Library) Shrinker(dir string, bad []Verdict) *Shrinker {
	return l.shrinker(bad, func(jobs []Job) ([]Verdict, error) { return l.CompareJobs(dir, jobs) })
}

func (l *Library) shrinker(bad []Verdict, judge judge) *Shrinker {
	s := &Shrinker{lib: l, judge: judge}
	for _, v := range bad {
		s.work = append(s.work, &shrinking{verdict: v, tried: make(map[string]bool)})
	}
	return s
}

// Verdicts returns the scripts as small as they are by now. Each is bad for the
// same reason as the one that it comes from.
func (s *Shrinker) Verdicts() []Verdict {
	var list []Verdict
	for _, w := range s.work {
		list = append(list, w.verdict)
	}
	return list
}

// Round tries the next smaller programs of each script, and takes for each the
// smallest that is still bad. It reports whether there is more to try.
func (s *Shrinker) Round() (more bool, err error) {
	var jobs []Job
	owner := make(map[string]*shrinking)
	numbers := make(map[string]int)
	for _, w := range s.work {
		for n, text := range s.lib.candidates(w) {
			j := w.job(fmt.Sprintf("c%d", len(jobs)), text)
			owner[j.Name], numbers[j.Name] = w, n
			jobs = append(jobs, j)
		}
	}
	if len(jobs) == 0 {
		return false, nil
	}
	verdicts, err := s.judge(jobs)
	if err != nil {
		return false, err
	}
	succeeded := make(map[*shrinking][]Verdict)
	for _, v := range verdicts {
		if w := owner[v.Job.Name]; w.likewise(v) {
			succeeded[w] = append(succeeded[w], v)
		}
	}
	return true, s.combine(succeeded, numbers)
}

// job is a smaller program of the script.
func (w *shrinking) job(name, text string) Job {
	j := w.verdict.Job
	j.Name, j.Source, j.AcceptedOnly, j.Timeout = name, text, true, shrinkPatience
	return j
}

// likewise reports a verdict that is bad for the reason of the script's.
func (w *shrinking) likewise(v Verdict) bool {
	return v.Class == w.verdict.Class && (v.Class == Wrong || v.Reason() == w.verdict.Reason())
}

// candidates returns programs by the number of their edit.
func (l *Library) candidates(w *shrinking) map[int]string {
	if w.done {
		return nil
	}
	source := w.verdict.Job.Source
	t, faults := l.Check(source)
	if len(faults) > 0 {
		w.done = true
		return nil
	}
	list := make(map[int]string)
	for i := range edits(t) {
		text := l.apply(source, i)
		if text == "" || text == source || len(text) >= len(source)+2 || w.tried[text] {
			continue
		}
		w.tried[text] = true
		list[i] = text
		if len(list) == perRound || w.verdict.Class == Hang && len(list) == perRound/4 {
			return list
		}
	}
	if len(list) == 0 {
		w.done = true
	}
	return list
}

// combine takes the smallest program of each script; where several edits were
// good, it tries them together.
func (s *Shrinker) combine(succeeded map[*shrinking][]Verdict, numbers map[string]int) error {
	var jobs []Job
	owner := make(map[string]*shrinking)
	for w, list := range succeeded {
		if len(list) < 2 {
			continue
		}
		for _, part := range [][]Verdict{list, list[:len(list)/2], list[len(list)/2:]} {
			var together []int
			for _, v := range part {
				together = append(together, numbers[v.Job.Name])
			}
			text := s.lib.tryAll(w.verdict.Job.Source, together)
			if text == "" || w.tried[text] {
				continue
			}
			w.tried[text] = true
			j := w.job(fmt.Sprintf("u%d", len(jobs)), text)
			owner[j.Name] = w
			jobs = append(jobs, j)
		}
	}
	if len(jobs) > 0 {
		verdicts, err := s.judge(jobs)
		if err != nil {
			return err
		}
		for _, v := range verdicts {
			if w := owner[v.Job.Name]; w.likewise(v) {
				succeeded[w] = append(succeeded[w], v)
			}
		}
	}
	for w, list := range succeeded {
		for _, v := range list {
			if len(v.Job.Source) <= len(w.verdict.Job.Source) {
				v.Job.Name = w.verdict.Job.Name
				w.verdict = v
			}
		}
	}
	return nil
}

// tryAll applies edits together; one that panics, because another has taken its
// place away, makes it none.
func (l *Library) tryAll(source string, numbers []int) (text string) {
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	return l.apply(source, numbers...)
}
