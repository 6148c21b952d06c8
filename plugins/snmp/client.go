package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gosnmp/gosnmp"

	"github.com/vedettehq/vedette/inspectors"
)

// connect makes the socket of a device. It asks it nothing.
func (d *Device) connect(ctx context.Context, s secrets) (*gosnmp.GoSNMP, error) {
	host, port, err := d.hostPort()
	if err != nil {
		return nil, err
	}
	conn := &gosnmp.GoSNMP{
		Target: host, Port: port, Transport: "udp", Context: ctx,
		Timeout: time.Duration(d.Timeout), Retries: *d.Retries, MaxOids: gosnmp.MaxOids,
		Version: gosnmp.Version2c, Community: s.community,
	}
	if d.Version == "3" {
		conn.Version, conn.Community, conn.ContextName = gosnmp.Version3, "", d.Context
		conn.SecurityModel, conn.MsgFlags = gosnmp.UserSecurityModel, gosnmp.AuthPriv
		conn.SecurityParameters = &gosnmp.UsmSecurityParameters{
			UserName:               d.User,
			AuthenticationProtocol: auths[d.Auth], AuthenticationPassphrase: s.auth,
			PrivacyProtocol: privacies[d.Privacy], PrivacyPassphrase: s.privacy,
		}
	}
	return conn, conn.Connect()
}

// column is what a walk has read, by the index of each row.
type column map[string]gosnmp.SnmpPDU

// get reads single objects. One that the device does not have is left out.
func (d *device) get(oids ...string) (map[string]gosnmp.SnmpPDU, error) {
	got := make(map[string]gosnmp.SnmpPDU)
	for most := 20; len(oids) > 0; {
		n := min(len(oids), most)
		answer, err := d.conn.Get(oids[:n])
		switch {
		case err != nil:
			return nil, err
		case answer.Error == gosnmp.TooBig && most > 1:
			most /= 2
			continue
		case answer.Error != gosnmp.NoError:
			return nil, plainf("it answers with the error %v", answer.Error)
		}
		for _, pdu := range answer.Variables {
			if there(pdu) {
				got[absolute(pdu.Name)] = pdu
			}
		}
		oids = oids[n:]
	}
	return got, nil
}

func there(pdu gosnmp.SnmpPDU) bool {
	return pdu.Type != gosnmp.NoSuchObject && pdu.Type != gosnmp.NoSuchInstance && pdu.Type != gosnmp.EndOfMibView && pdu.Type != gosnmp.Null
}

func absolute(oid string) string { return "." + strings.TrimPrefix(oid, ".") }

// walk reads a column. The walk of the library takes an error in the middle for the end.
func (d *device) walk(of *Device, oid string) (column, error) {
	root, rows, repetitions := absolute(oid), make(column), of.Repetitions
	for last := root; ; {
		answer, err := d.conn.GetBulk([]string{last}, 0, repetitions)
		switch {
		case err != nil:
			return nil, err
		case answer.Error == gosnmp.TooBig && repetitions > 1:
			repetitions /= 2
			continue
		case answer.Error != gosnmp.NoError:
			return nil, plainf("it answers with the error %v", answer.Error)
		case len(answer.Variables) == 0:
			return rows, nil
		}
		for _, pdu := range answer.Variables {
			name := absolute(pdu.Name)
			index, inside := strings.CutPrefix(name, root+".")
			if !inside || pdu.Type == gosnmp.EndOfMibView {
				return rows, nil
			}
			if _, known := rows[index]; known {
				return nil, plainf("it names row %q of the column %s twice, so the walk has no end", index, oid)
			}
			if len(rows) == of.MaxRows {
				return nil, plainf("the column %s has more than %d rows; raise max_rows, or leave it out", oid, of.MaxRows)
			}
			rows[index], last = pdu, name
		}
	}
}

// columns reads some columns of a table. One that the device does not have is empty.
func (d *device) columns(of *Device, oids ...string) (map[string]column, error) {
	all := make(map[string]column)
	for _, oid := range oids {
		rows, err := d.walk(of, oid)
		if err != nil {
			return nil, err
		}
		all[oid] = rows
	}
	return all, nil
}

// plain is an error that people can read already.
type plain struct{ error }

func plainf(format string, args ...any) error { return plain{fmt.Errorf(format, args...)} }

// told turns an error into one for people, which says what is wrong and what to look at.
// No text of it comes from a sent packet, which may contain the community.
func (d *Device) told(ctx context.Context, err error) error {
	asked := fmt.Sprintf("asked %d times, each with a timeout of %v", *d.Retries+1, time.Duration(d.Timeout))
	network, _ := errors.AsType[net.Error](err)
	switch {
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return errors.New("the time of the run was over before it had answered everything; give the inspector a longer timeout, or ask for less")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s", d.Address)
	case errors.Is(err, gosnmp.ErrDecryption):
		return fmt.Errorf("the passphrase that encrypts is wrong, or privacy, which is %s", d.Privacy)
	case errors.Is(err, gosnmp.ErrUnknownSecurityLevel):
		return fmt.Errorf("it does not let the user %q authenticate and encrypt", d.User)
	case errors.Is(err, gosnmp.ErrNotInTimeWindow), errors.Is(err, gosnmp.ErrUnknownEngineID):
		return errors.New("it does not agree about its identity or its time; two devices may answer at one address")
	case errors.Is(err, gosnmp.ErrMaxRetriesExceeded), network != nil && network.Timeout():
		if d.Version == "2c" {
			return fmt.Errorf("it does not answer (%s): it is away, a filter is in between, or the community is wrong, which no device answers", asked)
		}
		return fmt.Errorf("it does not answer (%s): it is away, a filter is in between, or the passphrase that encrypts is wrong, "+
			"which some devices do not answer", asked)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("cannot find its address: %w", dns)
	}
	if p, ok := errors.AsType[plain](err); ok {
		return p.error
	}
	if d.Version == "3" { // the library drops a report that says what is wrong, because nobody has signed it
		return fmt.Errorf("it does not take the user %q: the name is wrong, or the passphrase that authenticates, or auth, which is %s", d.User, d.Auth)
	}
	return errors.New("it has sent an answer that cannot be read")
}

// number is a value as a number; ok is false for text and addresses. counter is whether
// the device says that it only grows, wraps whether it does so in 32 bits.
func number(pdu gosnmp.SnmpPDU) (v float64, counter, wraps, ok bool) {
	switch n := pdu.Value.(type) {
	case int:
		return float64(n), false, false, true
	case uint:
		return float64(n), pdu.Type == gosnmp.Counter32, pdu.Type == gosnmp.Counter32, true
	case uint32:
		if pdu.Type == gosnmp.TimeTicks {
			return float64(n) / 100, false, false, true // hundredths of a second
		}
		return float64(n), pdu.Type == gosnmp.Counter32, pdu.Type == gosnmp.Counter32, true
	case uint64:
		return float64(n), pdu.Type == gosnmp.Counter64, false, true
	case int64:
		return float64(n), false, false, true
	case float32:
		v = float64(n)
	case float64:
		v = n
	case []byte:
		parsed, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimRight(string(n), "\x00")), 64)
		if err != nil {
			return 0, false, false, false
		}
		v = parsed
	default:
		return 0, false, false, false
	}
	return v, false, false, !math.IsNaN(v) && !math.IsInf(v, 0)
}

// text is a value as a label. Bytes that are no text are written in hexadecimal.
func text(pdu gosnmp.SnmpPDU) string {
	switch v := pdu.Value.(type) {
	case nil:
		return ""
	case []byte:
		trimmed := strings.TrimSpace(strings.TrimRight(string(v), "\x00"))
		if !utf8.ValidString(trimmed) || strings.ContainsFunc(trimmed, func(c rune) bool { return unicode.IsControl(c) && !unicode.IsSpace(c) }) {
			return short(strings.ReplaceAll(fmt.Sprintf("% x", v), " ", ":"))
		}
		return short(strings.Join(strings.Fields(trimmed), " "))
	case string:
		return short(v)
	}
	return short(fmt.Sprint(pdu.Value))
}

// short cuts a label to the length that is allowed.
func short(s string) string {
	if len(s) <= inspectors.MaxLabelValueBytes {
		return s
	}
	return strings.ToValidUTF8(s[:inspectors.MaxLabelValueBytes], "")
}
