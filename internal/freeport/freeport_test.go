package freeport

import (
	"net"
	"strconv"
	"testing"
)

// An address is free, and none that the system gives to others.
func TestAddress(t *testing.T) {
	end := firstGivenOut()
	for range 100 {
		address := Address(t)
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := strconv.Atoi(port); err != nil || n < lowest || n >= end {
			t.Errorf("the address is %s, which is not between the ports %d and %d", address, lowest, end)
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("the address %s is not free: %v", address, err)
			continue
		}
		if again := Address(t); again == address {
			t.Errorf("%s was found while somebody listens there", address)
		}
		_ = listener.Close()
	}
}
