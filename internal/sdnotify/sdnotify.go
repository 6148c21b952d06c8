// Package sdnotify tells the service manager that started this process, such as
// systemd, its state: that it is up, that it makes progress, that it stops. The
// manager names a datagram socket in $NOTIFY_SOCKET; see sd_notify(3). Without
// one, nobody is told, and every method of a nil *Notifier does nothing.
package sdnotify

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// extension is how long the manager waits for the next sign of life while the
	// process starts, and extendEvery how often it is asked to wait longer.
	extension   = 5 * time.Minute
	extendEvery = 10 * time.Second
	// stopping is how long the watchdog waits once the process stops: the manager
	// has another limit for that, TimeoutStopSec.
	stopping = 24 * time.Hour
	// sendWithin bounds one message. The socket is the manager's, and may be full.
	sendWithin = time.Second
)

// Notifier tells one service manager. Its methods may be called from any goroutine.
type Notifier struct {
	log      *slog.Logger
	addr     *net.UnixAddr
	watchdog time.Duration // how long the manager waits for a sign of life, or 0

	began time.Time
	up    atomic.Bool
	next  atomic.Int64 // when the next sign of life is due, since began
	told  atomic.Bool  // a failure to send was logged
}

// FromEnvironment makes the notifier that the environment asks for, or nil. It
// removes the variables from the environment: children of this process are none of
// the manager's business.
func FromEnvironment(log *slog.Logger) (*Notifier, error) {
	socket, wait, pid := os.Getenv("NOTIFY_SOCKET"), os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")
	if err := errors.Join(os.Unsetenv("NOTIFY_SOCKET"), os.Unsetenv("WATCHDOG_USEC"), os.Unsetenv("WATCHDOG_PID")); err != nil {
		return nil, fmt.Errorf("cannot hide the service manager's variables from children: %w", err)
	}
	if socket == "" {
		return nil, nil
	}
	if !strings.HasPrefix(socket, "/") && !strings.HasPrefix(socket, "@") {
		return nil, fmt.Errorf("cannot tell the service manager at $NOTIFY_SOCKET %q: only sockets of this machine are supported, such as /run/systemd/notify",
			socket)
	}
	n := &Notifier{log: log, addr: &net.UnixAddr{Name: socket, Net: "unixgram"}, began: time.Now()}
	if wait == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return n, nil // nobody waits, or it is for another process
	}
	usec, err := strconv.ParseInt(wait, 10, 64)
	if err != nil || usec <= 0 || usec > int64(stopping/time.Microsecond) {
		return nil, fmt.Errorf("cannot read $WATCHDOG_USEC %q: it has to be a number of microseconds, a day at most", wait)
	}
	n.watchdog = time.Duration(usec) * time.Microsecond
	return n, nil
}

// Every is how often a healthy loop has to call Alive: 0 if nobody waits for that.
func (n *Notifier) Every() time.Duration {
	if n == nil {
		return 0
	}
	return n.watchdog / 3
}

// Alive says that the process makes progress. During the start, this extends the
// time for it; afterwards it is the sign of life that the watchdog waits for. Only
// the main work of the process may call it, as often as it likes: most calls do
// nothing.
func (n *Notifier) Alive() {
	if n == nil {
		return
	}
	now := time.Since(n.began)
	next := n.next.Load()
	if int64(now) < next {
		return
	}
	every, message := extendEvery, "EXTEND_TIMEOUT_USEC="+usec(extension)
	if n.up.Load() {
		if n.watchdog == 0 {
			return
		}
		every, message = n.Every()/2, "WATCHDOG=1"
	}
	if n.next.CompareAndSwap(next, int64(now+every)) {
		n.send(message)
	}
}

// Ready says that the process is up, once.
func (n *Notifier) Ready() {
	if n == nil || n.up.Swap(true) {
		return
	}
	n.next.Store(0)
	n.send("READY=1")
}

// Stopping says that the process has begun to stop.
func (n *Notifier) Stopping() {
	if n == nil {
		return
	}
	message := "STOPPING=1"
	if n.watchdog > 0 {
		message += "\nWATCHDOG_USEC=" + usec(stopping)
	}
	n.send(message)
}

// Status gives the manager a line to show with the process.
func (n *Notifier) Status(line string) {
	if n != nil {
		n.send("STATUS=" + strings.ReplaceAll(line, "\n", " "))
	}
}

func usec(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

// send sends one message. Nothing else depends on its arrival, so only the first
// failure is logged.
func (n *Notifier) send(message string) {
	conn, err := net.DialUnix("unixgram", nil, n.addr)
	if err == nil {
		err = conn.SetWriteDeadline(time.Now().Add(sendWithin))
		if err == nil {
			_, err = conn.Write([]byte(message))
		}
		err = errors.Join(err, conn.Close())
	}
	if err != nil && !n.told.Swap(true) {
		n.log.Warn("the service manager cannot be told how this process is", "error", err)
	}
}
