package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// driver is one kind of database.
type driver struct {
	// open makes a pool of an address, and returns the password in it. It does not
	// connect. Its errors may have the address, so nobody is told of them.
	open func(dsn string) (db *sql.DB, password string, err error)
	// limit has the database itself end a query that takes longer. The connection has
	// it until the next query.
	limit func(ctx context.Context, conn *sql.Conn, timeout time.Duration) error
	form  string // of an address
}

// drivers are those that there are, by the name that configurations use.
var drivers = map[string]driver{
	"postgres": {
		open: openPostgres, limit: limitPostgres,
		form: "postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full, with a / ? # @ or % of the password written as %2F %3F %23 %40 %25, " +
			"or host=/run/postgresql user=USER password='PASSWORD' dbname=DATABASE, and settings of the session as options='-c NAME=VALUE'",
	},
	"mysql": {open: openMySQL, limit: limitMySQL, form: "USER:PASSWORD@tcp(HOST:3306)/DATABASE?tls=true, or USER:PASSWORD@unix(/run/mysqld/mysqld.sock)/DATABASE"},
}

// connectTime is how long a connection may take to be made.
const connectTime = 10 * time.Second

// errForm is the error of an address in which a password may have been taken for
// something else, which errors of the connection would show.
var errForm = errors.New("a part of the password may be taken for something else")

// sessionSettings are those settings of a session that an address may have.
var sessionSettings = []string{
	"application_name", "client_encoding", "datestyle", "default_transaction_isolation", "extra_float_digits", "lock_timeout", "options",
	"replication", "role", "search_path", "statement_timeout", "timezone",
}

// checkPostgres refuses an address of which a part of the password would be the name of
// the host, of the database or of a setting: one with a / that is not written as %2F, with
// an @ that is not written as %40, or with a space that is not quoted.
func checkPostgres(dsn string, c *pgx.ConnConfig) error {
	if _, rest, ok := strings.Cut(dsn, "://"); ok {
		user, place, _ := strings.Cut(rest, "@")
		if strings.Contains(place, "@") || strings.Contains(rest, "@") && strings.ContainsAny(user, "/?#") {
			return errForm
		}
	}
	for name := range c.RuntimeParams {
		if !slices.Contains(sessionSettings, strings.ToLower(name)) {
			return errForm
		}
	}
	return nil
}

func openPostgres(dsn string) (*sql.DB, string, error) {
	c, err := pgx.ParseConfig(dsn)
	if err == nil {
		err = checkPostgres(dsn, c)
	}
	if err != nil {
		return nil, "", err
	}
	if c.ConnectTimeout == 0 || c.ConnectTimeout > connectTime {
		c.ConnectTimeout = connectTime
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "vedette"
	}
	return stdlib.OpenDB(*c), c.Password, nil
}

func limitPostgres(ctx context.Context, conn *sql.Conn, timeout time.Duration) error {
	_, err := conn.ExecContext(ctx, fmt.Sprintf("SET statement_timeout = %d", max(timeout.Milliseconds(), 1)))
	return err
}

func openMySQL(dsn string) (*sql.DB, string, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, "", err
	}
	if c.Timeout == 0 || c.Timeout > connectTime {
		c.Timeout = connectTime
	}
	c.Logger = &mysql.NopLogger{} // what it would print is in the errors too
	c.MultiStatements, c.AllowAllFiles = false, false
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, "", err
	}
	return sql.OpenDB(connector), c.Passwd, nil
}

// limitMySQL knows that MariaDB and MySQL call it differently.
func limitMySQL(ctx context.Context, conn *sql.Conn, timeout time.Duration) error {
	_, err := conn.ExecContext(ctx, fmt.Sprintf("SET SESSION max_statement_time = %f", timeout.Seconds()))
	const unknownVariable = 1193
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok && e.Number == unknownVariable {
		_, err = conn.ExecContext(ctx, fmt.Sprintf("SET SESSION max_execution_time = %d", max(timeout.Milliseconds(), 1)))
	}
	return err
}

// masked is the text of an error without an address and its password.
func masked(err error, secrets ...string) error {
	text := err.Error()
	for _, secret := range secrets {
		if len(secret) > 3 { // what is shorter is in any text
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return errors.New(text)
}
