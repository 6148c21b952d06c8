package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// source is the databases of a configuration. It reads that anew when it has changed.
// Runs do not overlap.
type source struct {
	path     string
	text     []byte // of the configuration
	settings *Settings
	open     map[string]*database
}

// database is one that was connected to.
type database struct {
	pool     *sql.DB
	dsn      string
	password string
}

func (s *source) close() {
	for _, db := range s.open {
		_ = db.pool.Close()
	}
	s.open = nil
}

// load reads the configuration if it is another one than before.
func (s *source) load() error {
	if addresses.MatchString(s.path) { // which may have a password
		return errors.New("cannot read the configuration: its path is the address of a database; give the path of a file, such as /etc/vedette/sql.yaml")
	}
	text, err := os.ReadFile(s.path)
	switch {
	case err != nil:
		return fmt.Errorf("cannot read the configuration: %w", err)
	case len(text) > maxConfig:
		return fmt.Errorf("cannot read the configuration %q: it has %d bytes; at most %d are allowed", s.path, len(text), maxConfig)
	case s.settings != nil && bytes.Equal(text, s.text):
		return nil
	}
	settings, err := parse(text)
	if err != nil {
		return fmt.Errorf("cannot use the configuration %q: %w", s.path, err)
	}
	s.close()
	s.text, s.settings, s.open = text, settings, make(map[string]*database)
	return nil
}

// inspect asks all databases, side by side: one that does not answer keeps no other one
// from being asked.
func (s *source) inspect(ctx context.Context, r *inspectors.Report) error {
	if err := s.load(); err != nil {
		return err
	}
	all := slices.Sorted(maps.Keys(s.settings.Databases))
	answers, faults := make([][]answer, len(all)), make([]error, len(all))
	var asking sync.WaitGroup
	for i, name := range all {
		db, err := s.database(name)
		if err != nil {
			faults[i] = err
			continue
		}
		asking.Go(func() { answers[i], faults[i] = db.ask(ctx, s.settings.Databases[name]) })
	}
	asking.Wait()
	for i, name := range all {
		up := 0.0
		if faults[i] == nil {
			up = 1
		} else {
			faults[i] = fmt.Errorf("cannot ask database %q: %w", name, faults[i])
		}
		r.Gauge("up", up, "database", name)
		for j := range answers[i] {
			a := &answers[i][j]
			if a.report(r, name); a.err != nil {
				faults[i] = errors.Join(faults[i], fmt.Errorf("cannot run query %q of database %q: %w", a.query.Name, name, a.err))
			}
		}
	}
	return errors.Join(faults...)
}

// database returns the pool of a database: a new one if its address has changed, such as
// with a new password.
func (s *source) database(name string) (*database, error) {
	of := s.settings.Databases[name]
	dsn, err := of.dsn(filepath.Dir(s.path))
	if err != nil {
		return nil, err
	}
	known := s.open[name]
	if known != nil && known.dsn == dsn {
		return known, nil
	}
	if known != nil {
		_ = known.pool.Close()
		delete(s.open, name)
	}
	kind := drivers[of.Driver]
	pool, password, err := kind.open(dsn)
	if err != nil { // which may have the password
		return nil, fmt.Errorf("its address is not of the form of %s: %s", of.Driver, kind.form)
	}
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(1)
	pool.SetConnMaxLifetime(time.Hour)
	s.open[name] = &database{pool, dsn, password}
	return s.open[name], nil
}

// connect returns the connection, or a new one where that is dead, such as after a restart
// of the database.
func (db *database) connect(ctx context.Context) (conn *sql.Conn, err error) {
	for range 2 {
		if conn, err = db.pool.Conn(ctx); err != nil {
			continue
		}
		if err = conn.PingContext(ctx); err == nil {
			return conn, nil
		}
		_ = conn.Close()
	}
	return nil, err
}

// ask runs the queries of a database on its one connection. The error is that of the
// connection; each answer may have another one.
func (db *database) ask(ctx context.Context, of *Database) ([]answer, error) {
	conn, err := db.connect(ctx)
	if err != nil {
		return nil, masked(err, db.dsn, db.password)
	}
	defer func() {
		if conn != nil {
			_ = conn.Close() // gives it back
		}
	}()
	answers := make([]answer, 0, len(of.Queries))
	for i := range of.Queries {
		began := time.Now()
		a := answer{query: &of.Queries[i]}
		if a.rows, a.err = a.query.run(ctx, conn, drivers[of.Driver].limit); a.err != nil {
			a.err = masked(a.err, db.dsn, db.password)
		}
		a.took = time.Since(began)
		answers = append(answers, a)
		if a.err != nil && conn.PingContext(ctx) != nil { // it is lost, with what it has not asked yet
			_ = conn.Close()
			if conn, err = db.connect(ctx); err != nil {
				return answers, masked(err, db.dsn, db.password)
			}
		}
	}
	return answers, nil
}
