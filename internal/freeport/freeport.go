// Package freeport finds an address for a server that a test stops and starts
// again. It is for tests only.
//
// Port 0 does not work for that: while the server is down, the system gives its
// port to any connection that another test opens. The ports here are below the
// range that the system assigns.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"testing"
)

const (
	lowest = 15000
	usual  = 32768 // the first port that Linux assigns by default
	tries  = 200
)

// Address returns an address of loopback on which nobody listens.
func Address(t testing.TB) string {
	t.Helper()
	address, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// UDP returns an address of loopback to which nobody listens for packets.
func UDP(t testing.TB) string {
	t.Helper()
	end := firstGivenOut()
	for range tries {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(end-lowest))
		if socket, err := net.ListenPacket("udp", address); err == nil {
			_ = socket.Close()
			return address
		}
	}
	t.Fatalf("cannot find a free port of UDP between %d and %d in %d tries", lowest, end, tries)
	return ""
}

// Find is Address for programs that are not tests.
func Find() (string, error) {
	end := firstGivenOut()
	var last error
	for range tries {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(end-lowest))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			last = err
			continue
		}
		return address, listener.Close()
	}
	return "", fmt.Errorf("cannot find a free port between %d and %d in %d tries: %w", lowest, end, tries, last)
}

// firstGivenOut is the first port that the system may assign.
func firstGivenOut() int {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	first := 0
	if _, scanErr := fmt.Sscan(string(text), &first); err != nil || scanErr != nil || first <= lowest+1000 {
		return usual
	}
	return first
}
