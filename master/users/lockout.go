package users

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/vedettehq/vedette/master/auth"
)

const (
	// wrongPerName and wrongPerAddress are how many wrong passwords lock a name, or an
	// address.
	wrongPerName    = 10
	wrongPerAddress = 50
	// firstLock is how long the first lock lasts. Each further one is twice as long,
	// up to maxLock.
	firstLock = time.Minute
	maxLock   = time.Hour
	// forgetWrong is the time without an attempt after which everything is forgotten.
	forgetWrong = 2 * time.Hour
	// lockSlots is how many names and addresses are told apart; two rarely share a slot.
	lockSlots = 1 << 14
)

// locks counts wrong passwords. It counts names of users and other names alike, so being
// locked does not reveal whether a user exists. Its size is bounded: names and addresses
// share slots by a hash that nobody outside can compute.
type locks struct {
	seed maphash.Seed

	mu    sync.Mutex
	tries map[uint64]*tries // guarded by mu: by slot
}

// tries are the attempts of one slot.
type tries struct {
	wrong  int
	rounds int // locks in a row
	last   time.Time
	until  time.Time // locked until then
}

func newLocks() *locks { return &locks{seed: maphash.MakeSeed(), tries: make(map[uint64]*tries)} }

// attempt counts an attempt as wrong before it is checked, so that many at once are no way
// around the limit. It reports whether the attempt may be checked. known says that the
// user has a session from that address. Such attempts have a separate count, so that
// strangers cannot keep somebody out.
func (l *locks) attempt(name, remote string, known bool, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	who, where := l.slotsLocked(name, remote, known, now)
	if who.locked(wrongPerName, now) || where.locked(wrongPerAddress, now) {
		return false
	}
	who.count(now)
	where.count(now)
	return true
}

// right takes back the count of an attempt, and all wrong attempts for the name. The count
// of the address stays: an attacker may have an account.
func (l *locks) right(name, remote string, known bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	who, where := l.slotsLocked(name, remote, known, now)
	*who = tries{last: now}
	where.wrong = max(where.wrong-1, 0)
}

// unseen takes back the count of an attempt that was not checked.
func (l *locks) unseen(name, remote string, known bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	who, where := l.slotsLocked(name, remote, known, now)
	who.wrong, where.wrong = max(who.wrong-1, 0), max(where.wrong-1, 0)
}

// link counts a wrong link against its address, which locks passwords from there. A right
// link is always accepted: its secret cannot be guessed, and its holder must not wait
// because of others.
func (l *locks) link(remote string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if where := l.slotLocked("from "+auth.Machine(remote), now); !where.locked(wrongPerAddress, now) {
		where.count(now)
	}
}

func (l *locks) slotsLocked(name, remote string, known bool, now time.Time) (who, where *tries) {
	machine := auth.Machine(remote)
	key := "name " + name
	if known {
		key += " from " + machine
	}
	return l.slotLocked(key, now), l.slotLocked("from "+machine, now)
}

func (l *locks) slotLocked(key string, now time.Time) *tries {
	slot := maphash.String(l.seed, key) % lockSlots
	t := l.tries[slot]
	if t == nil || now.Sub(t.last) > forgetWrong && now.After(t.until) {
		t = &tries{}
		l.tries[slot] = t
	}
	return t
}

// locked reports whether attempts are refused now, and begins a lock after too many wrong
// ones.
func (t *tries) locked(most int, now time.Time) bool {
	if t.wrong >= most {
		t.wrong, t.last = 0, now
		t.until = now.Add(min(firstLock<<min(t.rounds, 16), maxLock))
		t.rounds++
	}
	return now.Before(t.until)
}

func (t *tries) count(now time.Time) {
	t.wrong++
	t.last = now
}
