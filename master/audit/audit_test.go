package audit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func list(t *testing.T, l *Log) []wire.AuditEntry {
	t.Helper()
	lines, err := l.List(context.Background(), wire.AuditParams{Limit: maxLimit})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// accounted adds up the refusals that lines stand for.
func accounted(t *testing.T, lines []wire.AuditEntry) (n int) {
	t.Helper()
	for _, line := range lines {
		more := 0
		if _, err := fmt.Sscanf(line.Detail, "%d more", &more); err == nil {
			n += more
		} else if line.Outcome != OK {
			n++
		}
	}
	return n
}

// A caller who is refused again and again, for anything and from anywhere, adds a few lines
// a minute, and each refusal is counted in one of them. Each change has a line.
func TestRefusalsAreMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(state.NewMemory(), DefaultRetention())
		refused, changes, began := 0, 0, time.Now()
		for range 20_000 {
			entry := wire.AuditEntry{
				Who: fmt.Sprint("caller-", rand.IntN(3)), Role: "viewer", From: fmt.Sprintf("192.0.2.%d:%d", rand.IntN(3), rand.IntN(50_000)),
				Action: fmt.Sprint("catalog.", rand.IntN(30)), Subject: strings.Repeat("s", rand.IntN(3000)), Outcome: "forbidden",
			}
			if refused++; rand.IntN(100) == 0 {
				refused, changes, entry.Outcome = refused-1, changes+1, OK
			}
			if err := l.Append(t.Context(), entry); err != nil {
				t.Fatal(err)
			}
			if rand.IntN(10) == 0 {
				<-time.After(100 * time.Millisecond)
				if err := l.Keep(t.Context(), time.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := l.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		lines := list(t, l)
		minutes := int(time.Since(began)/time.Minute) + 2
		if most := changes + minutes*9*2*(kindsPerCaller+1); len(lines) > most {
			t.Errorf("%d lines of %d changes and %d refusals in %d minutes", len(lines), changes, refused, minutes)
		}
		ok := 0
		for _, line := range lines {
			if line.Outcome == OK {
				ok++
			}
		}
		if got := accounted(t, lines); got != refused || ok != changes {
			t.Errorf("the lines stand for %d of %d refusals, and there are %d of %d changes", got, refused, ok, changes)
		}
		if n := len(l.merged.pending) + len(l.merged.callers); n != 0 {
			t.Errorf("%d are held back after all", n)
		}
	})
}

// Callers from everywhere at once are told apart up to a number.
func TestRefusalsOfManyCallers(t *testing.T) {
	l := New(state.NewMemory(), DefaultRetention())
	const callers = 5000
	for n := range callers {
		entry := wire.AuditEntry{Who: "nobody", From: fmt.Sprintf("10.%d.%d.1:1", n/256, n%256), Action: "session.login", Outcome: "no"}
		if err := l.Append(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := list(t, l)
	if len(lines) > maxCallers+10 || accounted(t, lines) != callers {
		t.Errorf("%d lines stand for %d of %d", len(lines), accounted(t, lines), callers)
	}
}

// The log stays within its size and age, and keeps the newest lines whole.
func TestRetention(t *testing.T) {
	l := New(state.NewMemory(), Retention{MaxAge: 10 * time.Hour, MaxBytes: 50_000})
	now := time.Now()
	for n := range 3000 {
		entry := wire.AuditEntry{
			AtMS: now.Add(-time.Duration(3000-n) * time.Minute).UnixMilli(), Subject: fmt.Sprint(n),
			Detail: strings.Repeat("x", rand.IntN(300)), Outcome: OK,
		}
		if err := l.Append(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
		if rand.IntN(50) == 0 {
			if err := l.Keep(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	size, next := 0, 2999
	for _, line := range list(t, l) {
		if line.Subject != fmt.Sprint(next) {
			t.Fatalf("line %d is about %s", next, line.Subject)
		}
		if age := now.Sub(time.UnixMilli(line.AtMS)); age > 10*time.Hour {
			t.Errorf("a line is %v old", age)
		}
		size += len(encode(line))
		next--
	}
	if size > 50_000 || size < 30_000 {
		t.Errorf("%d bytes are kept, in %d lines", size, 2999-next)
	}
	if err := l.Sweep(t.Context(), now.Add(1000*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if lines := list(t, l); len(lines) != 1 {
		t.Errorf("of lines that are all too old %d are left", len(lines)) // the last stays
	}
}

// People read why something was refused, without the code that programs go by.
func TestOutcomesHaveNoCodes(t *testing.T) {
	answer := rpc.Errorf(wire.CodeNotFound, "no host %q", "web-1")
	for want, err := range map[string]error{
		OK: nil, `no host "web-1"`: answer, "disk": errors.New("disk"),
		`cannot label: no host "web-1"; nothing is changed`: fmt.Errorf("cannot label: %w; nothing is changed", answer),
	} {
		if got := NewAttempt("anna", "operator", "", "hosts.label").Entry("web-1", "", err).Outcome; got != want {
			t.Errorf("%v is told as %q, want %q", err, got, want)
		}
	}
}
