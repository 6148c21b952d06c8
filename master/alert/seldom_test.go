package alert

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// However often rules fail, each is named once in sayEvery, and no failure is forgotten:
// the next line counts those that were not logged.
func TestRulesThatFailAreLoggedSeldom(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	var out bytes.Buffer
	handler := seldomLog(slog.New(slog.NewTextHandler(&out, nil))).Handler()
	now, last, unsaid := time.Unix(1_800_000_000, 0), make(map[string]time.Time), make(map[string]int)
	lines := 0
	for i := range 5000 {
		now = now.Add(time.Duration(random.IntN(20_000)) * time.Millisecond)
		group, name := fmt.Sprint("g", random.IntN(3)), fmt.Sprint("r", random.IntN(5))
		r := slog.NewRecord(now, slog.LevelWarn, "Evaluating rule failed", 0)
		r.AddAttrs(slog.String("name", name), slog.String("err", fmt.Sprint("limit exceeded by ", i)))
		out.Reset()
		if err := handler.WithAttrs([]slog.Attr{slog.String("group", group)}).Handle(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		id := group + name
		at, known := last[id]
		if due := !known || now.Sub(at) >= sayEvery; due != (out.Len() > 0) {
			t.Fatalf("%s at %v, last at %v: %q", id, now, at, out.String())
		} else if !due {
			unsaid[id]++
			continue
		}
		lines++
		want := ""
		if unsaid[id] > 0 {
			want = fmt.Sprint(" more=", unsaid[id])
		}
		if !strings.HasSuffix(out.String(), fmt.Sprintf("exceeded by %d\"%s\n", i, want)) {
			t.Fatalf("%d were not logged: %q", unsaid[id], out.String())
		}
		last[id], unsaid[id] = now, 0
	}
	if lines < 15 || lines > 2000 {
		t.Errorf("%d lines of 5000", lines)
	}
	out.Reset()
	for range 3 {
		slog.New(handler).Info("rules are read")
	}
	if got := strings.Count(out.String(), "\n"); got != 3 {
		t.Errorf("of 3 lines that are no warnings %d were logged", got)
	}
}
