package script

import (
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/inspectortest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	SeparateClients()
	goleak.VerifyTestMain(m)
}

func TestSuite(t *testing.T) {
	inspectortest.Run(t, inspectortest.Kind{Contained: true, New: func(t *testing.T, behaviour, key string) inspectors.Inspector {
		p, err := Load(inspectors.Definition{Name: key, Script: &inspectors.Script{File: behaviour + ".go", Line: 1, Source: inspectortest.Script(behaviour)}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		return p
	}})
}
