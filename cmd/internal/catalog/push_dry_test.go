package catalog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/rpc/wire"
)

func TestForetoldText(t *testing.T) {
	was := "zone=a"
	refusals := []wire.Refusal{{Host: "a", Reason: "no\nreally"}}
	const fresh = "disk 12345678 is new, and would go to every host: "
	for want, f := range map[string]foretold{
		fresh + "3 hosts\n": {Change: changeNew, Hosts: 3},
		"disk 12345678 replaces abcdef01, and would go to role=db: 1 host\n2 hosts would drop it\n": {
			Change: changeCode, From: "abcdef0123", To: "role=db", Hosts: 1, Drops: 2,
		},
		"disk 12345678 is current already for other hosts, and would go to every host: 2 hosts (now zone=a)\n": {
			Change: changeHosts, WasTo: &was, Hosts: 2,
		},
		"disk 12345678 is current already; nothing would be done\n":            {Change: changeNone, Hosts: 2},
		fresh + "2 hosts\n1 of 2 hosts will refuse it:\n  a: no\n    really\n": {Change: changeNew, Hosts: 2, Refusals: refusals},
	} {
		f.Name, f.Revision = "disk", "1234567890"
		if got := foretoldText(f); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// However many hosts refuse for however many reasons, each reason appears once, and every
// host is counted.
func TestRefusalsText(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		count := make(map[string]int)
		var refusals []wire.Refusal
		for i := range 1 + r.IntN(40) {
			reason := fmt.Sprintf("reason-%d.", r.IntN(6))
			count[reason]++
			refusals = append(refusals, wire.Refusal{Host: fmt.Sprintf("host-%d", i), Reason: reason})
		}
		text := refusalsText(refusals, 50)
		for reason, n := range count {
			if strings.Count(text, reason) != 1 {
				t.Fatalf("seed %d: %s is told %d times: %s", seed, reason, strings.Count(text, reason), text)
			}
			if n > namesShown && !strings.Contains(text, fmt.Sprintf(" and %d more: %s", n-namesShown, reason)) {
				t.Errorf("seed %d: %s has %d hosts: %s", seed, reason, n, text)
			}
		}
	}
}
