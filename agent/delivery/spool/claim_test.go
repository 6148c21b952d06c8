//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package spool

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// victimFolder tells the test's own program to be the victim of a kill.
const victimFolder = "SPOOL_VICTIM_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimFolder); dir != "" {
		victim(dir)
	}
	goleak.VerifyTestMain(m)
}

// victim puts samples in, and tells what it has done, until it is killed.
func victim(dir string) {
	claim, err := OpenClaim(dir)
	check(err)
	s, err := Open(filepath.Join(dir, FileName), roomy)
	check(err)
	count := claim.Before().After(&s.totals)
	for made := int(s.totals.Moved); ; made += 5 {
		count.AtRisk = 5
		check(claim.Note(count))
		_, _, err := s.Apply(start, []Report{numbered(sequence(made, 5)...)}, nil)
		check(err)
		totals := s.Totals()
		count.AtRisk, count.Moved, count.Gone, count.OnDisk = 0, totals.Moved, totals.Dropped, totals.Samples
		check(claim.Note(count))
		fmt.Println(made + 5)
	}
}

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// A process that is killed at any moment leaves behind all that it had put in,
// a count of what it had not, and the folder free.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(5, 6))
	told, atRisk := 0, 0
	for range 15 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victimFolder+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 1 + rng.IntN(20) {
			if !lines.Scan() || strings.HasPrefix(lines.Text(), "error") {
				t.Fatalf("the victim ended with %q", lines.Text())
			}
		}
		_ = cmd.Process.Kill()
		for ok := true; ok; ok = lines.Scan() {
			_, _ = fmt.Sscan(lines.Text(), &told)
		}
		_ = cmd.Wait()

		claim, err := OpenClaim(dir)
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, filepath.Join(dir, FileName), roomy)
		totals := s.Totals()
		if have := int(totals.Samples); have < told || have > told+5 {
			t.Fatalf("%d samples are there, %d were told", have, told)
		}
		after := claim.Before().After(&totals)
		if after.Dropped > claim.Before().Dropped {
			atRisk++
		}
		if err := errors.Join(claim.Note(after), claim.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d samples were put in; %d of 15 kills cost some", told, atRisk)
}

func TestFolderIsOneAgents(t *testing.T) {
	dir := t.TempDir()
	claim, err := OpenClaim(filepath.Join(dir, "new", "folder"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenClaim(filepath.Join(dir, "new", "folder")); !errors.Is(err, ErrClaimed) || !strings.Contains(err.Error(), "new/folder") {
		t.Errorf("the second claim gives %v", err)
	}
	count := Count{Dropped: 1, AtRisk: 2, OnDisk: 3, Moved: 4, Gone: 5}
	if err := errors.Join(claim.Note(count), claim.Close()); err != nil {
		t.Fatal(err)
	}
	claim, err = OpenClaim(filepath.Join(dir, "new", "folder"))
	if err != nil || claim.Before() != count {
		t.Fatalf("the next claim reads %+v, %v", claim.Before(), err)
	}
	if err := claim.Close(); err != nil {
		t.Error(err)
	}
}

func TestClaimOfACutFile(t *testing.T) {
	dir := t.TempDir()
	claim, err := OpenClaim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, ClaimName), 0); err != nil {
		t.Fatal(err)
	}
	if err := claim.Note(Count{AtRisk: 1}); err == nil {
		t.Error("a file that was cut short took a count")
	}
	if err := claim.Note(Count{AtRisk: 2}); err != nil {
		t.Errorf("it was told twice: %v", err)
	}
	if err := claim.Close(); err != nil {
		t.Error(err)
	}
}

func TestCountAfter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		count  Count
		totals *Totals
		want   Count
	}{
		{
			"stopped well",
			Count{Dropped: 7, OnDisk: 5, Moved: 50, Gone: 3},
			&Totals{Samples: 5, Moved: 50, Dropped: 3},
			Count{Dropped: 7, OnDisk: 5, Moved: 50, Gone: 3},
		},
		{"killed", Count{Dropped: 7, AtRisk: 4}, &Totals{}, Count{Dropped: 11}},
		{"killed after some were moved", Count{AtRisk: 9, Moved: 50}, &Totals{Samples: 6, Moved: 56}, Count{Dropped: 3, OnDisk: 6, Moved: 56}},
		{
			"killed after some were moved and others went",
			Count{AtRisk: 9, OnDisk: 4, Moved: 50},
			&Totals{Samples: 5, Moved: 59, Dropped: 8},
			Count{Dropped: 8, OnDisk: 5, Moved: 59, Gone: 8},
		},
		{"another store", Count{Dropped: 7, AtRisk: 1, OnDisk: 5, Moved: 50, Gone: 3}, &Totals{}, Count{Dropped: 13}},
		{"no store", Count{Dropped: 7, AtRisk: 1, OnDisk: 5, Moved: 50, Gone: 3}, nil, Count{Dropped: 8, OnDisk: 5, Moved: 50, Gone: 3}},
	} {
		if got := tt.count.After(tt.totals); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
