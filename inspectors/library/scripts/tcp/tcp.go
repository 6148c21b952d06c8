// Package tcp reports the TCP sockets of the host, of IPv4 and IPv6 together, and
// how many segments had to be sent again.
//
// It reads the sums that the kernel keeps, because listing the sockets of every state
// takes the kernel several milliseconds even if there are none. Like the kernel's
// count, established includes sockets in CLOSE_WAIT; other are those that listen,
// open or close.
//
//vedette:name tcp
//vedette:interval 5s
package tcp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/shirou/gopsutil/v3/net"
	"github.com/vedettehq/vedette/inspectors"
)

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
	used, orphans, waiting, err := sockets()
	if err != nil {
		return err
	}
	established := float64(stats["CurrEstab"])
	r.Gauge("sockets", established, "state", "established")
	r.Gauge("sockets", waiting, "state", "time_wait")
	// The two numbers are read at different moments.
	r.Gauge("sockets", math.Max(0, used-established), "state", "other")
	r.Gauge("orphaned_sockets", orphans)
	return nil
}

// sockets returns how many TCP sockets are in use, how many of these belong to no process
// any more, and how many wait for late packets.
func sockets() (used, orphans, waiting float64, err error) {
	line, err := sums("net/sockstat", "TCP:")
	if err != nil {
		return 0, 0, 0, err
	}
	if _, err := fmt.Sscanf(line, "TCP: inuse %g orphan %g tw %g", &used, &orphans, &waiting); err != nil {
		return 0, 0, 0, fmt.Errorf("cannot read %q: %w", line, err)
	}
	line, err = sums("net/sockstat6", "TCP6:")
	if err != nil {
		return used, orphans, waiting, nil // IPv6 is off
	}
	var six float64
	if _, err := fmt.Sscanf(line, "TCP6: inuse %g", &six); err != nil {
		return 0, 0, 0, fmt.Errorf("cannot read %q: %w", line, err)
	}
	total := used + six
	return total, orphans, waiting, nil
}

// sums returns the line of a file below /proc that starts with a word.
func sums(name, word string) (string, error) {
	root := os.Getenv("HOST_PROC")
	if root == "" {
		root = "/proc"
	}
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return "", err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, word) {
			return line, nil
		}
	}
	return "", fmt.Errorf("%s has no line %q", name, word)
}
