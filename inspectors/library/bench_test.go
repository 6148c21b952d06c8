package library

import (
	"context"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script"
)

// BenchmarkInspect measures one run of each built-in inspector, as the engine runs it.
func BenchmarkInspect(b *testing.B) {
	for _, d := range Definitions() {
		b.Run(d.Name, func(b *testing.B) {
			p, err := script.Load(d)
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			b.ReportAllocs()
			for b.Loop() {
				r := inspectors.NewReport(d.Name, time.Now())
				if err := p.Inspect(ctx, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
