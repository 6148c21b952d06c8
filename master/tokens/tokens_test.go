package tokens

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, file string) (*Store, state.Store) {
	t.Helper()
	store, err := state.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	s := New(func(string) bool { return false })
	if err := s.Open(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	return s, store
}

// A token that ends is told of once, listed for a time, and then forgotten, also on
// the disk.
func TestEndedTokensAreForgotten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		s, store := open(t, file)
		for _, p := range []wire.TokenParams{
			{Name: "a", Role: "viewer", ForMS: time.Hour.Milliseconds()},
			{Name: "b", Role: "viewer", ForMS: 2 * time.Hour.Milliseconds()},
			{Name: "c", Role: "viewer"},
		} {
			if _, _, err := s.Create(context.Background(), p); err != nil {
				t.Fatal(err)
			}
		}
		told, began := 0, time.Now()
		for time.Since(began) < keepEnded+4*time.Hour {
			time.Sleep(7 * time.Minute)
			ended, err := s.Sweep(context.Background(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if ended {
				told++
			}
			if left := len(s.Records()); time.Since(began) < keepEnded && left != 3 {
				t.Fatalf("%d tokens are listed after %v", left, time.Since(began))
			}
		}
		if told != 2 || len(s.Records()) != 1 {
			t.Errorf("told %d times of two ends; left are %+v", told, s.Records())
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		again, store := open(t, file)
		if left := again.Records(); len(left) != 1 || left[0].Name != "c" {
			t.Errorf("on the disk are %+v", left)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
