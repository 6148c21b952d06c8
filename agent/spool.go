package agent

// spool keeps reports that cannot be sent at present, oldest first. The outbox
// calls it under its lock, bounds what it holds, and takes back every report
// that it puts in, so an implementation need not be safe for concurrent use and
// decides nothing.
type spool interface {
	// put adds a report at the end.
	put(r *report)
	// oldest returns the report that was put in first, or nil.
	oldest() *report
	// drop removes the oldest, of which there is one.
	drop()
}

// memorySpool is a spool that ends with the process.
type memorySpool struct {
	reports []*report
	head    int // of reports; what is before it is nil
}

func (m *memorySpool) put(r *report) { m.reports = append(m.reports, r) }

func (m *memorySpool) oldest() *report {
	if m.head == len(m.reports) {
		return nil
	}
	return m.reports[m.head]
}

func (m *memorySpool) drop() {
	m.reports[m.head] = nil
	m.head++
	if m.head > 32 && m.head > len(m.reports)/2 {
		n := copy(m.reports, m.reports[m.head:])
		clear(m.reports[n:])
		m.reports, m.head = m.reports[:n], 0
	}
}
