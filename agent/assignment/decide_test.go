package assignment

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/agent/programs"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/internal/signing/signingtest"
	"github.com/vedettehq/vedette/rpc/wire"
)

// world makes random facts: few names, so that they meet.
type world struct {
	*rand.Rand
	key   signing.PrivateKey
	count int
}

func (w *world) name() string { return fmt.Sprintf("i%d", w.IntN(5)) }

func (w *world) code(name string) wire.Code {
	w.count++
	c := wire.Code{Name: name, Source: fmt.Sprint("source ", w.count), IntervalMS: 1000}
	switch w.IntN(6) {
	case 0:
		c.IntervalMS = 1 // cannot be run
	case 1, 2:
		artefact := wire.Artefact{SHA256: fmt.Sprintf("%064d", w.IntN(4)), Size: 1}
		c.Source, c.Plugin = "", &wire.PushedPlugin{Artefacts: map[string]wire.Artefact{runtime.GOOS + "/" + runtime.GOARCH: artefact}}
	}
	return c
}

func (w *world) item(name string) wire.Assigned {
	code := w.code(name)
	item := wire.Assigned{Revision: wire.RevisionOf(code), Code: code}
	if w.IntN(3) > 0 {
		item.Signatures = []wire.Signature{{Key: w.key.Public().ID(), Signature: w.key.Sign(item.Revision)}}
	}
	return item
}

func (w *world) facts() *facts {
	f := &facts{
		builtIn: make(map[string]bool), last: make(map[string]inspectors.Definition), before: make(map[string]wire.Assigned),
		programs: make(map[wire.Artefact]program),
	}
	for i := range 5 {
		name := fmt.Sprintf("i%d", i)
		if w.IntN(3) == 0 {
			f.own = append(f.own, agenttest.Script(name, "own", time.Second))
			f.builtIn[name] = w.IntN(2) == 0
		}
		if w.IntN(3) == 0 {
			f.last[name] = agenttest.Script(name, "last", time.Second)
		}
		if w.IntN(3) == 0 {
			f.before[name] = w.item(name)
		}
	}
	for range w.IntN(6) {
		f.items = append(f.items, w.item(w.name()))
	}
	if w.IntN(2) == 0 {
		f.signers = mustParseSigners(w.key)
	}
	if w.IntN(4) == 0 {
		f.plugins = fmt.Errorf("%w: no plugins", inspectors.ErrPolicy)
	}
	return f
}

// learned decides until nothing more is asked for, with what a source knows of each
// program, as an Assigner does.
func learned(t *testing.T, f *facts, source func(wire.Artefact) program) decision {
	t.Helper()
	for range 20 {
		d := decide(f)
		more := false
		for artefact := range d.needs {
			if _, known := f.programs[artefact]; !known {
				f.programs[artefact], more = source(artefact), true
			}
		}
		if !more {
			return d
		}
	}
	t.Fatal("the decision asks for ever more programs")
	panic("unreachable")
}

// Whatever the facts are, the host's own inspectors run, each name runs once, nothing
// runs that the host refuses, and what cannot run leaves the old. A decision follows
// from the facts alone, and does not change them.
func TestDecideAtRandom(t *testing.T) {
	seed := rand.Uint64()
	w := &world{Rand: rand.New(rand.NewPCG(seed, 0)), key: signingtest.Key(t)}
	for round := range 500 {
		f := w.facts()
		fetched := make(map[wire.Artefact]program)
		source := func(a wire.Artefact) program {
			if _, ok := fetched[a]; !ok {
				fetched[a] = []program{{file: "/bin/" + a.SHA256}, {err: programs.ErrFetching}, {err: errors.New("cannot fetch it")}}[w.IntN(3)]
			}
			return fetched[a]
		}
		d := learned(t, f, source)
		before := *f
		before.items, before.last, before.before = slices.Clone(f.items), maps.Clone(f.last), maps.Clone(f.before)
		if again := decide(f); !reflect.DeepEqual(again, d) || !reflect.DeepEqual(before, *f) {
			t.Fatalf("seed %d, round %d: another decision of the same facts:\n%+v\n%+v", seed, round, d, again)
		}
		if fault := faultOf(f, &d); fault != "" {
			t.Fatalf("seed %d, round %d: %s\nfacts %+v\ndecision %+v", seed, round, fault, f, d)
		}
	}
}

// faultOf says what is wrong with a decision, or "".
func faultOf(f *facts, d *decision) string {
	running := make(map[string]inspectors.Definition)
	for _, def := range d.run {
		if _, twice := running[def.Name]; twice {
			return def.Name + " runs twice"
		}
		running[def.Name] = def
	}
	for _, def := range f.own {
		pushed, replaced := d.pushed[def.Name]
		if got := running[def.Name]; replaced != (got.Script == nil || got.Script.Source != "own") || replaced && got.Revision() != pushed.Revision() {
			return fmt.Sprintf("of the host's own %s runs %+v; pushed %v", def.Name, got, replaced)
		}
		if replaced && !f.builtIn[def.Name] {
			return def.Name + " is the host's own and is replaced"
		}
	}
	if len(d.verdicts) != len(f.items) {
		return fmt.Sprintf("%d verdicts of %d items", len(d.verdicts), len(f.items))
	}
	for i, v := range d.verdicts {
		item := f.items[i]
		def, runs := d.pushed[item.Name]
		last, some := f.last[item.Name]
		twice := slices.ContainsFunc(d.verdicts, func(other verdict) bool { return other.name == v.name && other.revision != v.revision })
		switch {
		case v.name != item.Name || v.revision != item.Revision || v.state != receiptOf(v.err):
			return fmt.Sprintf("the verdict %+v is not of %+v", v, item)
		case v.err == nil && (twice || !runs || def.Assigned != item.Revision):
			return item.Name + " is verified and does not run"
		case v.err == nil && unsigned(f, item):
			return item.Name + " runs without a signature"
		case v.err == nil && item.Plugin != nil && f.plugins != nil:
			return item.Name + " is a plugin, and runs where none may"
		case errors.Is(v.err, ErrOwn) && (runs || v.oldGoesOn):
			return item.Name + " is the host's own and runs pushed code"
		case v.err != nil && !errors.Is(v.err, ErrOwn) && v.oldGoesOn != runs:
			return fmt.Sprintf("of %s it is said that the old goes on: %v; it runs: %v", item.Name, v.oldGoesOn, runs)
		case v.err != nil && !errors.Is(v.err, ErrOwn) && some && def.Revision() != last.Revision():
			return item.Name + " cannot run, and the one before does not go on"
		}
	}
	return ""
}

// A program that is not known is asked for and not run, and one that nobody wants is
// not asked for.
func TestDecideAsksForPrograms(t *testing.T) {
	artefact := wire.Artefact{SHA256: fmt.Sprintf("%064d", 1), Size: 1}
	item := wire.Assigned{Revision: "r", Code: wire.Code{
		Name: "gpu", IntervalMS: 1000,
		Plugin: &wire.PushedPlugin{Artefacts: map[string]wire.Artefact{runtime.GOOS + "/" + runtime.GOARCH: artefact}},
	}}
	f := &facts{items: []wire.Assigned{item}, programs: make(map[wire.Artefact]program)}
	if d := decide(f); !d.needs[artefact] || len(d.run) != 0 || d.verdicts[0].state != wire.ReceiptReceived {
		t.Errorf("without its program: %+v", d)
	}
	f.programs[artefact] = program{file: "/bin/gpu"}
	if d := decide(f); !d.needs[artefact] || len(d.run) != 1 || d.run[0].Plugin.Path != "/bin/gpu" || d.verdicts[0].state != wire.ReceiptVerified {
		t.Errorf("with its program: %+v", d)
	}
	f.plugins = inspectors.ErrPolicy
	if d := decide(f); len(d.needs) != 0 || len(d.run) != 0 || d.verdicts[0].state != wire.ReceiptRefused {
		t.Errorf("where no plugins may run: %+v", d)
	}
}

func mustParseSigners(key signing.PrivateKey) *Signers {
	s, err := ParseSigners([]string{key.Public().String()})
	if err != nil {
		panic(err)
	}
	return s
}

func unsigned(f *facts, item wire.Assigned) bool {
	_, err := f.signers.Check(&item.Code, item.Signatures)
	return err != nil
}
