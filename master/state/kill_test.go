package state

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// victimFolder tells the test's own program to be the victim of a kill.
const victimFolder = "STATE_VICTIM_FOLDER"

const victims = 4 // writers in a victim

// victim writes from several goroutines until it is killed, and tells each write
// after it is acknowledged: writer and number.
func victim(dir string) {
	s, err := Open(filepath.Join(dir, FileName))
	check(err)
	var mu sync.Mutex
	for w := range victims {
		go func() {
			key, log := victimNames(w)
			n := uint64(0)
			for r, err := range s.ScanBack(context.Background(), log, 0) {
				check(err)
				n = r.Seq
				break
			}
			want := None
			if n > 0 {
				want = VersionOf(victimValue(n))
			}
			for n++; ; n++ {
				check(s.Apply(context.Background(), Put(key, victimValue(n), want), Append(log, victimValue(n))))
				want = VersionOf(victimValue(n))
				mu.Lock()
				fmt.Println(w, n)
				mu.Unlock()
			}
		}()
	}
	select {}
}

func victimNames(w int) (key, log string) { return fmt.Sprint("kind/", w), fmt.Sprint("log", w) }

// victimValue is of some pages for every fifth number.
func victimValue(n uint64) []byte {
	times := 1
	if n%5 == 0 {
		times = 2000
	}
	return []byte(strings.Repeat(fmt.Sprint(n, " "), times))
}

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// A process that is killed at any moment leaves behind all that it was told is
// done, nothing by halves, and a state that opens.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(5, 6))
	told := make([]uint64, victims)
	for range 15 {
		kill(t, dir, 1+rng.IntN(60), told)
		s := mustOpen(t, dir)
		for w := range victims {
			key, log := victimNames(w)
			last := uint64(0)
			for r, err := range s.Scan(t.Context(), log, 0) {
				if last++; err != nil || r.Seq != last || string(r.Value) != string(victimValue(last)) {
					t.Fatalf("record %d of %s is %d: %.20q, %v", last, log, r.Seq, r.Value, err)
				}
			}
			if last < told[w] || last > told[w]+1 {
				t.Errorf("%s has %d records, %d were told", log, last, told[w])
			}
			told[w] = last // one that was not told is there from now on
			e, err := s.Get(t.Context(), key)
			if last > 0 && (err != nil || string(e.Value) != string(victimValue(last))) {
				t.Errorf("%s is %.20q, its log has %d, %v", key, e.Value, last, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%v writes outlived the kills", told)
}

// kill runs a victim and kills it after the given number of lines, which it records.
func kill(t *testing.T, dir string, after int, told []uint64) {
	t.Helper()
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
	for n := 0; lines.Scan(); n++ {
		var w, number uint64
		if _, err := fmt.Sscan(lines.Text(), &w, &number); err == nil {
			told[w] = number
		} else if strings.HasPrefix(lines.Text(), "error") {
			t.Errorf("the victim ended with %q", lines.Text())
		}
		if n == after {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
}
