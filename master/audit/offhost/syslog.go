package offhost

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// connectWithin bounds the time for a connection, for a write, and for the
	// end.
	connectWithin = 10 * time.Second
	// settleFor is how long a connection must outlive the last write.
	settleFor = 2 * time.Second
	// connectionMost and entriesMost bound what is sent over one connection before
	// the server has to show that it has read it.
	connectionMost = 30 * time.Second
	entriesMost    = 2000
	// messageMost bounds a message: RFC 5425 asks servers for 8192.
	messageMost = 8192
	// facility is "log audit", and the severities are notice and warning.
	facility = 13
	notice   = 5
	warning  = 4
)

// syslog is a syslog server. A stream does not show what was read at its other
// end. So a connection is kept open for a while after the last entry, then closed
// for writing, and only when the server closes it in return has it read
// everything. If the connection breaks before that, its entries are sent again.
type syslog struct {
	network, address string
	tls              *tls.Config
	host             string // of the header
	version          string // of the product
	settle           time.Duration
}

func (s *syslog) deliver(ctx context.Context, entries []wire.AuditEntry, more func() ([]wire.AuditEntry, error)) error {
	conn, framed, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if !framed {
		return s.write(conn, entries, false) // each datagram is taken or refused
	}
	sent, began, last := 0, time.Now(), time.Now()
	for {
		if len(entries) > 0 {
			if err := s.write(conn, entries, true); err != nil {
				return err
			}
			sent, last = sent+len(entries), time.Now()
		}
		if err := s.alive(ctx, conn); err != nil {
			return err
		}
		if time.Since(last) >= s.settle {
			return s.finish(ctx, conn)
		}
		if entries = nil; sent < entriesMost && time.Since(began) < connectionMost {
			if entries, err = more(); err != nil {
				return err
			}
		}
	}
}

// dial connects. framed says whether messages need their length in front.
func (s *syslog) dial(ctx context.Context) (conn net.Conn, framed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	var d net.Dialer
	switch s.network {
	case "tls":
		conn, err = (&tls.Dialer{NetDialer: &d, Config: s.tls}).DialContext(ctx, "tcp", s.address)
	case "tcp":
		conn, err = d.DialContext(ctx, "tcp", s.address)
	default:
		if conn, err = d.DialContext(ctx, "unixgram", s.address); err == nil {
			return conn, false, nil
		}
		conn, err = d.DialContext(ctx, "unix", s.address)
	}
	if err != nil {
		return nil, false, fmt.Errorf("cannot connect to the syslog server %q: %w", s.address, err)
	}
	return conn, true, nil
}

func (s *syslog) write(conn net.Conn, entries []wire.AuditEntry, framed bool) error {
	var text []byte
	for _, entry := range entries {
		message := s.message(entry)
		if framed { // RFC 6587, section 3.4.1, and RFC 5425
			text = append(strconv.AppendInt(text, int64(len(message)), 10), ' ')
			text = append(text, message...)
			continue
		}
		if err := s.writeOne(conn, message); err != nil {
			return err
		}
	}
	if framed {
		return s.writeOne(conn, text)
	}
	return nil
}

func (s *syslog) writeOne(conn net.Conn, text []byte) error {
	_ = conn.SetWriteDeadline(time.Now().Add(connectWithin))
	if _, err := conn.Write(text); err != nil {
		return fmt.Errorf("cannot write to the syslog server %q: %w", s.address, err)
	}
	return nil
}

// errClosed says that a server closed a connection too early.
var errClosed = errors.New("it has closed the connection")

// alive waits for lookEvery, and returns an error if the connection has ended.
func (s *syslog) alive(ctx context.Context, conn net.Conn) error {
	_ = conn.SetReadDeadline(time.Now().Add(lookEvery))
	for {
		_, err := conn.Read(make([]byte, 512)) // syslog servers send nothing
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("cannot write to the syslog server %q: %w", s.address, errClosed)
		default:
			return fmt.Errorf("cannot write to the syslog server %q: %w", s.address, err)
		}
	}
}

// finish closes the connection for writing, and waits until the server has read
// everything.
func (s *syslog) finish(ctx context.Context, conn net.Conn) error {
	_ = conn.SetDeadline(time.Now().Add(connectWithin))
	if over, ok := conn.(*tls.Conn); ok {
		if err := over.CloseWrite(); err != nil {
			return fmt.Errorf("cannot finish writing to the syslog server %q: %w", s.address, err)
		}
		conn = over.NetConn() // the server may close without ending TLS
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return fmt.Errorf("cannot finish writing to the syslog server %q: %w", s.address, err)
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(conn, 1<<20)); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("the syslog server %q does not read what was written: %w", s.address, err))
	}
	return nil
}

// message is an entry in the form of RFC 5424. Its text is the entry as "vedette audit
// --json" prints it.
func (s *syslog) message(entry wire.AuditEntry) []byte {
	severity, data := notice, ""
	if entry.Outcome != audit.OK {
		severity = warning
	}
	for _, p := range [][2]string{
		{"seq", strconv.FormatUint(entry.Seq, 10)}, {"sum", entry.Sum}, {"who", entry.Who}, {"role", entry.Role}, {"from", entry.From},
	} {
		if p[1] != "" {
			data += " " + p[0] + `="` + parameter(p[1]) + `"`
		}
	}
	head := fmt.Sprintf("<%d>1 %s %s vedette %d %s [vedette@32473%s][origin software=\"vedette\" swVersion=\"%s\"] ", facility*8+severity,
		time.UnixMilli(entry.AtMS).UTC().Format("2006-01-02T15:04:05.000Z07:00"), word(s.host, 255), os.Getpid(), word(entry.Action, 32), data,
		parameter(s.version))
	text, _ := json.Marshal(entry) // strings and numbers only
	for limit := 1000; len(head)+len(text) > messageMost && limit > 0; limit /= 2 {
		for _, field := range []*string{&entry.Subject, &entry.Detail, &entry.Outcome, &entry.Who} {
			*field = cut(*field, limit)
		}
		text, _ = json.Marshal(entry)
	}
	return append([]byte(head), text...)
}

// cut shortens a text visibly.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}

// word is a text as a field of the header: printable ASCII without spaces.
func word(text string, most int) string {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	if clean == "" {
		return "-"
	}
	return clean[:min(len(clean), most)]
}

// parameter is a text as the value of a parameter of structured data.
func parameter(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(cut(text, 200), "?"))
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(text)
}
