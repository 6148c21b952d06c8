package scope

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/labels"
)

// fleet is hosts with labels that change.
type fleet struct {
	mu         sync.Mutex
	hosts      map[string]map[string]string
	generation atomic.Uint64
}

func (f *fleet) LabelsOf(host string) (map[string]string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set, ok := f.hosts[host]
	return set, ok
}

func (f *fleet) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.hosts))
}

func (f *fleet) Generation() uint64 { return f.generation.Load() }

func (f *fleet) set(host string, set map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set = maps.Clone(set)
	set[HostLabel] = host
	f.hosts[host] = set
	f.generation.Add(1)
}

// anyLabels chooses labels, and anySelector a selector of one to three parts.
func anyLabels() map[string]string {
	set := make(map[string]string)
	for _, name := range []string{"role", "zone", "team"} {
		if rand.IntN(3) > 0 {
			set[name] = string(rune('a' + rand.IntN(3)))
		}
	}
	return set
}

func anySelector() string {
	var parts []string
	for range 1 + rand.IntN(3) {
		name := []string{"role", "zone", "team", "host"}[rand.IntN(4)]
		a, b := string(rune('a'+rand.IntN(3))), fmt.Sprint("h", rand.IntN(8))
		parts = append(parts, fmt.Sprintf([]string{
			"%s=%s", "%s!=%s", "%s in (%s,%s)", "%s notin (%s,%s)", "%s", "!%s",
		}[rand.IntN(6)], name, a, b))
		// Arguments that a form does not take come out as %!(EXTRA …).
		parts[len(parts)-1], _, _ = strings.Cut(parts[len(parts)-1], "%!")
	}
	return strings.Join(parts, ",")
}

// A scope sees exactly the hosts that its selector selects by their labels as they are
// at that moment, whatever was asked before. Hosts, labels and selectors are chosen at
// random.
func TestScopeFollowsLabels(t *testing.T) {
	for range 200 {
		f := &fleet{hosts: make(map[string]map[string]string)}
		text := anySelector()
		selector, err := labels.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		s := Of(text, f)
		for range 50 {
			host := fmt.Sprint("h", rand.IntN(8))
			if rand.IntN(3) == 0 {
				f.set(host, anyLabels())
			}
			set, known := f.LabelsOf(host)
			if want := known && selector.Matches(labels.Set(set)); s.Sees(host) != want {
				t.Fatalf("%s, bound to %s, with %v: seen %v, want %v", host, text, set, !want, want)
			}
		}
	}
}

// A narrowed selector selects what both select, for any hosts, and narrowing again
// changes nothing.
func TestNarrow(t *testing.T) {
	for range 2000 {
		bound, asked := anySelector(), anySelector()
		if rand.IntN(10) == 0 {
			asked = []string{"", " "}[rand.IntN(2)]
		}
		s := Of(bound, &fleet{})
		narrow := s.Narrow(asked)
		if again := s.Narrow(narrow); again != narrow {
			t.Fatalf("%s narrows to %s, and that to %s", asked, narrow, again)
		}
		a, _ := labels.Parse(asked)
		b, _ := labels.Parse(bound)
		n, err := labels.Parse(narrow)
		if err != nil {
			t.Fatalf("%s bound to %s: %v", asked, bound, err)
		}
		for range 20 {
			set := anyLabels()
			set[HostLabel] = fmt.Sprint("h", rand.IntN(8))
			if got, want := n.Matches(labels.Set(set)), a.Matches(labels.Set(set)) && b.Matches(labels.Set(set)); got != want {
				t.Fatalf("%s bound to %s is %s, which selects %v: %v", asked, bound, narrow, set, got)
			}
		}
	}
}

// A selector that cannot be read binds to no host, and one that selects all is refused.
func TestBadSelectorsBindToNobody(t *testing.T) {
	f := &fleet{hosts: make(map[string]map[string]string)}
	f.set("h1", anyLabels())
	for _, text := range []string{"role=", "a b", ",", " ", "=", "in (a)", strings.Repeat("x", maxSelectorBytes+1), "role in ()", "role=(db)"} {
		if s := Of(text, f); s.All() || Check(text) != nil && s.Sees("h1") {
			t.Errorf("%.20q is for every host", text)
		}
		for _, asked := range []string{"", "role=db", HostLabel + "=h1"} {
			if n, err := labels.Parse(Of(text, f).Narrow(asked)); Check(text) != nil && (err != nil || n.Matches(labels.Set{HostLabel: "h1", "role": "db"})) {
				t.Errorf("%.20q narrows %q to %v, %v, which selects a host", text, asked, n, err)
			}
		}
	}
	for text, want := range map[string]string{" ": "every host", "a b": "cannot be read", strings.Repeat("x", 5000): "5000 bytes"} {
		if err := Check(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%.20q) = %v, want an error with %q", text, err, want)
		}
	}
	if Check("") != nil || !Of("", f).All() {
		t.Error("no selector binds")
	}
}

// Many goroutines may ask while labels change; once they rest, all see the same.
func TestScopeUnderConcurrentUse(t *testing.T) {
	f := &fleet{hosts: make(map[string]map[string]string)}
	s := Of("role=a", f)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 500 {
				host := fmt.Sprint("h", rand.IntN(8))
				f.set(host, anyLabels())
				s.Sees(host)
			}
		})
	}
	group.Wait()
	for _, host := range slices.Sorted(maps.Keys(f.hosts)) {
		if set, _ := f.LabelsOf(host); s.Sees(host) != (set["role"] == "a") {
			t.Errorf("%s with %v: seen %v", host, set, s.Sees(host))
		}
	}
}
