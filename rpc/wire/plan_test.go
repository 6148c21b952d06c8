package wire_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/rpc/wire"
)

func TestParseStages(t *testing.T) {
	stages, err := wire.ParseStages("1, 2.5%,100%")
	if want := []wire.Stage{{Hosts: 1}, {Percent: 2.5}, {Percent: 100}}; err != nil || !reflect.DeepEqual(stages, want) {
		t.Fatalf("%v, %v, want %v", stages, err, want)
	}
	for text, want := range map[string]string{
		"":                             `cannot read the stage ""`,
		"0":                            `cannot read the stage "0"`,
		"-1":                           `cannot read the stage "-1"`,
		"10%,x":                        `cannot read the stage "x"`,
		"0%":                           `cannot read the stage "0%"`,
		"101%":                         `cannot read the stage "101%"`,
		"NaN%":                         `cannot read the stage "NaN%"`,
		"10%,10%":                      "stage 2 (10%) is not more than stage 1 (10%): stages grow",
		"5,1":                          "stage 2 (1) is not more than stage 1 (5): stages grow",
		"5,10%,5":                      "stage 3 (5) is not more than stage 1 (5): stages grow",
		"5%,1,2,3%":                    "stage 4 (3%) is not more than stage 1 (5%): stages grow",
		"100%,500":                     "stage 2 (500) comes after 100%, which is every host",
		strings.Repeat("1,", 20) + "2": "a plan of 21 stages: at most 20 are allowed",
	} {
		if _, err := wire.ParseStages(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Whatever text of stages is read, writing it and reading that gives the same, and a
// plan of it is in order.
func TestStagesAreReadAsTheyAreWritten(t *testing.T) {
	words := []string{"1", "3", "10%", "2.5%", "0.1%", "100%", "500", "0", "x", "", " 7 ", "101%", "1e1%", "-0%", "+4", "99.999%"}
	read := 0
	for range 20_000 {
		parts := make([]string, 1+rand.IntN(4))
		for i := range parts {
			parts[i] = words[rand.IntN(len(words))]
		}
		text := strings.Join(parts, ",")
		stages, err := wire.ParseStages(text)
		if err != nil {
			continue
		}
		read++
		for i, s := range stages {
			parts[i] = s.String()
		}
		again, err := wire.ParseStages(strings.Join(parts, ","))
		if err != nil || !reflect.DeepEqual(again, stages) {
			t.Fatalf("%q: %v, and again %v, %v", text, stages, again, err)
		}
		if err := (wire.Plan{Stages: stages}).Check(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	if read < 100 {
		t.Errorf("only %d texts were read", read)
	}
}
