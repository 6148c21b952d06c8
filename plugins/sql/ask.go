package main

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/vedettehq/vedette/inspectors"
)

// maxRows bounds the rows of one query: each is a series.
const maxRows = 1000

// answer is what one query has yielded.
type answer struct {
	query *Query
	took  time.Duration
	rows  []row
	err   error
}

// row is one row, taken apart.
type row struct {
	labels []string // names and values in turn
	values []value
}

type value struct {
	name    string
	counter bool
	v       float64
}

// run runs one query in a transaction that only reads.
func (q *Query) run(ctx context.Context, conn *sql.Conn, limit func(context.Context, *sql.Conn, time.Duration) error) (rows []row, err error) {
	whole := ctx // a transaction that ends with the timeout would be rolled back in the background
	ctx, cancel := context.WithTimeout(ctx, time.Duration(q.Timeout))
	defer cancel()
	if err := limit(ctx, conn, time.Duration(q.Timeout)); err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(whole, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = tx.Rollback() // nothing was written
		if ctx.Err() != nil {
			discard(conn) // it may still be in the transaction
		}
	}()
	result, err := tx.QueryContext(ctx, q.SQL)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	columns, err := result.Columns()
	if err != nil {
		return nil, err
	}
	if err := q.fits(columns); err != nil {
		return nil, err
	}
	cells := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for result.Next() {
		if len(rows) == maxRows {
			return nil, fmt.Errorf("it has more than %d rows; select less, or group", maxRows)
		}
		if err := result.Scan(into...); err != nil {
			return nil, err
		}
		one, err := q.row(columns, cells)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", len(rows)+1, err)
		}
		rows = append(rows, one)
	}
	return rows, result.Err()
}

// discard closes a connection for good, where Close gives it back.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return sqldriver.ErrBadConn })
}

// fits checks the columns of a result against the configuration.
func (q *Query) fits(columns []string) error {
	for _, name := range slices.Concat(q.Labels, q.Counters) {
		if !slices.Contains(columns, name) {
			return fmt.Errorf("it has no column %q, which the configuration names; it has %q", name, columns)
		}
	}
	for i, name := range columns {
		switch {
		case slices.Contains(columns[:i], name):
			return fmt.Errorf("it has two columns %q; name one differently with AS", name)
		case name == "database" && slices.Contains(q.Labels, name):
			return errors.New(`it has a label "database", which is the name of the database in the configuration; name it differently with AS`)
		case !slices.Contains(q.Labels, name) && !names.MatchString(name):
			return fmt.Errorf("column %q is not the name of a value; name it with AS, with lower-case letters, digits and _", name)
		}
	}
	if len(columns) == len(q.Labels) {
		return errors.New("all of its columns are labels; select a value too")
	}
	return nil
}

// row takes a row apart. A value that is NULL is left out; a label that is, is empty.
func (q *Query) row(columns []string, cells []any) (row, error) {
	var r row
	for i, name := range columns {
		if slices.Contains(q.Labels, name) {
			r.labels = append(r.labels, name, text(cells[i]))
			continue
		}
		v, ok, err := number(cells[i])
		if err != nil {
			return row{}, fmt.Errorf("column %q: %w; list it under labels if it is one", name, err)
		}
		if ok {
			r.values = append(r.values, value{name, slices.Contains(q.Counters, name), v})
		}
	}
	return r, nil
}

// text is a cell as a label.
func text(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	}
	return fmt.Sprint(cell)
}

// number is a cell as a value; ok is false for NULL.
func number(cell any) (v float64, ok bool, err error) {
	switch n := cell.(type) {
	case nil:
		return 0, false, nil
	case int64:
		return float64(n), true, nil
	case uint64:
		return float64(n), true, nil
	case float64:
		return n, true, nil
	case float32:
		return float64(n), true, nil
	case bool:
		if n {
			return 1, true, nil
		}
		return 0, true, nil
	case time.Time:
		return float64(n.UnixMicro()) / 1e6, true, nil
	case []byte:
		return parsed(string(n))
	case string:
		return parsed(n)
	}
	return 0, false, fmt.Errorf("it is of type %T, which is not a number", cell)
}

func parsed(s string) (v float64, ok bool, err error) {
	if v, err = strconv.ParseFloat(s, 64); err == nil {
		return v, true, nil
	}
	if len(s) > 40 || !utf8.ValidString(s) {
		return 0, false, errors.New("it has text that is not a number")
	}
	return 0, false, fmt.Errorf("%q is not a number", s)
}

// report adds the rows of an answer.
func (a *answer) report(r *inspectors.Report, database string) {
	r.Gauge("query_duration_seconds", a.took.Seconds(), "database", database, "query", a.query.Name)
	for i := range a.rows {
		labels := append([]string{"database", database}, a.rows[i].labels...)
		for _, v := range a.rows[i].values {
			name := a.query.Name
			if v.name != "value" {
				name += "_" + v.name
			}
			if v.counter {
				r.Counter(name, v.v, labels...)
			} else {
				r.Gauge(name, v.v, labels...)
			}
		}
	}
}
