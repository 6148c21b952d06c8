package access

import (
	"slices"
	"testing"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// The list says where a user logs in: here with a password, or at a provider.
func TestUserColumns(t *testing.T) {
	cells := func(u wire.UserInfo) (row []string) {
		for _, c := range userColumns(time.Now()) {
			row = append(row, c.Cell(u))
		}
		return row
	}
	outside := cells(wire.UserInfo{Name: "alice", Role: "viewer", Provider: "https://login.example.org/realms/main", By: "https://login.example.org/realms/main"})
	if !slices.Contains(outside, "at login.example.org") || slices.Contains(outside, "none") || outside[len(outside)-1] != "login.example.org" {
		t.Errorf("a user of a provider: %q", outside)
	}
	here := cells(wire.UserInfo{Name: "bob", Role: "viewer", By: "boss"})
	if !slices.Contains(here, "none") || here[len(here)-1] != "boss" {
		t.Errorf("a user without a password: %q", here)
	}
}
