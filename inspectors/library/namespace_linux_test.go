package library

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// insideVariable is set in the environment of a test that runs itself again in its own
// namespaces.
const insideVariable = "VEDETTE_TEST_INSIDE"

// inside runs the calling test again in a child with its own mount table and, if network is
// true, its own network, and reports whether this is that child. Nobody else sees mounts
// there.
func inside(t *testing.T, network bool) bool {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	if os.Getuid() != 0 {
		t.Skip("mounting takes root")
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), insideVariable+"=1")
	flags := uintptr(syscall.CLONE_NEWNS)
	if network {
		flags |= syscall.CLONE_NEWNET
	}
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	out, err := child.CombinedOutput()
	switch {
	case err != nil && len(out) == 0:
		t.Skipf("namespaces cannot be made here: %v", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("%s", out)
	}
	return false
}

func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := os.MkdirAll(target, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(source, target, kind, flags, data); err != nil {
		t.Fatalf("cannot mount %s on %s: %v", source, target, err)
	}
}

func run(t *testing.T, command string) {
	t.Helper()
	words := strings.Fields(command)
	if out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Skipf("%s: %v\n%s", command, err, out)
	}
}

// A real pair of interfaces, one half in a bridge: without hardware the other half
// is the way out, and reported.
func TestRealPair(t *testing.T) {
	if !inside(t, true) {
		return
	}
	sys := t.TempDir()
	mount(t, "sysfs", sys, "sysfs", 0, "")
	t.Cleanup(func() { _ = syscall.Unmount(sys, syscall.MNT_DETACH) })
	t.Setenv("HOST_SYS", sys)
	for _, command := range []string{
		"ip link add cali0 type veth peer name tap0", "ip link add br0 type bridge", "ip link set cali0 master br0",
		"ip addr add 10.9.0.1/24 dev tap0", "ip link set br0 up", "ip link set cali0 up", "ip link set tap0 up",
	} {
		run(t, command)
	}
	c, err := net.Dial("udp", "10.9.0.255:9") // an address that nobody has is asked for
	if err == nil {
		_ = c.Close()
	}
	c, err = net.Dial("udp", "10.9.0.2:9")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	i := interpreted(t, "network")
	for range 1_000_000 { // each sends something, and one of them will be counted
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		got := inspect(t, i, "network")
		for series := range got {
			if strings.Contains(series, `"cali0"`) {
				t.Fatalf("the host's end is reported: %v", got)
			}
		}
		if got[`network/transmit_packets_total{interface="tap0"}`] > 0 {
			return
		}
	}
	t.Error("nothing was ever carried by the way out")
}
