// Package network reports what the network interfaces have received and sent
// since they came up. Left out are the ends of containers' own pairs, which
// come and go, and what has never carried anything.
//
//vedette:name network
//vedette:interval 1s
package network

import (
	"context"
	"strings"

	"github.com/shirou/gopsutil/v3/net"
	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	counters, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return err
	}
	for _, c := range counters {
		if c.PacketsRecv+c.PacketsSent == 0 || pair(c.Name) {
			continue
		}
		r.Counter("receive_bytes_total", float64(c.BytesRecv), "interface", c.Name)
		r.Counter("transmit_bytes_total", float64(c.BytesSent), "interface", c.Name)
		r.Counter("receive_packets_total", float64(c.PacketsRecv), "interface", c.Name)
		r.Counter("transmit_packets_total", float64(c.PacketsSent), "interface", c.Name)
		r.Counter("receive_errors_total", float64(c.Errin), "interface", c.Name)
		r.Counter("transmit_errors_total", float64(c.Errout), "interface", c.Name)
		r.Counter("receive_drops_total", float64(c.Dropin), "interface", c.Name)
		r.Counter("transmit_drops_total", float64(c.Dropout), "interface", c.Name)
	}
	return nil
}

// pair reports the host's end of a container's or virtual machine's interface.
func pair(name string) bool {
	for _, prefix := range []string{"veth", "cali", "lxc", "vnet", "tap", "fwpr", "fwln"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
