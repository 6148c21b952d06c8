package alerts

import (
	"testing"

	"github.com/vedettehq/vedette/rpc/wire"
)

// A person who is told in several ways is named once.
func TestToldText(t *testing.T) {
	done, failed, underWay := wire.TellNote{AtMS: 5}, wire.TellNote{Failed: "refused"}, wire.TellNote{}
	at := func(receiver string, n wire.TellNote) wire.TellNote {
		n.Receiver = receiver
		return n
	}
	for want, notes := range map[string][]wire.TellNote{
		"-":                                   nil,
		"ops":                                 {at("ops/email[0]", done)},
		"ops (failed)":                        {at("ops/email[0]", failed)},
		"ops (under way), b":                  {at("ops/email[0]", underWay), at("b/webhook[0]", done)},
		"ops, b (1 of 2 failed)":              {at("ops/email[0]", done), at("b/webhook[0]", failed), at("b/webhook[1]", done), at("ops/email[1]", done)},
		"b (2 of 2 failed)":                   {at("b/webhook[0]", failed), at("b/webhook[1]", failed)},
		"b (1 of 3 failed, 1 of 3 under way)": {at("b/webhook[0]", failed), at("b/webhook[1]", done), at("b/webhook[2]", underWay)},
	} {
		if got := toldText(notes); got != want {
			t.Errorf("%+v is %q, want %q", notes, got, want)
		}
	}
}
