package rollout

import (
	"fmt"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// judge counts one host that has To, and updates its mark.
func (s *step) judge(t *tally, current bool, name string) {
	h, m := s.view(name), s.r.Marks[name]
	before := m
	why := ""
	switch {
	case s.gated && m.FailedMS != 0: // a host that failed a gate has failed for good
		t.failed++
	case !h.Up:
		m = wire.RolloutMark{}
		t.away++
	case s.well(h):
		if why = s.spoilt(&m, h, current); why == "" {
			t.well++
		}
	case s.refuses(h):
		m = wire.RolloutMark{}
		t.refused++
		if current && len(s.refusals) < named {
			s.refusals = append(s.refusals, name+": "+refusal(h))
		}
	default:
		if why = s.missed(&m, h); why == "" {
			t.undecided++
		}
	}
	switch {
	case why != "":
		t.failed++
		if m.FailedMS == 0 {
			m.FailedMS = s.now
		}
		s.fail(h, name, why)
	case !s.gated:
		m.FailedMS = 0 // it got well after all
	}
	s.mark(name, before, m)
}

// mark stores the mark of a host.
func (s *step) mark(name string, before, m wire.RolloutMark) {
	switch {
	case m == before:
		return
	case m == wire.RolloutMark{}:
		if delete(s.r.Marks, name); len(s.r.Marks) == 0 {
			s.r.Marks = nil // as after it has been stored
		}
	default:
		if s.r.Marks == nil {
			s.r.Marks = make(map[string]wire.RolloutMark)
		}
		s.r.Marks[name] = m
	}
	s.changed = true
}

// well reports whether a host that is up has done what the rollout wants.
func (s *step) well(h Host) bool {
	if s.r.To == "" {
		return h.Receipt.State == ""
	}
	return h.Receipt.Revision == s.r.To && h.Receipt.State == wire.ReceiptHealthy && h.Accepts
}

// refuses reports whether a connected host will not have To.
func (s *step) refuses(h Host) bool {
	return !h.Accepts || s.r.To != "" && h.Receipt.Revision == s.r.To && h.Receipt.State == wire.ReceiptRefused
}

// refusal says why a host refuses.
func refusal(h Host) string {
	switch {
	case !h.Accepts:
		return "it takes no code from a master"
	case h.Receipt.Reason == "":
		return "it does not say why"
	}
	return brief(h.Receipt.Reason)
}

// status returns the status of To on a host, or nil.
func (s *step) status(h Host) *wire.InspectorStatus {
	if s.r.To == "" || h.Status == nil || h.Status.Assigned != s.r.To {
		return nil
	}
	return h.Status
}

// quarantined says why To is quarantined on a host, or "".
func (s *step) quarantined(h Host) string {
	if status := s.status(h); status != nil && status.State == wire.StateQuarantined {
		return because("quarantined", status.Error)
	}
	return ""
}

// missed says why a connected host that is not well has failed, or "" while it is
// on its way.
func (s *step) missed(m *wire.RolloutMark, h Host) string {
	if m.UpMS == 0 || m.WellMS != 0 {
		*m = wire.RolloutMark{UpMS: s.now, FailedMS: m.FailedMS}
	}
	why := s.quarantined(h)
	if s.r.To != "" && h.Receipt.Revision == s.r.To && h.Receipt.State == wire.ReceiptFailed {
		why = h.Receipt.Reason
		if why == "" {
			why = "it does not say why"
		}
	}
	if why == "" && s.r.State == wire.RolloutRunning && s.now >= m.UpMS+s.r.Plan.TimeoutMS {
		why = s.late(h)
	}
	return why
}

// late says how far a host got whose time is over.
func (s *step) late(h Host) string {
	within := time.Duration(s.r.Plan.TimeoutMS) * time.Millisecond
	switch {
	case s.r.To == "":
		return fmt.Sprintf("still has it after %v", within)
	case h.Receipt.Revision != s.r.To || h.Receipt.State == "":
		return fmt.Sprintf("not healthy within %v: it has not said that it has the revision", within)
	}
	return fmt.Sprintf("not healthy within %v: it is %s", within, h.Receipt.State)
}

// spoilt says why a healthy host fails the gate nevertheless, or "".
func (s *step) spoilt(m *wire.RolloutMark, h Host, current bool) string {
	if m.WellMS == 0 {
		*m = wire.RolloutMark{UpMS: s.now, WellMS: s.now, FailedMS: m.FailedMS}
	}
	if why := s.quarantined(h); why != "" {
		return why
	}
	status := s.status(h)
	if !s.gated || !current || status == nil {
		*m = wire.RolloutMark{UpMS: m.UpMS, WellMS: m.WellMS, FailedMS: m.FailedMS}
		return ""
	}
	if !m.Counted || status.Runs < m.Runs || status.Failures < m.Failures || status.OverBudget < m.OverBudget {
		m.Counted, m.Runs, m.Failures, m.OverBudget = true, status.Runs, status.Failures, status.OverBudget
		m.RunMS = s.now
		m.QuietMS = max(3*time.Duration(status.IntervalMS)*time.Millisecond, minQuiet).Milliseconds()
		return ""
	}
	switch {
	case status.OverBudget > m.OverBudget:
		return because(fmt.Sprintf("%d of its runs exceeded the budget", status.OverBudget-m.OverBudget), status.Error)
	case status.Failures > m.Failures:
		return because(fmt.Sprintf("%d of its runs failed", status.Failures-m.Failures), status.Error)
	}
	return s.silent(m, status)
}

// silent says that the inspector has stopped running, or "". Its runs are noted a
// few times within the time allowed, not every time, because each note has to be
// stored.
func (s *step) silent(m *wire.RolloutMark, status *wire.InspectorStatus) string {
	if s.r.State != wire.RolloutRunning {
		return ""
	}
	if status.State == wire.StateStarved { // the host has no processor time for it
		m.Runs, m.RunMS = status.Runs, s.now
		return ""
	}
	passed := s.now - m.RunMS
	switch {
	case status.Runs > m.Runs && passed >= m.QuietMS/3:
		m.Runs, m.RunMS = status.Runs, s.now
	case status.Runs == m.Runs && passed >= m.QuietMS:
		return fmt.Sprintf("no run for %v", time.Duration(passed)*time.Millisecond)
	}
	return ""
}

// fail lists a host among the failures.
func (s *step) fail(h Host, name, why string) {
	if len(s.failures) >= maxFailures {
		return
	}
	receipt := wire.Receipt{Inspector: s.r.Inspector, Revision: s.r.To, State: wire.ReceiptFailed, Reason: why, AtMS: s.now}
	if s.r.To != "" && h.Receipt.Revision == s.r.To {
		receipt.Running = h.Receipt.Running
		if h.Receipt.State == wire.ReceiptFailed {
			receipt.AtMS = h.Receipt.AtMS
		}
	}
	s.failures = append(s.failures, wire.HostReceipt{Host: name, HostState: wire.HostUp, Receipt: receipt})
}
