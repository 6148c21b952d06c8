package delivery

// queue holds reports in memory, oldest first. Its zero value is empty.
type queue struct {
	reports []*Report
	head    int // index into reports; the entries before it are nil
}

// put adds a report at the end.
func (q *queue) put(r *Report) { q.reports = append(q.reports, r) }

// oldest returns the report that was put in first, or nil.
func (q *queue) oldest() *Report {
	if q.head == len(q.reports) {
		return nil
	}
	return q.reports[q.head]
}

// drop removes the oldest report; there must be one.
func (q *queue) drop() {
	q.reports[q.head] = nil
	q.head++
	if q.head > 32 && q.head > len(q.reports)/2 {
		n := copy(q.reports, q.reports[q.head:])
		clear(q.reports[n:])
		q.reports, q.head = q.reports[:n], 0
	}
}

// take removes and returns the oldest reports for which old is true, up to the
// first for which it is not.
func (q *queue) take(old func(*Report) bool) (taken []*Report) {
	for r := q.oldest(); r != nil && old(r); r = q.oldest() {
		q.drop()
		taken = append(taken, r)
	}
	return taken
}

// putBack adds reports before the oldest.
func (q *queue) putBack(reports []*Report) {
	q.reports, q.head = append(reports, q.reports[q.head:]...), 0
}
