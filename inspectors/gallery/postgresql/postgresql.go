// Package postgresql tells how PostgreSQL does: how far replicas are behind, how many
// connections there are of how many, how many wait for a lock, and how large the
// databases are. It speaks the protocol itself, as a user with the role pg_monitor.
//
//vedette:name postgresql
//vedette:interval 10s
//vedette:timeout 8s
//vedette:needs net:127.0.0.1:5432 fs:/etc/vedette/postgresql.password
package postgresql

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// The address of the server, and the user. The file holds the password, which is used with
// SCRAM-SHA-256; without the file, no password is sent.
const (
	server       = "127.0.0.1:5432"
	user         = "vedette"
	database     = "postgres"
	passwordFile = "/etc/vedette/postgresql.password"
)

const about = `SELECT pg_is_in_recovery()::int AS standby,
 CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
  THEN coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), 0) ELSE 0 END AS lag_seconds,
 (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
 current_setting('max_connections')::int AS connections_max,
 (SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock') AS waiting_for_locks,
 (SELECT coalesce(max(extract(epoch FROM now() - xact_start)), 0) FROM pg_stat_activity WHERE backend_type = 'client backend') AS longest_transaction_seconds`

const replicas = `SELECT coalesce(nullif(application_name, ''), 'unnamed') || '/' || pid,
 coalesce(extract(epoch FROM replay_lag), 0),
 coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, replay_lsn), 0)
 FROM pg_stat_replication`

const sizes = `SELECT datname, pg_database_size(oid) FROM pg_database WHERE NOT datistemplate AND has_database_privilege(oid, 'CONNECT')`

// Inspect sends three queries over one connection.
func Inspect(ctx context.Context, r *inspectors.Report) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	s := &session{conn: conn, in: bufio.NewReader(conn)}
	if err := s.begin(); err != nil {
		return err
	}
	names, rows, err := s.query(about)
	if err != nil {
		return err
	}
	for _, row := range rows {
		for i, name := range names {
			number(r, name, row[i])
		}
	}
	if _, rows, err = s.query(replicas); err != nil {
		return err
	}
	for _, row := range rows {
		number(r, "replica_lag_seconds", row[1], "replica", row[0])
		number(r, "replica_lag_bytes", row[2], "replica", row[0])
	}
	if _, rows, err = s.query(sizes); err != nil {
		return err
	}
	for _, row := range rows {
		number(r, "size_bytes", row[1], "database", row[0])
	}
	return nil
}

// number reports a value that is sent as text.
func number(r *inspectors.Report, name, text string, labels ...string) {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		r.Gauge(name, v, labels...)
	}
}

// session is a connection that speaks version 3 of the protocol.
type session struct {
	conn net.Conn
	in   *bufio.Reader
}

// send sends a message. The first one has no kind.
func (s *session) send(kind string, body []byte) error {
	message := []byte(kind)
	message = binary.BigEndian.AppendUint32(message, uint32(len(body)+4))
	_, err := s.conn.Write(append(message, body...))
	return err
}

// receive returns the next message. An error of the server is returned as an error.
func (s *session) receive() (string, []byte, error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(s.in, head); err != nil {
		return "", nil, err
	}
	size := int(binary.BigEndian.Uint32(head[1:])) - 4
	if size < 0 || size > 1<<20 {
		return "", nil, errors.New("this is no PostgreSQL server")
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(s.in, body); err != nil {
		return "", nil, err
	}
	if head[0] == 'E' {
		return "", nil, serverError(body)
	}
	return string(head[:1]), body, nil
}

// serverError decodes the error in a message. Each of its fields begins with a letter; M is
// the text.
func serverError(body []byte) error {
	for _, field := range strings.Split(string(body), "\x00") {
		if strings.HasPrefix(field, "M") {
			return errors.New(field[1:])
		}
	}
	return errors.New("the server tells of an error without a text")
}

// begin logs in.
func (s *session) begin() error {
	start := binary.BigEndian.AppendUint32(nil, 3<<16)
	start = append(start, "user\x00"+user+"\x00database\x00"+database+"\x00application_name\x00vedette\x00\x00"...)
	if err := s.send("", start); err != nil {
		return err
	}
	for {
		kind, body, err := s.receive()
		if err != nil {
			return err
		}
		switch {
		case kind == "Z":
			return nil
		case kind != "R":
			continue // settings of the session
		}
		if len(body) < 4 {
			return errors.New("this is no PostgreSQL server")
		}
		switch code := binary.BigEndian.Uint32(body); code {
		case 0:
		case 10:
			if err := s.scram(); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the server wants authentication of kind %d; this probe knows trust and scram-sha-256", code)
		}
	}
}

// The salted password of the last login, because computing it takes thousands of rounds.
var (
	saltedFor string
	salted    []byte
)

// scram proves knowledge of the password (RFC 5802, RFC 7677).
func (s *session) scram() error {
	password, err := os.ReadFile(passwordFile)
	if err != nil {
		return fmt.Errorf("the server wants a password: %w", err)
	}
	secret := strings.TrimSpace(string(password))
	random := make([]byte, 18)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	bare := "n=,r=" + base64.StdEncoding.EncodeToString(random)
	first := []byte("SCRAM-SHA-256\x00")
	first = binary.BigEndian.AppendUint32(first, uint32(len(bare)+3))
	if err := s.send("p", append(first, "n,,"+bare...)); err != nil {
		return err
	}
	_, body, err := s.receive()
	if err != nil {
		return err
	}
	if len(body) < 4 {
		return errors.New("this is no PostgreSQL server")
	}
	challenge := string(body[4:])
	nonce, salt, rounds := "", "", 0
	for _, part := range strings.Split(challenge, ",") {
		switch {
		case strings.HasPrefix(part, "r="):
			nonce = part[2:]
		case strings.HasPrefix(part, "s="):
			salt = part[2:]
		case strings.HasPrefix(part, "i="):
			if rounds, err = strconv.Atoi(part[2:]); err != nil || rounds > 100000 {
				return fmt.Errorf("the server wants %s rounds of hashing", part[2:])
			}
		}
	}
	if key := secret + "\x00" + salt + "\x00" + strconv.Itoa(rounds); key != saltedFor {
		bytes, err := base64.StdEncoding.DecodeString(salt)
		if err != nil {
			return err
		}
		salted, saltedFor = stretch(secret, bytes, rounds), key
	}
	final := "c=biws,r=" + nonce
	client := sign(salted, "Client Key")
	hash := sha256.Sum256(client)
	proof := xor(client, sign(hash[:], bare+","+challenge+","+final))
	if err := s.send("p", []byte(final+",p="+base64.StdEncoding.EncodeToString(proof))); err != nil {
		return err
	}
	_, _, err = s.receive()
	return err
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func xor(a, b []byte) []byte {
	c := make([]byte, 32)
	for i := 0; i < 32; i += 8 {
		binary.BigEndian.PutUint64(c[i:], binary.BigEndian.Uint64(a[i:])^binary.BigEndian.Uint64(b[i:]))
	}
	return c
}

// stretch is PBKDF2 with one block.
func stretch(secret string, salt []byte, rounds int) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(append(append([]byte(nil), salt...), 0, 0, 0, 1))
	block := mac.Sum(nil)
	sum := block
	for i := 1; i < rounds; i++ {
		mac.Reset()
		mac.Write(block)
		block = mac.Sum(nil)
		sum = xor(sum, block)
	}
	return sum
}

// query returns the names of the columns, and the rows as text.
func (s *session) query(text string) (names []string, rows [][]string, err error) {
	if err := s.send("Q", []byte(text+"\x00")); err != nil {
		return nil, nil, err
	}
	for {
		kind, body, err := s.receive()
		if err != nil {
			return nil, nil, err
		}
		switch kind {
		case "Z":
			return names, rows, nil
		case "T":
			names = columns(body)
		case "D":
			rows = append(rows, values(body))
		}
	}
}

// columns reads the names of a row description.
func columns(body []byte) []string {
	var names []string
	for rest := string(body[2:]); rest != ""; {
		end := strings.Index(rest, "\x00")
		if end < 0 || len(rest) < end+19 {
			break
		}
		names = append(names, rest[:end])
		rest = rest[end+19:]
	}
	return names
}

// values reads a row.
func values(body []byte) []string {
	n := int(binary.BigEndian.Uint16(body))
	rest := body[2:]
	row := make([]string, 0, n)
	for i := 0; i < n && len(rest) >= 4; i++ {
		size := int(int32(binary.BigEndian.Uint32(rest)))
		rest = rest[4:]
		if size < 0 {
			row = append(row, "") // NULL
			continue
		}
		row = append(row, string(rest[:size]))
		rest = rest[size:]
	}
	return row
}
