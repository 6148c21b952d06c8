package library

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// kinds are interfaces as the kernel shows them below /sys/class/net, by their kind. %d
// stands for the interface's own index.
var kinds = []struct {
	what  string
	files map[string]string
	guest bool // the host's end of a guest's interface, where there is hardware
	alone bool // the same where there is none
}{
	{"hardware", map[string]string{"device/vendor": "0x8086", "iflink": "%d", "type": "1", "speed": "1000", "operstate": "up", "uevent": ""}, false, false},
	{"bridge", map[string]string{"iflink": "%d", "type": "1", "uevent": "DEVTYPE=bridge", "lower_x/y": ""}, false, false},
	{"vlan", map[string]string{"iflink": "9999", "type": "1", "uevent": "DEVTYPE=vlan", "lower_x/y": "", "speed": "10000"}, false, false},
	{"macvlan", map[string]string{"iflink": "9999", "type": "1", "uevent": "", "lower_x/y": "", "speed": "10000"}, false, false},
	{"tunnel", map[string]string{"iflink": "9999", "type": "1", "uevent": "", "operstate": "unknown"}, false, false},
	{"tun", map[string]string{"iflink": "%d", "type": "65534", "uevent": "", "tun_flags": "0x1001"}, false, false},
	{"tap of a VPN", map[string]string{"iflink": "%d", "type": "1", "uevent": "", "tun_flags": "0x1002"}, false, false},
	{"tap of a virtual machine", map[string]string{"iflink": "%d", "type": "1", "uevent": "", "tun_flags": "0x1002", "brport/state": "3"}, true, true},
	{"half of a pair in a bridge", map[string]string{"iflink": "9999", "type": "1", "uevent": "", "speed": "10000", "brport/state": "3"}, true, true},
	{"half of a pair with routes", map[string]string{"iflink": "9999", "type": "1", "uevent": "", "speed": "10000", "operstate": "up"}, true, false},
	{"half of a pair that is down", map[string]string{"iflink": "9999", "type": "1", "uevent": "", "operstate": "down"}, true, false},
	{"what /sys does not know", nil, false, false},
}

// Interfaces of random kinds under random names, among them the names of guests' ends and
// markup: each is reported or not by its kind.
func TestInterfacesByWhatTheyAre(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	prefixes := []string{"eth", "veth", "cali", "lxc", "vnet", "tap", "fwpr", "wg", "a<b>", "x\x1b", "u\xff", "br-"}
	for round := range 40 {
		files := map[string]string{}
		table := "Inter-| Receive | Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n"
		var names []string
		var are []int
		hardware := false
		for i := range 1 + random.IntN(8) {
			name, kind := fmt.Sprint(prefixes[random.IntN(len(prefixes))], i), random.IntN(len(kinds))
			names, are = append(names, name), append(are, kind)
			hardware = hardware || kinds[kind].what == "hardware"
			table += fmt.Sprintf("%6s: %d 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n", name, i+1)
			if kinds[kind].files != nil {
				files["sys/class/net/"+name+"/ifindex"] = fmt.Sprint(i+1, "\n")
			}
			for file, text := range kinds[kind].files {
				files["sys/class/net/"+name+"/"+file] = strings.ReplaceAll(text, "%d", fmt.Sprint(i+1)) + "\n"
			}
		}
		files["proc/net/dev"] = table
		fakeRoot(t, files)
		got := inspect(t, interpreted(t, "network"), "network")
		shown := 0
		for i, name := range names {
			kind := kinds[are[i]]
			want := !kind.guest
			if !hardware {
				want = !kind.alone
			}
			escaped := strings.NewReplacer("<", `\\x3c`, ">", `\\x3e`, "\x1b", `\\x1b`, "\xff", `\\xff`).Replace(name)
			v, ok := got[`network/receive_bytes_total{interface="`+escaped+`"}`]
			if ok != want || ok && v != float64(i+1) {
				t.Errorf("seed %d, round %d: %s, %s, beside hardware %v, is reported %v as %v", seed, round, name, kind.what, hardware, ok, v)
			}
			if ok {
				shown++
			}
		}
		if len(got) != 8*shown {
			t.Errorf("seed %d, round %d: %d series of %d interfaces: %v", seed, round, len(got), shown, got)
		}
	}
}
