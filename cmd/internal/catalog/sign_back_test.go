package catalog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/internal/signing/signingtest"
	"github.com/vedettehq/vedette/rpc/wire"
)

// signer returns the flags of a push that signs with a key.
func signer(t *testing.T, key signing.PrivateKey, args ...string) *remote.SignFlags {
	t.Helper()
	text, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var f remote.SignFlags
	cmd := &cobra.Command{}
	f.Flags(cmd)
	if err := cmd.ParseFlags(append(args, "--sign-key", file)); err != nil {
		t.Fatal(err)
	}
	if err := f.Read(cmd); err != nil {
		t.Fatal(err)
	}
	return &f
}

// TestMasterChoosesTheWayBack has a master name random revisions as the one that a push
// replaces. The key signs only revisions that it has signed before, not for longer and not
// for other hosts.
func TestMasterChoosesTheWayBack(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	key, stranger := signingtest.Key(t), signingtest.Key(t)
	now := time.Now()
	f := signer(t, key, "--sign-until", "48h")
	for i := range 300 {
		code := wire.Code{Name: "disk", Source: fmt.Sprint(i)}
		from := wire.Revision{ID: wire.RevisionOf(code), Code: code}
		st := signing.Statement{
			Use: []string{signing.UseRun, signing.UseRun, signing.UseTry}[r.IntN(3)], Number: f.Number() - 500 + r.Int64N(600),
			UntilMS:  []int64{0, now.Add(-time.Hour).UnixMilli(), now.Add(time.Hour).UnixMilli(), now.Add(1000 * time.Hour).UnixMilli()}[r.IntN(4)],
			Selector: []string{"", "role=db"}[r.IntN(2)],
		}
		by, signed := key, from.ID
		forged := r.IntN(4)
		switch forged {
		case 0:
			by = stranger
		case 1:
			signed = wire.RevisionOf(wire.Code{Name: "disk", Source: "other"})
		}
		g := wire.Sign(by, signed, st)
		if forged == 0 && r.IntN(2) == 0 {
			g.Key = key.Public().ID()
		}
		from.Signatures = []wire.Signature{wire.Sign(stranger, from.ID, st), g}
		back := wayBackTo(f, from, now)
		want := forged > 1 && st.Use == signing.UseRun && st.Number <= f.Number() && (st.UntilMS == 0 || st.UntilMS > now.UnixMilli())
		if (back.why == "") != want {
			t.Fatalf("%+v, forged %d, gave %q", st, forged, back.why)
		}
		if !want {
			if len(back.params.Signatures) > 0 {
				t.Fatal("it is signed all the same")
			}
			continue
		}
		again := back.params.Signatures[0]
		if !f.Ours(code, again) || again.Selector != st.Selector || again.Number != f.Number() || back.number != st.Number {
			t.Fatalf("%+v is signed as %+v", st, again)
		}
		if most := now.Add(49 * time.Hour).UnixMilli(); again.UntilMS > most || st.UntilMS > 0 && again.UntilMS > st.UntilMS {
			t.Fatalf("what was signed until %d is signed until %d", st.UntilMS, again.UntilMS)
		}
	}
}

// A revision that was signed in the old form has no number; the way back has one.
func TestWayBackFromTheOldForm(t *testing.T) {
	key := signingtest.Key(t)
	f := signer(t, key)
	code := wire.Code{Name: "disk", Source: "one"}
	from := wire.Revision{ID: wire.RevisionOf(code), Code: code}
	from.Signatures = []wire.Signature{{Key: key.Public().ID(), Signature: key.Sign(from.ID)}}
	back := wayBackTo(f, from, time.Now())
	if back.why != "" || back.params.Signatures[0].Number != f.Number() || !strings.Contains(numberText(back.number), "without a number") {
		t.Errorf("it gave %+v", back)
	}
}
