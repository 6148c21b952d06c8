package users

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Cost says how much work a password takes.
type Cost struct {
	Passes uint32
	KiB    uint32
	Lanes  uint8
}

// defaultCost is the second choice that RFC 9106 recommends, for machines with little
// memory.
func defaultCost() Cost { return Cost{Passes: 3, KiB: 64 << 10, Lanes: 4} }

const (
	saltBytes = 16
	hashBytes = 32

	minPassword = 10 // characters
	maxPassword = 1024

	// hashesAtOnce bounds the memory for checking passwords, each of which takes Cost.KiB.
	// hashesWaiting is how many more may wait.
	hashesAtOnce  = 2
	hashesWaiting = 64

	// maxCost bounds the cost of a hash in a state that was changed elsewhere.
	maxPasses, maxKiB, maxLanes = 32, 1 << 20, 64
)

// checkPassword returns what is wrong with a password that somebody has chosen.
func checkPassword(name, password string) error {
	switch {
	case !utf8.ValidString(password):
		return invalid("the password is not text in UTF-8")
	case utf8.RuneCountInString(password) < minPassword:
		return invalid("the password is too short; use at least %d characters", minPassword)
	case len(password) > maxPassword:
		return invalid("the password has %d bytes; use at most %d", len(password), maxPassword)
	case strings.EqualFold(password, name):
		return invalid("the password is the name; choose another")
	case strings.Trim(password, password[:1]) == "":
		return invalid("the password is one character again and again; choose another")
	}
	return nil
}

// hasher hashes passwords, a few at once.
type hasher struct {
	cost    Cost
	running chan struct{} // has room for those that run
	waiting chan struct{} // has room for those that run or wait
	dummy   string        // the hash of nobody's password
}

func newHasher(cost Cost) *hasher {
	h := &hasher{cost: cost, running: make(chan struct{}, hashesAtOnce), waiting: make(chan struct{}, hashesAtOnce+hashesWaiting)}
	h.dummy = encodeHash(cost, make([]byte, saltBytes), make([]byte, hashBytes))
	return h
}

// turn waits until it may hash. The caller calls done afterwards.
func (h *hasher) turn(ctx context.Context) (done func(), _ error) {
	select {
	case h.waiting <- struct{}{}:
	default:
		return nil, rpc.Errorf(wire.CodeBusy, "too many people log in at once; try again")
	}
	select {
	case h.running <- struct{}{}:
		return func() { <-h.running; <-h.waiting }, nil
	case <-ctx.Done():
		<-h.waiting
		return nil, ctx.Err()
	}
}

// make returns the hash of a password, in the format of the Password Hashing Competition,
// which contains the parameters.
func (h *hasher) make(ctx context.Context, password string) (string, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // it does not fail
	return encodeHash(h.cost, salt, argon2.IDKey([]byte(password), salt, h.cost.Passes, h.cost.KiB, h.cost.Lanes, hashBytes)), nil
}

// matches reports whether a password has that hash. An empty hash takes the same work and
// matches nothing, so the time does not reveal who exists.
func (h *hasher) matches(ctx context.Context, password, hash string) (bool, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	cost, salt, want, err := decodeHash(hash)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey([]byte(password), salt, cost.Passes, cost.KiB, cost.Lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func encodeHash(c Cost, salt, hash []byte) string {
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.KiB, c.Passes, c.Lanes, text(salt), text(hash))
}

// decodeHash reads the result of encodeHash, and refuses costs that would overload the
// machine.
func decodeHash(text string) (c Cost, salt, hash []byte, _ error) {
	fault := func(what string) (Cost, []byte, []byte, error) {
		return Cost{}, nil, nil, fmt.Errorf("cannot read the hash of a password: %s", what)
	}
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return fault("it is not argon2id of the version that is known here")
	}
	var err error
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.KiB, &c.Passes, &c.Lanes); err != nil {
		return fault("its cost cannot be read")
	}
	if c.Passes < 1 || c.Passes > maxPasses || c.KiB < 8 || c.KiB > maxKiB || c.Lanes < 1 || c.Lanes > maxLanes {
		return fault("its cost is out of bounds")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(salt) < 8 || len(salt) > 64 {
		return fault("its salt cannot be read")
	}
	if hash, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(hash) < 16 || len(hash) > 64 {
		return fault("its checksum cannot be read")
	}
	return c, salt, hash, nil
}
