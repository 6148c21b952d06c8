// Package ntp tells how far the clock of this host is off, compared with a time
// server.
//
//vedette:name ntp
//vedette:interval 5m
//vedette:timeout 10s
//vedette:needs net:pool.ntp.org:123
package ntp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// The server to ask. Name it in needs above too.
const server = "pool.ntp.org:123"

// The seconds from 1900, where the clock of NTP begins, to 1970.
const epoch = 2208988800

// Inspect asks once (RFC 4330).
func Inspect(ctx context.Context, r *inspectors.Report) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	question := make([]byte, 48)
	question[0] = 4<<3 | 3 // version 4, from a client
	sent := time.Now()
	mark := uint64(sent.UnixNano())
	binary.BigEndian.PutUint64(question[40:], mark)
	if _, err := conn.Write(question); err != nil {
		return err
	}
	answer := make([]byte, 48)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	got := time.Now()
	switch {
	case binary.BigEndian.Uint64(answer[24:]) != mark:
		return errors.New("the answer is to another question")
	case answer[0]&7 != 4 || answer[1] == 0:
		return errors.New("the server does not want to be asked")
	case answer[0]>>6 == 3:
		return errors.New("the server does not know the time itself")
	}
	received, transmitted := moment(answer[32:]), moment(answer[40:])
	r.Gauge("offset_seconds", (received.Sub(sent)+transmitted.Sub(got)).Seconds()/2)
	r.Gauge("round_trip_seconds", (got.Sub(sent) - transmitted.Sub(received)).Seconds())
	r.Gauge("stratum", float64(answer[1]))
	return nil
}

// moment decodes a time of NTP: seconds, and fractions of one.
func moment(b []byte) time.Time {
	seconds := int64(binary.BigEndian.Uint32(b)) - epoch
	parts := int64(binary.BigEndian.Uint32(b[4:]))
	return time.Unix(seconds, parts*1_000_000_000>>32)
}
