package sdnotify

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// manager is a socket of a service manager.
func manager(t *testing.T, address string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// next is the next message, which has to be there already.
func next(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 4096)
	n, err := conn.Read(text)
	if err != nil {
		t.Fatalf("no message came: %v", err)
	}
	return string(text[:n])
}

func environment(t *testing.T, socket, usec, pid string) {
	t.Helper()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", usec)
	t.Setenv("WATCHDOG_PID", pid)
}

func TestTheManagerIsTold(t *testing.T) {
	for _, address := range []string{filepath.Join(t.TempDir(), "s"), fmt.Sprintf("@vedette-test-%d", rand.Uint64())} {
		conn := manager(t, address)
		environment(t, address, "60000000", strconv.Itoa(os.Getpid()))
		n, err := FromEnvironment(slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
			if value, there := os.LookupEnv(name); there {
				t.Errorf("children get %s=%s", name, value)
			}
		}
		if n.Every() != 20*time.Second {
			t.Errorf("it beats every %v", n.Every())
		}
		n.Alive()
		n.Alive() // too soon to be sent
		n.Status("two\nlines")
		n.Ready()
		n.Ready()
		n.Alive()
		n.Alive()
		n.Stopping()
		for _, want := range []string{"EXTEND_TIMEOUT_USEC=300000000", "STATUS=two lines", "READY=1", "WATCHDOG=1", "STOPPING=1\nWATCHDOG_USEC=86400000000"} {
			if got := next(t, conn); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
}

// However often and from however many places it is called, one beat is sent in its time.
func TestBeatsAreFew(t *testing.T) {
	address := filepath.Join(t.TempDir(), "s")
	conn := manager(t, address)
	environment(t, address, strconv.FormatInt(time.Hour.Microseconds(), 10), "")
	n, err := FromEnvironment(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	n.Ready()
	done := make(chan struct{})
	for range 8 {
		go func() {
			for range rand.IntN(2000) + 1 {
				n.Alive()
			}
			done <- struct{}{}
		}()
	}
	for range 8 {
		<-done
	}
	n.Status("end")
	for _, want := range []string{"READY=1", "WATCHDOG=1", "STATUS=end"} {
		if got := next(t, conn); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNobodyIsTold(t *testing.T) {
	environment(t, "", "1000", "")
	n, err := FromEnvironment(slog.New(slog.DiscardHandler))
	if n != nil || err != nil {
		t.Fatalf("got %v, %v", n, err)
	}
	n.Alive()
	n.Ready()
	n.Status("")
	n.Stopping()
	if n.Every() != 0 {
		t.Error("somebody waits for beats")
	}
}

func TestTheWatchdogOfAnotherProcess(t *testing.T) {
	environment(t, filepath.Join(t.TempDir(), "s"), "1000000", "1")
	n, err := FromEnvironment(slog.New(slog.DiscardHandler))
	if err != nil || n.Every() != 0 {
		t.Errorf("it beats every %v, %v", n.Every(), err)
	}
}

func TestBadEnvironment(t *testing.T) {
	for _, tt := range [][3]string{
		{"vsock:2:1234", "", "only sockets of this machine"},
		{"relative/path", "", "only sockets of this machine"},
		{"/run/s", "soon", `$WATCHDOG_USEC "soon"`},
		{"/run/s", "-1", `$WATCHDOG_USEC "-1"`},
		{"/run/s", "9223372036854775807", "a day at most"},
	} {
		environment(t, tt[0], tt[1], "")
		if _, err := FromEnvironment(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), tt[2]) {
			t.Errorf("%v: %v", tt, err)
		}
	}
}

// A manager that is gone stops nothing, and is told of once.
func TestAManagerThatIsGone(t *testing.T) {
	environment(t, filepath.Join(t.TempDir(), "none"), "1000000", "")
	var log bytes.Buffer
	n, err := FromEnvironment(slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	n.Ready()
	n.Alive()
	n.Stopping()
	if strings.Count(log.String(), "cannot be told") != 1 {
		t.Errorf("the log is\n%s", log.String())
	}
}
