package alerts

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/vedettehq/vedette/cmd/internal/cli"
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

// The list names time intervals beside the people and the alerts that mute an alert.
func TestMutedText(t *testing.T) {
	for want, one := range map[string]wire.Alert{
		"-":                           {},
		"silenced by anna, by x/gone": {SilencedBy: []wire.Silence{{By: "anna"}}, InhibitedBy: []string{"x/gone"}},
		"in nights and weekends for ops, outside office for b": {ShutHours: []wire.ShutHours{
			{Receiver: "ops", Intervals: []string{"nights", "weekends"}}, {Receiver: "b", Outside: []string{"office"}},
		}},
		"in nights, outside office for ops": {ShutHours: []wire.ShutHours{{Receiver: "ops", Intervals: []string{"nights"}, Outside: []string{"office"}}}},
	} {
		if got := mutedText(one); got != want {
			t.Errorf("%+v is muted %q, want %q", one, got, want)
		}
	}
}

// Whatever a master answers to a change, it is told in words, a removal too.
func TestChangeText(t *testing.T) {
	number := func(v float64) *float64 { return &v }
	for want, one := range map[string]wire.AlertThreshold{
		"disk/full is off on every host.":                                  {Alert: "disk/full", Off: true},
		"disk/full has the threshold -0.5 on hosts with role=db.":          {Alert: "disk/full", Selector: "role=db", Value: number(-0.5)},
		"The threshold of disk/full on hosts with role=db is taken back.":  {Alert: "disk/full", Selector: "role=db"},
		"The threshold of memory/nearly-gone on every host is taken back.": {Alert: "memory/nearly-gone"},
	} {
		if got := changeText(one); got != want {
			t.Errorf("%+v is told as %q, want %q", one, got, want)
		}
	}
	for range 1000 {
		var params wire.AlertThresholdParams
		text := []string{"nan", "-Inf", "+inf", "1e999", "0x", "5%", "", "95,5"}[rand.IntN(8)]
		if err := readThreshold(&params, []string{"disk/full", text}); err == nil || cli.Status(err) != cli.ExitUsage {
			t.Fatalf("the number %q is read: %v", text, err)
		}
		v := rand.NormFloat64() * 1e9
		if err := readThreshold(&params, []string{"disk/full", strconv.FormatFloat(v, 'g', -1, 64)}); err != nil || *params.Value != v {
			t.Fatalf("the number %g is read as %+v: %v", v, params, err)
		}
	}
}
