package rollouts

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// deletes reports whether a rollout removes its inspector.
func deletes(r *wire.Rollout) bool { return r != nil && r.Action == "delete" }

// stageName says how many hosts a stage is for.
func stageName(s wire.Stage) string {
	switch {
	case s.Hosts == 1:
		return "1 host"
	case s.Hosts > 0:
		return fmt.Sprintf("%d hosts", s.Hosts)
	case s.Percent > 0:
		return strconv.FormatFloat(s.Percent, 'f', -1, 64) + " %"
	}
	return "100 %"
}

// stageCounts counts the hosts of a stage by their receipts for the rollout's revision.
// Before the first receipt, and after the end of the stage, it returns the stage's summary.
func stageCounts(r wire.Rollout, s wire.RolloutStage, receipts map[string]wire.HostReceipt) wire.ReceiptSummary {
	live := wire.ReceiptSummary{Hosts: len(s.Hosts)}
	for _, host := range s.Hosts {
		receipt, ok := receipts[host]
		switch {
		case !ok || receipt.Revision != r.To:
			live.Pending++
		case receipt.State == wire.ReceiptHealthy:
			live.Healthy++
		case receipt.State == wire.ReceiptFailed:
			live.Failed++
		case receipt.State == wire.ReceiptRefused:
			live.Refused++
		default:
			live.Pending++
		}
	}
	if live.Pending == live.Hosts || s.DoneMS != 0 || r.Ended() {
		return s.Summary
	}
	return live
}

// stagePhase is the phase that a stage is in.
func stagePhase(r wire.Rollout, i int) string {
	s := r.Stages[i]
	switch {
	case s.DoneMS != 0:
		return "done"
	case s.StartedMS == 0 && r.Ended():
		return "not reached"
	case s.StartedMS == 0:
		return "waits"
	case r.Ended():
		return r.State
	case r.State == wire.RolloutPaused:
		return "paused"
	case s.HealthyMS != 0:
		return "bakes"
	}
	return "goes on"
}

// countsText says how many hosts of a rollout are in which state, and leaves out states
// without hosts. For a deletion, the healthy hosts are those that have dropped the
// inspector.
func countsText(r wire.Rollout, c wire.ReceiptSummary) string {
	well := "healthy"
	if deletes(&r) {
		well = "have dropped it"
	}
	text := fmt.Sprintf("%d of %d %s", c.Healthy, c.Hosts, well)
	for _, part := range []struct {
		n    int
		word string
	}{{c.Failed, "failed"}, {c.Refused, "refused"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.word)
		}
	}
	return text
}

// stageLines describe the stages of a rollout, a line each.
func stageLines(r wire.Rollout, receipts map[string]wire.HostReceipt) []string {
	lines := make([]string, len(r.Stages))
	for i, s := range r.Stages {
		lines[i] = cli.Printable(fmt.Sprintf("stage %d of %d (%s) %s: %s",
			i+1, len(r.Stages), stageName(wire.Stage{Hosts: s.Count, Percent: s.Percent}), stagePhase(r, i), countsText(r, stageCounts(r, s, receipts))))
	}
	return lines
}

// barCells is the width of a progress bar.
const barCells = 24

// bar draws a progress bar.
func bar(part, whole int) string {
	cells := 0
	if whole > 0 {
		cells = barCells * min(part, whole) / whole
	}
	return "[" + strings.Repeat("#", cells) + strings.Repeat("-", barCells-cells) + "]"
}

// progressBars are the lines of a rollout on a terminal, with a bar for each stage.
func progressBars(r wire.Rollout, receipts map[string]wire.HostReceipt, now time.Time) []string {
	lines := []string{cli.Printable(fmt.Sprintf("%s  %s → %s  %s", r.Inspector, cli.ShortID(r.From), cli.ShortID(r.To), r.State))}
	for i, s := range r.Stages {
		counts, phase := stageCounts(r, s, receipts), stagePhase(r, i)
		if left := bakeLeft(r, s, now); phase == "bakes" && left > 0 {
			phase = "bakes " + left.String()
		}
		lines = append(lines, cli.Printable(fmt.Sprintf("  %-9s %s %s  %s", stageName(wire.Stage{Hosts: s.Count, Percent: s.Percent}),
			bar(counts.Healthy, counts.Hosts), countsText(r, counts), phase)))
	}
	if r.State == wire.RolloutRunning && r.Reason != "" {
		lines = append(lines, cli.Printable("  "+waitsText(r)))
	}
	return lines
}

// bakeLeft is how long a stage must still stay healthy, if the plan has a bake time.
func bakeLeft(r wire.Rollout, s wire.RolloutStage, now time.Time) time.Duration {
	if r.Plan.BakeMS == 0 || s.HealthyMS == 0 {
		return 0
	}
	return time.UnixMilli(s.HealthyMS + r.Plan.BakeMS).Sub(now).Truncate(time.Second)
}

// progress shows how a rollout goes.
type progress struct {
	out    io.Writer
	json   bool
	screen *cli.Screen // or nil where out is no terminal
	last   []string
	state  string
	why    string // why the rollout waits
	head   string
}

func newProgress(out io.Writer, asJSON bool) *progress {
	p := &progress{out: out, json: asJSON}
	if cli.TerminalWidth(out) > 0 && !asJSON {
		p.screen = cli.NewScreen(out)
	}
	return p
}

// show prints the changes since the last call.
func (p *progress) show(r wire.Rollout, receipts map[string]wire.HostReceipt, now time.Time) error {
	if p.screen != nil {
		return p.screen.Show(progressBars(r, receipts, now))
	}
	lines := stageLines(r, receipts)
	head := fmt.Sprint(r.State, r.Stage, r.FinishedMS, len(r.Failures), r.Reason)
	if p.json {
		changed := head != p.head || strings.Join(lines, "\n") != strings.Join(p.last, "\n")
		p.head, p.last = head, lines
		if !changed {
			return nil
		}
		return cli.PrintLines(p.out, []pushLine{{Event: "rollout", Rollout: &r}})
	}
	for i, line := range lines {
		if i < len(p.last) && p.last[i] == line || r.Stages[i].StartedMS == 0 && (p.last != nil || !r.Ended()) {
			continue
		}
		if _, err := fmt.Fprintln(p.out, line); err != nil {
			return err
		}
	}
	p.last = lines
	if r.State != p.state && r.State == wire.RolloutPaused {
		fmt.Fprintln(cli.ToTerminal(p.out), cli.Printable(fmt.Sprintf("paused; go on with: vedette rollout resume %s", r.ID)))
	}
	if r.State == wire.RolloutRunning && r.Reason != "" && r.Reason != p.why {
		fmt.Fprintln(cli.ToTerminal(p.out), cli.Printable(waitsText(r)))
	}
	p.state, p.why = r.State, r.Reason
	return nil
}

// waitsText says why a running rollout makes no progress.
func waitsText(r wire.Rollout) string {
	return fmt.Sprintf("%s; give it up with: vedette rollout abort %s", r.Reason, r.ID)
}

// pushLine is one line of a push with --json.
type pushLine struct {
	Event    string               `json:"event"` // pushed, rollout, end
	Pushed   *wire.PushResult     `json:"pushed,omitempty"`
	Outcome  string               `json:"outcome,omitempty"` // one of the outcomes below
	Rollout  *wire.Rollout        `json:"rollout,omitempty"`
	Receipts *wire.ReceiptsResult `json:"receipts,omitempty"`
}

// The outcomes of a push.
const (
	outcomeHealthy    = "healthy"
	outcomeDeleted    = "deleted"
	outcomeUnwell     = "unwell" // failed or refused on some host
	outcomeRolledBack = wire.RolloutRolledBack
	outcomeReplaced   = wire.RolloutReplaced
	outcomeWaiting    = "waiting" // the end was not awaited
)

// outcomeOf is the outcome of a push. A nil rollout means that none was needed.
func outcomeOf(r *wire.Rollout, receipts wire.ReceiptsResult) string {
	switch {
	case r != nil && !r.Ended():
		return outcomeWaiting
	case r != nil && r.State != wire.RolloutDone:
		return r.State
	case deletes(r) && len(r.Failures) == 0:
		return outcomeDeleted
	case deletes(r), receipts.Summary.Failed > 0 || receipts.Summary.Refused > 0:
		return outcomeUnwell
	}
	return outcomeHealthy
}

// outcomeStatus is the exit status for an outcome.
func outcomeStatus(outcome string) int {
	switch outcome {
	case outcomeHealthy, outcomeDeleted:
		return cli.ExitOK
	case outcomeWaiting:
		return cli.ExitWaiting
	}
	return cli.ExitRollout
}

// printOutcome prints how a rollout ended in one line, and then each host that is not
// healthy, with the reason.
func printOutcome(w io.Writer, name string, r *wire.Rollout, receipts wire.ReceiptsResult) error {
	var b strings.Builder
	switch {
	case r != nil && r.State == wire.RolloutRolledBack:
		to := "rolled back to " + cli.ShortID(r.From)
		if r.From == "" {
			to = "taken off its hosts again" // there was no revision before it
		}
		fmt.Fprintf(&b, "%s %s was %s: %s\n", name, cli.ShortID(r.To), to, cli.OrDash(reasonOf(r)))
	case r != nil && r.State == wire.RolloutReplaced:
		fmt.Fprintf(&b, "%s %s was replaced by a later push\n", name, cli.ShortID(r.To))
	}
	if r != nil {
		for _, f := range r.Failures {
			writeReceipt(&b, f)
		}
	}
	switch {
	case r != nil && receipts.Revision == "" && !deletes(r): // it is on no host any more
	case !deletes(r):
		s := receipts.Summary
		fmt.Fprintf(&b, "%s %s: %d healthy, %d failed, %d refused, %d pending of %d hosts\n", name, cli.ShortID(receipts.Revision), s.Healthy, s.Failed,
			s.Refused, s.Pending, s.Hosts)
		for _, host := range receipts.Receipts {
			if host.State != wire.ReceiptHealthy {
				writeReceipt(&b, host)
			}
		}
	case r.State == wire.RolloutDone:
		writeDropped(&b, name, *r)
	}
	_, err := io.WriteString(cli.ToTerminal(w), cli.Printable(b.String()))
	return err
}

// reasonOf is the reason of a rollout's end, without those of the hosts that are listed
// below it.
func reasonOf(r *wire.Rollout) string {
	for _, f := range r.Failures {
		if before, _, named := strings.Cut(r.Reason, " failed: "+f.Host+": "); named {
			return before + " failed"
		}
	}
	return r.Reason
}

// writeDropped says how many hosts have dropped a deleted inspector.
func writeDropped(b *strings.Builder, name string, r wire.Rollout) {
	var sum wire.ReceiptSummary
	for _, s := range r.Stages {
		sum.Hosts += s.Summary.Hosts
		sum.Healthy += s.Summary.Healthy
		sum.Failed += s.Summary.Failed
		sum.Pending += s.Summary.Pending
	}
	fmt.Fprintf(b, "%s was taken off its hosts: %s", name, countsText(r, sum))
	if sum.Pending > 0 {
		fmt.Fprintf(b, ", %d away, which drop it when they return", sum.Pending)
	}
	b.WriteByte('\n')
}

// writeReceipt writes the state of a host, and the reason if it is not healthy.
func writeReceipt(b *strings.Builder, h wire.HostReceipt) {
	fmt.Fprintf(b, "  %s: %s", h.Host, h.State)
	if why := receiptReason(h); why != "" {
		b.WriteString(": " + strings.ReplaceAll(why, "\n", "\n    "))
	}
	if h.Running != "" && h.Running != h.Revision {
		fmt.Fprintf(b, " (%s goes on there)", cli.ShortID(h.Running))
	}
	b.WriteByte('\n')
}

// receiptReason says why a host is not healthy, as far as known.
func receiptReason(h wire.HostReceipt) string {
	why := strings.TrimSpace(h.Reason)
	if why == "" && h.State == wire.ReceiptPending && h.HostState == wire.HostGone {
		return "the host is away"
	}
	return why
}
