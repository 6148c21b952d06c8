package script

import (
	"context"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

func load(t *testing.T, source string) *Program {
	t.Helper()
	p, err := Load(inspectors.Definition{Name: "test", Script: &inspectors.Script{File: "test.go", Line: 1, Source: source}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestQuick(t *testing.T) {
	p := load(t, `
n, err := load.Avg()
if err != nil { return err }
r.Gauge("one", n.Load1, "a", "b")
`)
	r := inspectors.NewReport("test", time.Now())
	t.Log(p.Inspect(context.Background(), r), r.Samples(), r.Err())
	p = load(t, `package foo
import "time"
func Inspect() (float64, error) {
	x := 1
	x++
	time.Sleep(1)
	var m map[string]int
	if x > 0 {
		m["a"] = 1
	}
	return 0, nil
}
`)
	r = inspectors.NewReport("test", time.Now())
	t.Log(p.Inspect(context.Background(), r), r.Samples(), r.Err())
	p = load(t, "for {}")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	r = inspectors.NewReport("test", time.Now())
	t.Log(p.Inspect(ctx, r), r.Samples(), r.Err(), p.Leaked())
}
