package conns

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/internal/alone"
	"github.com/vedettehq/vedette/internal/patience"
)

// lower sets the limit of descriptors so that the given number can still be opened, and
// returns a function that raises it again. The limit is on numbers: descriptors with a
// higher one stay open, and lower ones are given out, the lowest first.
func lower(t *testing.T, more int) (raise func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	before := limit
	for limit.Cur = 0; ; limit.Cur++ {
		if _, err := unix.FcntlInt(uintptr(limit.Cur), unix.F_GETFD, 0); err == nil {
			continue
		}
		if more == 0 {
			break
		}
		more--
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Fatal(err)
		}
	}
}

// When descriptors run out, whatever takes them, files can still be opened while
// connections are refused; when there are some again, everybody is let in.
func TestReserve(t *testing.T) { alone.Test(t, testReserve) }

func testReserve(t *testing.T) {
	r := NewReserve(slog.New(slog.DiscardHandler))
	defer r.Close()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan net.Conn)
	go func() {
		for listener := r.Listener(plain); ; {
			c, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			} else if err == nil {
				served <- c
			}
		}
	}()
	defer plain.Close()
	folder := t.TempDir()
	for round := range 8 {
		theirs, err := net.Dial("tcp", plain.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = patience.Receive(t, "a connection in peace", served).Close()
		_ = theirs.Close()

		caller, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0) // before there are none for it
		if err != nil {
			t.Fatal(err)
		}
		raise := lower(t, rand.IntN(2))
		if rand.IntN(2) == 0 { // the newcomer is who finds out; else somebody who looks
			r.Look()
		}
		address := plain.Addr().(*net.TCPAddr)
		if err := unix.Connect(caller, &unix.SockaddrInet4{Port: address.Port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		patience.Return(t, "the end of a connection that cannot be had", func() {
			if n, err := unix.Read(caller, make([]byte, 1)); n != 0 && err == nil {
				t.Errorf("round %d: something was sent", round)
			}
		})
		_ = unix.Close(caller)
		var files []*os.File
		for n := range 12 {
			f, err := os.Create(filepath.Join(folder, string(rune('a'+n))))
			if err != nil {
				t.Errorf("round %d: only %d files can be opened: %v", round, n, err)
				break
			}
			files = append(files, f)
		}
		if r.Look() {
			t.Errorf("round %d: newcomers are let in", round)
		}
		for _, f := range files {
			_, _ = io.WriteString(f, "x")
			_ = f.Close()
		}
		raise()
		if !r.Look() {
			t.Errorf("round %d: with descriptors again, newcomers are refused", round)
		}
	}
}
