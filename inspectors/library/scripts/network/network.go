// Package network reports what the network interfaces have received and sent
// since they came up. It leaves out the host's ends of the interfaces of
// containers and virtual machines, which come and go, and interfaces that have never
// carried anything.
//
//vedette:name network
//vedette:interval 1s
package network

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/shirou/gopsutil/v3/net"
	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	counters, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return err
	}
	judge(counters)
	for _, c := range counters {
		if c.PacketsRecv+c.PacketsSent == 0 || guests[c.Name] {
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

// judgeEvery is the number of runs after which the interfaces are judged again even if none
// is new, because one may have been recreated under the same name.
const judgeEvery = 30

var (
	// guests says for each interface whether it is the host's end of a guest's.
	guests = map[string]bool{}
	runs   int
)

// judge finds out which interfaces are the ends of guests', when there is a new one and
// from time to time.
func judge(counters []net.IOCountersStat) {
	isNew := false
	for _, c := range counters {
		_, known := guests[c.Name]
		isNew = isNew || !known
	}
	runs++
	if !isNew && runs%judgeEvery != 0 {
		return
	}
	hardware := false
	for _, c := range counters {
		hardware = hardware || has(c.Name, "device")
	}
	found := map[string]bool{}
	for _, c := range counters {
		found[c.Name] = guest(c.Name, hardware)
	}
	guests = found
}

// guest reports whether an interface is the host's end of a container's or virtual
// machine's, by what it is: a port of a bridge that is one half of a pair, or a tap.
// Beside an interface of hardware a half is a guest's without a bridge too; alone,
// it is the way out of the container that this runs in.
func guest(name string, hardware bool) bool {
	bridged := has(name, "brport")
	if has(name, "tun_flags") {
		return bridged
	}
	return half(name) && (bridged || hardware)
}

// half reports whether an interface is one half of a pair (veth). Like interfaces that are
// based on another one, it names another index as its link, but it has no lower interface
// and no type; unlike tunnels, it has a speed.
func half(name string) bool {
	if value(name, "iflink") == value(name, "ifindex") || value(name, "iflink") == "0" || value(name, "type") != "1" {
		return false
	}
	if value(name, "speed") != "10000" && value(name, "operstate") != "down" {
		return false
	}
	if has(name, "device") || strings.Contains(value(name, "uevent"), "DEVTYPE=") {
		return false
	}
	folder, err := os.Open(path(name, ""))
	if err != nil {
		return false
	}
	defer folder.Close()
	entries, err := folder.Readdirnames(-1)
	if err != nil {
		return false
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry, "lower_") {
			return false
		}
	}
	return true
}

func has(name, entry string) bool {
	_, err := os.Stat(path(name, entry))
	return err == nil
}

func value(name, entry string) string {
	text, err := os.ReadFile(path(name, entry))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func path(name, entry string) string {
	root := os.Getenv("HOST_SYS")
	if root == "" {
		root = "/sys"
	}
	return filepath.Join(root, "class/net", name, entry)
}
