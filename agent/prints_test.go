package agent

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/rpc/wire"
)

// Random output and readers: the buffer is bounded, lines arrive once and in order, and a
// reader who has missed some is told.
func TestPrintsAreFollowed(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	p := newPrints("boot")
	names := []string{"a", "b", "c"}
	written := make(map[string][]string)
	seen := make(map[string]int)     // lines that were told
	after := make(map[string]uint64) // where to go on
	ask := func(name string, limit int) wire.LogsResult {
		t.Helper()
		got, err := p.get(t.Context(), wire.AgentLogsParams{Inspector: name, Boot: "boot", After: after[name], Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for i := range 3000 {
		name := names[r.IntN(len(names))]
		text := fmt.Sprint(i) + strings.Repeat("é", r.IntN(300))
		written[name] = append(written[name], text)
		p.add(name, text)
		if p.size > maxPrints || p.of[name].size > maxPrintsOfOne {
			t.Fatalf("%d bytes are kept, %d of %s", p.size, p.of[name].size, name)
		}
		if name = names[r.IntN(len(names))]; r.IntN(20) > 0 {
			continue
		}
		got := ask(name, 1+r.IntN(50))
		first := after[name] == 0
		after[name] = got.Last
		if len(got.Lines) == 0 {
			continue
		}
		all := written[name]
		at := seen[name]
		for at < len(all) && all[at] != got.Lines[0].Text {
			at++
		}
		if at > seen[name] && !first && !got.Missed {
			t.Fatalf("%s: %d lines are left out, and that is not told", name, at-seen[name])
		}
		for k, line := range got.Lines {
			if at+k >= len(all) || all[at+k] != line.Text {
				t.Fatalf("%s: line %d is told as %.20q", name, at+k, line.Text)
			}
		}
		seen[name] = at + len(got.Lines)
	}
}

func TestPrintsOfAnotherBoot(t *testing.T) {
	p := newPrints("new")
	p.add("a", strings.Repeat("x", 2*maxPrintLine))
	p.add("a", "b\xff")
	got, err := p.get(t.Context(), wire.AgentLogsParams{Inspector: "a", Boot: "old", After: 99, Limit: 10})
	if err != nil || len(got.Lines) != 2 || got.Boot != "new" || got.Last != 2 || got.Lines[1].Text != "b\uFFFD" || len(got.Lines[0].Text) > maxPrintLine+4 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := p.get(t.Context(), wire.AgentLogsParams{Inspector: "a", Limit: wire.MaxLogLines + 1}); err == nil {
		t.Error("there is no limit")
	}
}
