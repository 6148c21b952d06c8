package mesh

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// liveEvery is how often a screen of live values is redrawn.
	liveEvery = 250 * time.Millisecond
	// liveKept is how many values of a series its sparkline shows.
	liveKept = sparkCells
	// liveSeries is how many series a screen keeps; a terminal has no room for more.
	liveSeries = 2000
)

// liveScreen shows the latest value of each series on a terminal, in place, with a
// sparkline.
type liveScreen struct {
	screen *cli.Screen

	mu     sync.Mutex // guards the fields below
	series map[string]*liveLine
	left   int // samples of series that there is no room for
	note   string
	drawn  bool // since the last change
	ended  bool // nothing more will come
}

// liveLine is one series.
type liveLine struct {
	host, name, key string
	at              int64
	values          []float64
}

func newLiveScreen(out io.Writer) *liveScreen {
	return &liveScreen{screen: cli.NewScreen(out), series: make(map[string]*liveLine)}
}

// take stores a sample.
func (l *liveScreen) take(host string, m wire.Metric) error {
	labels, err := inspectors.LabelsFromMap(m.Labels)
	if err != nil {
		return err
	}
	name := m.Key + labels.String()
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.series[host+"\x00"+name]
	switch {
	case line != nil:
	case len(l.series) >= liveSeries:
		l.left++
		return nil
	default:
		line = &liveLine{host: host, name: name, key: m.Key}
		l.series[host+"\x00"+name] = line
	}
	line.at = m.TS
	line.values = append(line.values, *m.Val)
	line.values = line.values[max(0, len(line.values)-liveKept):]
	l.drawn = false
	return nil
}

// Write shows a line of text below the values. Errors go there while the screen is used.
func (l *liveScreen) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note, l.drawn = strings.TrimSpace(string(text)), false
	return len(text), nil
}

// draw draws the values if there is something new.
func (l *liveScreen) draw() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		return nil
	}
	l.drawn = true
	lines, err := l.values()
	if err != nil {
		return err
	}
	foot := 0
	if l.left > 0 {
		lines, foot = append(lines, "… and samples of further series; watch fewer with a narrower pattern"), foot+1
	}
	if l.note != "" {
		lines, foot = append(lines, cli.Printable(cli.OneLine(l.note))), foot+1
	}
	return l.screen.ShowAbove(lines, foot)
}

// end draws the values for the last time.
func (l *liveScreen) end() error {
	l.mu.Lock()
	l.ended, l.drawn = true, false
	l.mu.Unlock()
	return l.draw()
}

// values are the lines of the table.
func (l *liveScreen) values() ([]string, error) {
	switch {
	case len(l.series) > 0:
	case l.ended:
		return nil, nil
	default:
		return []string{"no samples yet"}, nil
	}
	var text strings.Builder
	t := cli.Table{Out: &text, Right: []bool{false, false, true}}
	sorted := slices.SortedFunc(maps.Values(l.series), func(a, b *liveLine) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.name, b.name))
	})
	rows := [][]string{{"HOST", "KEY", "VALUE", "COURSE", "AT"}}
	for _, s := range sorted {
		rows = append(rows, []string{s.host, s.name, cli.Value(s.key, s.values[len(s.values)-1]), cli.Spark(s.values, sparkCells), cli.Clock(time.UnixMilli(s.at))})
	}
	for _, row := range rows {
		t.Fit(row...)
	}
	t.Squeeze(l.screen.Width() - 1)
	for _, row := range rows {
		if err := t.Row(row...); err != nil {
			return nil, err
		}
	}
	return strings.Split(strings.TrimRight(text.String(), "\n"), "\n"), nil
}
