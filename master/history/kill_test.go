package history

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// compactorEnv makes the test program a writer to the folder that it names,
// which compacts as it writes; compactFromEnv is the time to begin with. A run
// of the test is repeated with the seed in killSeedEnv and made longer with
// killsEnv.
const (
	compactorEnv   = "VEDETTE_TEST_HISTORY_COMPACTOR"
	compactFromEnv = "VEDETTE_TEST_HISTORY_FROM"
	killSeedEnv    = "VEDETTE_TEST_HISTORY_SEED"
	killsEnv       = "VEDETTE_TEST_HISTORY_KILLS"
)

const (
	killStep    = 40_000 // ms from one round to the next
	killCompact = 90     // rounds from one compaction to the next
)

// killLate is how late rounds are, in ms: those in time, those that belong into
// the log's own hours, those that belong into blocks. Their times never meet.
var killLate = []int64{0, 600_000 + killStep/2, 3*3_600_000 + killStep/4}

// writeAndCompactUntilKilled tells each step when it begins, and each round
// when it was acknowledged.
func writeAndCompactUntilKilled(dir string) {
	from, err := strconv.ParseInt(os.Getenv(compactFromEnv), 10, 64)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("opening")
	writer := newRoundWriter(dir)
	compact := make(chan struct{}) // at most one compaction behind
	go func() {
		db := writer.store.current.db
		for range compact {
			fmt.Println("compacting")
			if err := db.Compact(context.Background()); err != nil {
				fmt.Println("error", err)
			}
		}
	}()
	for n, at := 1, from; ; n, at = n+1, at+killStep {
		for _, late := range killLate {
			writer.write(at - late)
		}
		if n%killCompact == 0 {
			compact <- struct{}{}
		}
	}
}

// A process that opens, writes and compacts is killed again and again, at any
// point of it; whatever was acknowledged is there, once. The folder is never
// closed in peace: a copy of it is what is looked at.
func TestKillAtAnyPointLosesNothingAcknowledged(t *testing.T) {
	kills := numberOf(t, killsEnv, 10)
	seed := uint64(numberOf(t, killSeedEnv, int(time.Now().UnixNano()&0xffffff)))
	t.Logf("to repeat this: %s=%d %s=%d", killSeedEnv, seed, killsEnv, kills)
	random := rand.New(rand.NewPCG(seed, 0))

	dir, acknowledged := t.TempDir(), make(map[int64]bool)
	from := time.Now().Add(-8 * 24 * time.Hour).UnixMilli()
	for n := range kills {
		if from > time.Now().Add(-time.Hour).UnixMilli() {
			t.Logf("the time is used up after %d kills", n)
			break
		}
		kill := randomKill(random)
		for _, at := range kill.of(t, dir, from) {
			acknowledged[at] = true
			from = max(from, at+killStep)
		}
		from += killStep // a round that was not acknowledged may be there
		if n%3 == 2 || n == kills-1 {
			verifyCopy(t, dir, acknowledged, fmt.Sprintf("kill %d, %v", n, kill))
		}
	}
}

func numberOf(t *testing.T, env string, otherwise int) int {
	t.Helper()
	text := os.Getenv(env)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// kill is when a process is killed: some time after it has said something for
// the nth time. Every acknowledgement counts as "acknowledged".
type kill struct {
	said  string
	nth   int
	after time.Duration
}

func randomKill(random *rand.Rand) kill {
	switch random.IntN(3) {
	case 0:
		return kill{"opening", 1, time.Duration(random.IntN(150)) * time.Millisecond}
	case 1:
		return kill{"compacting", 1 + random.IntN(4), time.Duration(random.IntN(40_000)) * time.Microsecond}
	default:
		return kill{"acknowledged", 1 + random.IntN(1200), 0}
	}
}

// of runs a writer, kills it, and returns the times that it acknowledged.
func (k kill) of(t *testing.T, dir string, from int64) (times []int64) {
	t.Helper()
	writer := exec.Command(os.Args[0])
	writer.Env = append(os.Environ(), compactorEnv+"="+dir, compactFromEnv+"="+strconv.FormatInt(from, 10))
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	said := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "error") {
			t.Errorf("%v: the writer says %q", k, line)
		}
		if at, err := strconv.ParseInt(line, 10, 64); err == nil {
			times = append(times, at)
			line = "acknowledged"
		}
		if line == k.said {
			if said++; said == k.nth {
				time.AfterFunc(k.after, func() { writer.Process.Kill() }) //nolint:errcheck // Wait tells
			}
		}
	}
	if err := writer.Wait(); err == nil || said < k.nth {
		t.Fatalf("%v: the writer ended with %v", k, err)
	}
	return times
}

// verifyCopy opens a copy of a folder and looks for each acknowledged round.
func verifyCopy(t *testing.T, dir string, acknowledged map[int64]bool, when string) {
	t.Helper()
	var log logged
	opts := crashOptions
	opts.Dir, opts.Log = filepath.Join(t.TempDir(), "copy"), logTo(&log)
	if err := os.CopyFS(opts.Dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, opts)
	counts := make(map[int64]int)
	for _, at := range allTimes(t, s) {
		counts[at]++
	}
	wrong := 0
	for at := range acknowledged {
		if counts[at] == crashSeries {
			continue
		}
		if wrong++; wrong <= 5 {
			t.Errorf("%s: of the round at %d there are %d samples, want %d", when, at, counts[at], crashSeries)
		}
	}
	if wrong > 0 {
		t.Errorf("%s: %d rounds of %d are not whole", when, wrong, len(acknowledged))
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("%s: the end of a killed process is no damage", when)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Fatalf("the log of the opening:\n%s", &log)
	}
}

// The database itself passes over the log of late samples when it has cut off
// the other one.
func TestTornLogLosesNoLateSamples(t *testing.T) {
	dir, acknowledged := t.TempDir(), make(map[int64]bool)
	for _, at := range (kill{"acknowledged", 300, 0}).of(t, dir, time.Now().Add(-20*time.Hour).UnixMilli()) {
		acknowledged[at] = true
	}
	segments, err := filepath.Glob(filepath.Join(dir, walDir, "0*"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("the log has the segments %v, %v", segments, err)
	}
	torn, err := os.OpenFile(segments[len(segments)-1], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = torn.Write([]byte{1, 1, 200, 1, 2, 3, 4, 5}) // the beginning of a record
	if err := errors.Join(err, torn.Close()); err != nil {
		t.Fatal(err)
	}
	verifyCopy(t, dir, acknowledged, "a torn log")
}
