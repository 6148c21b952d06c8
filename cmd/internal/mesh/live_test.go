package mesh

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/rpc/wire"
)

func TestLiveScreen(t *testing.T) {
	var out bytes.Buffer
	l := newLiveScreen(&out)
	sample := func(host, key string, v float64) {
		t.Helper()
		if err := l.take(host, wire.Metric{TS: 1767225600000, Key: key, Val: &v}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		sample("b", "disk/free_bytes", float64(i))
	}
	sample("a", "load", 1)
	if err := l.draw(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "a     load") || !strings.HasPrefix(lines[2], "b     disk/free_bytes   29 B  ▁") {
		t.Errorf("got:\n%s", out.String())
	}
	out.Reset()
	if err := l.draw(); err != nil || out.Len() > 0 {
		t.Errorf("what is the same is drawn again: %q, %v", out.String(), err)
	}
	fmt.Fprintln(l, "the connection is lost; trying again in 1s")
	if err := l.draw(); err != nil || !strings.HasPrefix(out.String(), "\x1b[3A\r\x1b[J") || !strings.Contains(out.String(), "\nthe connection is lost") {
		t.Errorf("got %q, %v", out.String(), err)
	}
	for i := range liveSeries + 5 {
		sample("c", fmt.Sprintf("key-%d", i), 1)
	}
	if len(l.series) != liveSeries || l.left == 0 {
		t.Errorf("%d series are kept, %d samples left", len(l.series), l.left)
	}
}

// A screen that never had a sample leaves nothing behind, so that an error stands alone.
func TestLiveScreenWithoutSamples(t *testing.T) {
	var out bytes.Buffer
	l := newLiveScreen(&out)
	if err := l.draw(); err != nil || out.String() != "no samples yet\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	out.Reset()
	if err := l.end(); err != nil || out.String() != "\x1b[1A\r\x1b[J" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}
