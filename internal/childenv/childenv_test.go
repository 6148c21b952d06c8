package childenv

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Children get the variables that are named here, whatever their values and whatever
// else there is, in the order of the environment.
func TestOf(t *testing.T) {
	passed := []string{"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "GORACE", "LC_ALL", "LC_TIME", "HOST_PROC", "HOST_SYS"}
	kept := []string{"VEDETTE_TOKEN", "AWS_SECRET_ACCESS_KEY", "path", "PATHS", "XLC_ALL", "HOSTNAME", "LD_PRELOAD", "GOTRACEBACK", "CREDENTIALS_DIRECTORY", ""}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		var environ, want []string
		for range r.IntN(20) {
			if r.IntN(2) == 0 {
				pair := passed[r.IntN(len(passed))] + "=" + strings.Repeat("PATH=x", r.IntN(3))
				environ, want = append(environ, pair), append(want, pair)
			} else {
				environ = append(environ, kept[r.IntN(len(kept))]+"="+strings.Repeat("PATH=x", r.IntN(3)))
			}
		}
		if got := Of(environ); !slices.Equal(got, want) {
			t.Fatalf("seed %d: of %q children get %q, not %q", seed, environ, got, want)
		}
	}
}
