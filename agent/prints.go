package agent

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Bounds of the stored printed lines, in bytes: for one inspector, for all of
// them, and for one line. A line counts with its text and printOverhead.
const (
	maxPrintsOfOne = 64 << 10
	maxPrints      = 256 << 10
	maxPrintLine   = 4 << 10
	printOverhead  = 64
)

// prints holds the latest lines that inspectors have printed, in memory, for
// people who ask through the master.
type prints struct {
	boot string // names the numbering of the lines

	mu    sync.Mutex
	lines []printed // oldest first
	last  uint64    // number of the newest line
	of    map[string]*printsOf
	size  int
}

// printsOf is the lines of one inspector.
type printsOf struct {
	size    int
	dropped uint64 // number of the newest line that was dropped
}

type printed struct {
	inspector string
	line      wire.LogLine
}

func (p *printed) size() int { return len(p.line.Text) + printOverhead }

func newPrints(boot string) *prints {
	return &prints{boot: boot, of: make(map[string]*printsOf)}
}

// add stores a line, and drops the oldest ones if there is no room.
func (p *prints) add(inspector, text string) {
	if len(text) > maxPrintLine {
		end := maxPrintLine
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	line := printed{inspector, wire.LogLine{Seq: p.last, AtMS: time.Now().UnixMilli(), Text: strings.ToValidUTF8(text, "\uFFFD")}}
	of := p.of[inspector]
	if of == nil {
		of = &printsOf{}
		p.of[inspector] = of
	}
	p.lines = append(p.lines, line)
	of.size += line.size()
	p.size += line.size()
	for of.size > maxPrintsOfOne {
		p.dropLocked(slices.IndexFunc(p.lines, func(l printed) bool { return l.inspector == inspector }))
	}
	for p.size > maxPrints {
		p.dropLocked(0)
	}
}

func (p *prints) dropLocked(i int) {
	line := p.lines[i]
	of := p.of[line.inspector]
	of.size -= line.size()
	of.dropped = line.line.Seq
	p.size -= line.size()
	p.lines = slices.Delete(p.lines, i, i+1)
}

// get returns lines of an inspector: those after a number of this numbering, or the
// latest.
func (p *prints) get(_ context.Context, params wire.AgentLogsParams) (wire.LogsResult, error) {
	if params.Limit < 1 || params.Limit > wire.MaxLogLines {
		return wire.LogsResult{}, rpc.Errorf(rpc.CodeInvalidParams, "limit is %d; it must be between 1 and %d", params.Limit, wire.MaxLogLines)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	following := params.Boot == p.boot && params.After > 0
	result := wire.LogsResult{Boot: p.boot, Last: p.last, Lines: []wire.LogLine{}}
	for _, l := range p.lines {
		if l.inspector == params.Inspector && (!following || l.line.Seq > params.After) {
			result.Lines = append(result.Lines, l.line)
		}
	}
	if of := p.of[params.Inspector]; following && of != nil && of.dropped > params.After {
		result.Missed = true
	}
	if more := len(result.Lines) - params.Limit; more > 0 {
		if following { // the rest is for the next call
			result.Lines = result.Lines[:params.Limit]
			result.Last = result.Lines[params.Limit-1].Seq
		} else {
			result.Lines = result.Lines[more:]
		}
	}
	return result, nil
}
