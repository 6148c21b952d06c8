package main

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// The versions of trees sort, for dpkg and rpm themselves, as the trees came about.
func TestVersionsSort(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("dpkg is not there")
	}
	_, noRPM := exec.LookPath("rpm")
	for range 5 {
		at := time.Unix(1_700_000_000+rand.Int64N(100_000_000), 0)
		commit := func() string { return fmt.Sprintf("%07x", 0x1000000+rand.Uint32N(0xe000000)) }
		n, m := rand.IntN(30), rand.IntN(30)
		base, next := fmt.Sprintf("v%d.%d.%d", n, m, rand.IntN(9)), fmt.Sprintf("v%d.%d.0", n, m+1)
		few := rand.IntN(9) + 1
		order := []version{
			{commit(), at},
			{commit(), at.Add(time.Hour)},
			{base + "-rc.1", at},
			{base + "-rc.2", at},
			{base + "-rc.10", at},
			{base, at},
			{fmt.Sprintf("%s-%d-g%s", base, few, commit()), at},
			{fmt.Sprintf("%s-%d-g%s", base, few+9, commit()), at},
			{next + "-rc.1", at},
			{next, at},
		}
		for i := 1; i < len(order); i++ {
			before, after := order[i-1].in("deb"), order[i].in("deb")
			if err := exec.Command("dpkg", "--compare-versions", before, "lt", after).Run(); err != nil {
				t.Errorf("for dpkg, %s is not before %s: %v", before, after, err)
			}
			before, after = order[i-1].in("rpm"), order[i].in("rpm")
			if noRPM != nil {
				continue
			}
			if out, err := exec.Command("rpm", "--eval", fmt.Sprintf("%%{lua:print(rpm.vercmp(%q,%q))}", before, after)).Output(); err != nil || string(out) != "-1\n\n" && string(out) != "-1\n" {
				t.Errorf("for rpm, %s is not before %s: %q, %v", before, after, out, err)
			}
		}
	}
}

// What Alpine takes for a version, by its documentation.
func TestVersionsOfAlpine(t *testing.T) {
	good := regexp.MustCompile(`^\d+(\.\d+)*(_(alpha|beta|pre|rc|git|p)\d*)*$`)
	at := time.Unix(1_796_000_000, 0)
	for describe, want := range map[string]string{
		"v1.2.3": "1.2.3", "v1.2.3-rc.4": "1.2.3_rc4", "v1.2.3-4-gabc1234": "1.2.3_p4", "v1.2.3-rc.1-4-gabc1234": "1.2.3_rc1_p4",
		"abc1234": "0.0.0_git20261130005320", "1234567": "0.0.0_git20261130005320", "v1.2.3-dirty": "1.2.3_p20261130005320", "devel": "0.0.0_git20261130005320",
	} {
		if got := (version{describe, at}).in("apk"); got != want || !good.MatchString(got) {
			t.Errorf("%s is %s, want %s", describe, got, want)
		}
	}
}
