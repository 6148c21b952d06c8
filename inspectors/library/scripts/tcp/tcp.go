// Package tcp reports the TCP sockets of the host by state, and what had to be
// sent again. Where there are more than 20,000 sockets, listing them costs too
// much: then only the states that the system counts itself are reported,
// established and time_wait.
//
//vedette:name tcp
//vedette:interval 5s
package tcp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/shirou/gopsutil/v3/net"
	"github.com/vedettehq/vedette/inspectors"
)

// most is how many sockets are listed.
const most = 20000

// states are the names of the kernel's states, as /proc/net/tcp writes them:
// two hex digits between spaces, which no other column has.
var states = map[string]string{
	" 01 ": "established", " 02 ": "syn_sent", " 03 ": "syn_recv", " 04 ": "fin_wait1", " 05 ": "fin_wait2", " 06 ": "time_wait",
	" 07 ": "close", " 08 ": "close_wait", " 09 ": "last_ack", " 0A ": "listen", " 0B ": "closing",
}

func Inspect(ctx context.Context, r *inspectors.Report) error {
	protocols, err := net.ProtoCountersWithContext(ctx, []string{"tcp"})
	if err != nil {
		return err
	}
	if len(protocols) == 0 {
		return errors.New("the system has no counters of TCP")
	}
	stats := protocols[0].Stats
	r.Counter("segments_received_total", float64(stats["InSegs"]))
	r.Counter("segments_sent_total", float64(stats["OutSegs"]))
	r.Counter("segments_sent_again_total", float64(stats["RetransSegs"]))
	used, waiting, err := sockets()
	if err != nil {
		return err
	}
	if used+waiting > most {
		r.Gauge("sockets", float64(stats["CurrEstab"]), "state", "established")
		r.Gauge("sockets", float64(waiting), "state", "time_wait")
		return nil
	}
	table, err := os.ReadFile(proc("net/tcp"))
	if err != nil {
		return err
	}
	all := string(table)
	if six, err := os.ReadFile(proc("net/tcp6")); err == nil {
		all += string(six) // there is none where IPv6 is off
	}
	for code, state := range states {
		r.Gauge("sockets", float64(strings.Count(all, code)), "state", state)
	}
	return nil
}

// sockets returns how many TCP sockets of IPv4 are in use and in time_wait.
func sockets() (used, waiting int, err error) {
	text, err := os.ReadFile(proc("net/sockstat"))
	if err != nil {
		return 0, 0, err
	}
	var orphans int
	line := string(text)
	at := strings.Index(line, "TCP:")
	if at < 0 {
		return 0, 0, errors.New("net/sockstat has no line of TCP")
	}
	if _, err := fmt.Sscanf(line[at:], "TCP: inuse %d orphan %d tw %d", &used, &orphans, &waiting); err != nil {
		return 0, 0, fmt.Errorf("cannot read net/sockstat: %w", err)
	}
	return used, waiting, nil
}

func proc(name string) string {
	root := os.Getenv("HOST_PROC")
	if root == "" {
		root = "/proc"
	}
	return filepath.Join(root, name)
}
