package owner

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/internal/patience"
)

const (
	// dialEnv has this program connect to an address and read until the end.
	dialEnv = "VEDETTE_TEST_DIAL"
	nobody  = 65534
)

func TestMain(m *testing.M) {
	address := os.Getenv(dialEnv)
	if address == "" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, c)
}

// listen listens on loopback until the test ends.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("cannot listen on %s here: %v", address, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience.Limit))
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// dialAs connects as another user, from a separate process.
func dialAs(t *testing.T, uid uint32, address string) {
	t.Helper()
	self, err := os.Open("/proc/self/exe") // nobody may not reach its folder
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	cmd := exec.Command("/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{self}
	cmd.Env = []string{dialEnv + "=" + address}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, NoSetGroups: false}, Pdeathsig: syscall.SIGKILL}
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

func TestOurOwnConnections(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "127.3.4.5:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			l := listen(t, address)
			var open sync.WaitGroup
			for range 50 {
				open.Go(func() {
					c, err := net.Dial("tcp", l.Addr().String())
					if err == nil {
						t.Cleanup(func() { c.Close() })
					}
				})
			}
			for range 50 {
				c := accept(t, l)
				if uid, err := Of(c); err != nil || uid != uint32(os.Geteuid()) {
					t.Errorf("it belongs to %d, %v", uid, err)
				}
				if err := Trusted(c); err != nil {
					t.Error(err)
				}
			}
			open.Wait()
		})
	}
}

func TestConnectionsOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("to be another user takes root")
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		for _, uid := range []uint32{nobody, 1 + rand.Uint32N(60_000)} {
			l := listen(t, address)
			dialAs(t, uid, l.Addr().String())
			c := accept(t, l)
			if got, err := Of(c); err != nil || got != uid {
				t.Errorf("on %s it belongs to %d, %v; want %d", address, got, err, uid)
			}
			if err := Trusted(c); err == nil || errors.Is(err, ErrUnknown) {
				t.Errorf("user %d on %s: %v", uid, address, err)
			}
		}
	}
}

// Whoever hangs up, in whatever way, is not taken for root, to whom the kernel
// gives what nobody has any more.
func TestWhoHasHungUpIsNobody(t *testing.T) {
	for name, hangUp := range map[string]func(*net.TCPConn){
		"close": func(c *net.TCPConn) { c.Close() },
		"reset": func(c *net.TCPConn) { _ = c.SetLinger(0); c.Close() },
		"close after a word": func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\n\r\n")
			c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, "127.0.0.1:0")
			client, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			c := accept(t, l)
			hangUp(client.(*net.TCPConn))
			if uid, err := Of(c); !errors.Is(err, ErrUnknown) {
				t.Errorf("it belongs to %d, %v", uid, err)
			}
		})
	}
}

// A listener, or a connection of other addresses, on the port of the other end
// is not what was asked for.
func TestOthersOnTheSamePort(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	to := l.Addr().(*net.TCPAddr).AddrPort()
	for range 20 {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		accept(t, l)
		from := client.LocalAddr().(*net.TCPAddr).AddrPort()
		other := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 9, byte(rand.IntN(256)), byte(1 + rand.IntN(250))}), from.Port())
		if uid, err := ask(other, to); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s, of which there is none, belongs to %d, %v", other, uid, err)
		}
		if _, err := ask(from, to); err != nil {
			t.Errorf("%s: %v", from, err)
		}
		client.Close()
	}
	idle := listen(t, "127.0.0.1:0").Addr().(*net.TCPAddr).AddrPort()
	if uid, err := ask(idle, to); !errors.Is(err, ErrUnknown) {
		t.Errorf("a listener was taken for a connection of %d, %v", uid, err)
	}
}

func TestNoLoopback(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, err := Of(a); !errors.Is(err, ErrUnknown) {
		t.Errorf("a pipe: %v", err)
	}
}

func BenchmarkOf(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for b.Loop() {
		if _, err := Of(c); err != nil {
			b.Fatal(err)
		}
	}
}

// inAnotherNetwork runs f on a thread in a new network namespace, with loopback up.
func inAnotherNetwork(t *testing.T, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock it: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = loopbackUp()
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skipf("no network namespace can be made here: %v", err)
	}
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// A connection of another network namespace, in which this one's kernel tables do
// not have it, is nobody's, though its addresses are of loopback and it is ours.
func TestAnotherNetworkNamespace(t *testing.T) {
	var l net.Listener
	var client net.Conn
	inAnotherNetwork(t, func() {
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Error(err)
			return
		}
		if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		return
	}
	defer l.Close()
	defer client.Close()
	if uid, err := Of(accept(t, l)); !errors.Is(err, ErrUnknown) {
		t.Errorf("it belongs to %d, %v", uid, err)
	}
}
