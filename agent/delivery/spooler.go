package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/wholefile"
)

// Modes of wire.AgentStatus.Spool. If the disk should be used but cannot be, the
// reason follows modeMemory.
const (
	modeDisk   = "disk"
	modeMemory = "memory"
)

const (
	// claimWait is how long a new agent waits for the previous one to end.
	claimWait = 3 * time.Second
	// spoolRetry is how long to wait before trying a failed disk again.
	spoolRetry = 10 * time.Second
	// expireEvery is how often the age of the reports on the disk is checked.
	expireEvery = time.Minute
)

// Spooler moves reports between the outbox and the disk, on its own goroutine: nothing
// else in the agent ever waits for the disk.
type Spooler struct {
	log *slog.Logger
	cfg *config.Agent
	o   *Outbox

	retryAfter, claimWait time.Duration

	claim   *spool.Claim // or nil
	before  spool.Count  // the counts of the previous run, until they are taken over
	store   *spool.Store // or nil
	reason  string       // why the disk should be used but is not, or ""
	retry   time.Time    // the disk is left alone before this time
	expired time.Time    // when the age was last checked
}

// NewSpooler makes the spooler of an outbox. It touches no file before Open.
func NewSpooler(log *slog.Logger, cfg *config.Agent, o *Outbox) *Spooler {
	return &Spooler{log: log, cfg: cfg, o: o, retryAfter: spoolRetry, claimWait: claimWait}
}

// Open claims the agent's folder and opens the spool. It fails only if another
// agent uses the folder; after any other problem reports stay in memory, and the
// log and the status say why.
func (k *Spooler) Open(ctx context.Context) error {
	k.o.setMode(modeMemory)
	if k.cfg.Data == "" {
		if k.cfg.Spool.On {
			k.fail(errors.New("no data folder is set"))
		}
		return nil
	}
	err := k.openClaim(ctx)
	if errors.Is(err, spool.ErrClaimed) {
		return err
	}
	if err != nil {
		k.log.Warn("samples that are lost when the agent is killed are not counted", "reason", err)
	}
	if k.cfg.Spool.On {
		k.openStore()
	}
	if k.store == nil {
		k.takeOver(nil)
	}
	return nil
}

func (k *Spooler) openClaim(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.claimWait)
	defer cancel()
	for {
		claim, err := spool.OpenClaim(k.cfg.Data)
		if err == nil {
			k.claim, k.before, k.o.claim = claim, claim.Before(), claim
			return nil
		}
		if !errors.Is(err, spool.ErrClaimed) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (k *Spooler) path() string { return filepath.Join(k.cfg.Data, spool.FileName) }

// openStore opens the spool. A damaged one is moved aside first.
func (k *Spooler) openStore() {
	opts := spool.Options{MaxBytes: int64(k.cfg.Spool.MaxBytes), MaxAge: k.cfg.Spool.MaxAge}
	store, err := spool.Open(k.path(), opts)
	if errors.Is(err, spool.ErrDamaged) {
		k.moveAside(err)
		store, err = spool.Open(k.path(), opts)
	}
	if err != nil {
		k.fail(err)
		return
	}
	k.store = store
	totals := store.Totals()
	k.takeOver(&totals)
	k.heal()
}

func (k *Spooler) moveAside(reason error) {
	aside, err := wholefile.MoveAside(k.path())
	if err != nil {
		k.log.Error("the spool is damaged and cannot be moved aside", "error", err, "reason", reason)
		return
	}
	k.log.Error("the spool is damaged; its reports are lost, and a new one is begun", "moved_to", aside, "reason", reason)
}

// takeOver continues the counts of the previous run, once.
func (k *Spooler) takeOver(totals *spool.Totals) {
	lost := k.o.takeOver(k.before, totals)
	k.before = spool.Count{}
	if lost > 0 {
		k.log.Warn("the agent was killed or crashed before; the samples that it had in memory are lost", "samples_dropped", lost)
	}
	if totals != nil && totals.Reports > 0 {
		k.log.Info("the spool has reports from an earlier run", "reports", totals.Reports, "samples", totals.Samples)
	}
}

// Run serves the outbox until ctx ends. Call Close after it.
func (k *Spooler) Run(ctx context.Context) {
	if k.store == nil && k.reason == "" {
		return // the disk is not used
	}
	ticker := time.NewTicker(spoolAfter)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-k.o.wake:
		}
		k.step()
	}
}

// step moves reports in both directions. After a failed write, the disk is only
// read for a while.
func (k *Spooler) step() {
	resting := k.reason != "" && time.Now().Before(k.retry)
	if k.store == nil && !resting {
		k.openStore()
	}
	if k.store == nil {
		return
	}
	for _, l := range k.o.takeLater() {
		k.store.Later(l.id, l.until)
	}
	if !resting {
		if wrote, err := k.write(); wrote || err != nil {
			k.judge(err)
		}
	}
	if k.store != nil && k.o.hungry() {
		if err := k.read(); err != nil {
			k.judge(err)
		}
	}
}

// write puts waiting reports onto the disk, and removes finished ones. It returns
// false if there was nothing to do.
func (k *Spooler) write() (wrote bool, err error) {
	taken, flying := k.o.takeOld()
	done, now := k.o.doneOnDisk(), time.Now()
	all := slices.Concat(taken, flying)
	totals, damaged := k.store.Totals(), k.store.Damaged()
	expire := now.Sub(k.expired) > expireEvery && totals.Reports > 0
	switch {
	case len(all) > 0 || len(done) > 0 || damaged > 0 || expire:
	case k.reason != "" && totals.Reports == 0:
		return true, k.store.Renew() // it shows whether the disk works again
	default:
		return false, nil
	}
	k.expired = now
	reports := make([]spool.Report, len(all))
	for i, r := range all {
		reports[i] = r.kept(k.o.bootID)
	}
	ids, ok, err := k.store.Apply(now, reports, done)
	if !ok {
		k.o.untake(taken)
		return true, errors.Join(err, k.removeOnly(now, done))
	}
	for _, id := range k.o.moved(taken, flying, ids[len(taken):], len(done), k.store.Totals()) {
		k.store.Hold(id)
	}
	if damaged > 0 {
		k.log.Error("reports on the disk are damaged and were dropped", "reports", damaged, "file", k.path())
	}
	return len(all) > 0 || err != nil, err
}

// removeOnly makes room when nothing could be added.
func (k *Spooler) removeOnly(now time.Time, done []uint64) error {
	if len(done) == 0 {
		return nil
	}
	_, ok, err := k.store.Apply(now, nil, done)
	if ok {
		k.o.moved(nil, nil, nil, len(done), k.store.Totals())
	}
	return err
}

func (k *Spooler) read() error {
	kept, err := k.store.Next(time.Now(), loadAhead)
	k.o.load(kept)
	return err
}

// judge handles the outcome of a step.
func (k *Spooler) judge(err error) {
	switch {
	case err == nil:
		k.heal()
	case errors.Is(err, spool.ErrFull): // memory has to suffice until the master answers
	case errors.Is(err, spool.ErrDamaged):
		k.store = nil // closing it might never end
		k.moveAside(err)
		k.log.Error("samples on the disk are lost", "samples_dropped", k.o.abandon())
		k.openStore()
	default:
		k.fail(err)
	}
}

// fail keeps reports in memory until the disk is tried again. It logs that once.
func (k *Spooler) fail(err error) {
	k.retry = time.Now().Add(k.retryAfter)
	if k.reason == "" {
		k.log.Warn("the disk cannot be used; reports that the master does not take are kept in memory, and fewer of them", "reason", err)
	}
	k.reason = err.Error()
	k.o.setMode(fmt.Sprintf("%s: %s", modeMemory, k.reason))
}

func (k *Spooler) heal() {
	if k.reason != "" {
		k.log.Info("the disk is used again for reports that the master does not take")
	}
	k.reason = ""
	k.o.setMode(modeDisk)
}

// Close writes the remaining reports to the disk, and gives up the folder.
func (k *Spooler) Close() {
	if k.store != nil {
		if _, err := k.write(); err != nil {
			k.log.Warn("cannot store the reports that the master does not have", "reason", err)
		}
		if err := k.store.Close(); err != nil {
			k.log.Warn("cannot close the spool", "reason", err)
		}
	}
	if k.claim != nil {
		k.o.leave()
		if err := k.claim.Close(); err != nil {
			k.log.Warn("cannot give up the data folder", "reason", err)
		}
	}
}
