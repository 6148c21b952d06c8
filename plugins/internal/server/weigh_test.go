package server

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// built is a program that holds some memory.
type built struct {
	inspectors.Inspector
	held []byte
}

func (*built) Leaked() int { return 0 }
func (b *built) Close()    { b.held = nil }

// builder builds scripts: "slow" ones run for a second, the others yield at once
// and hold as many MiB as their source is long.
func builder(d inspectors.Definition, _ io.Writer) (Program, error) {
	b := &built{held: make([]byte, len(d.Script.Source)<<20)}
	b.Inspector = function(func(context.Context) error {
		if d.Name == "slow" {
			time.Sleep(time.Second)
		}
		return nil
	})
	return b, nil
}

func loadAll(t *testing.T, s *Server, sources map[string]string) {
	t.Helper()
	for name, source := range sources {
		if r, err := s.Load(t.Context(), &pb.LoadRequest{Name: name, Source: source}); err != nil || r.GetError() != "" {
			t.Fatal(err, r)
		}
	}
}

// A run that waits for its turn while its script goes, or is replaced, does not
// wait for the old one.
func TestScriptGoesWhileARunWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(t *testing.T, s *Server)
		want      pb.Status
	}{
		"unloaded": {func(t *testing.T, s *Server) {
			if _, err := s.Unload(t.Context(), &pb.UnloadRequest{Name: "a"}); err != nil {
				t.Error(err)
			}
		}, pb.Status_STATUS_NOT_LOADED},
		"replaced": {func(t *testing.T, s *Server) { loadAll(t, s, map[string]string{"a": "y"}) }, pb.Status_STATUS_DONE},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{Build: builder})
				loadAll(t, s, map[string]string{"slow": "x", "a": "x"})
				began, out, done := time.Now(), &sink{ctx: t.Context()}, make(chan error)
				go func() { done <- s.Run(jobs(time.Minute, "slow", "a"), out) }()
				synctest.Wait() // a waits for its turn
				tt.meanwhile(t, s)
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				if got := out.results()["a"].GetStatus(); got != tt.want || time.Since(began) > 2*time.Second {
					t.Errorf("%v after %v, want %v", got, time.Since(began), tt.want)
				}
			})
		})
	}
}

func TestWeigh(t *testing.T) {
	s := New(Options{Build: builder})
	loadAll(t, s, map[string]string{"light": "x", "heavy": "xxxxxxxxxxxxxxxxxxxxxxxx", "some": "xxxx"})
	reply, err := s.Weigh(t.Context(), &pb.WeighRequest{})
	if err != nil {
		t.Fatal(err)
	}
	w := reply.GetWeights()
	if len(w) != 3 || w[0].GetName() != "heavy" || w[1].GetName() != "some" || w[2].GetName() != "light" {
		t.Fatalf("weights %v", w)
	}
	const mib = 1 << 20
	if h := w[0].GetBytes(); h < 23*mib || h > 26*mib || w[1].GetBytes() < 3*mib || reply.GetRestBytes() > 20*mib {
		t.Errorf("weights %v, rest %d", w, reply.GetRestBytes())
	}
	if _, err := New(Options{}).Weigh(t.Context(), nil); err == nil {
		t.Error("a plugin was weighed")
	}
}
