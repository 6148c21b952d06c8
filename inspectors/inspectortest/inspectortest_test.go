package inspectortest

import (
	"context"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNative(t *testing.T) {
	Run(t, Kind{New: func(t *testing.T, behaviour, key string) inspectors.Inspector {
		switch f := Natives()[behaviour].(type) {
		case func() (float64, error):
			return inspectors.Value(func(context.Context) (float64, error) { return f() })
		case func(context.Context) (float64, error):
			return inspectors.Value(f)
		case func(context.Context, *inspectors.Report) error:
			return inspectors.Func(f)
		default:
			t.Fatalf("behaviour %q is a %T", behaviour, f)
			return nil
		}
	}})
}
