package upgrade

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

// maxAttempts is how often a program is tried that the process did not survive.
const maxAttempts = 3

// Options configure an Upgrader.
type Options struct {
	Log  *slog.Logger
	Host config.Upgrade
	Data string // the agent's data folder
	File string // of the agent's program
	// Switch is called when a program is ready to be tried: it stops the agent.
	Switch func()
}

// Upgrader decides on programs that the master assigns to the agent itself. It is safe for
// use from many goroutines.
type Upgrader struct {
	Options
	keys     map[string]signing.PublicKey
	own      func() (string, error) // the checksum of the program that runs
	packaged func() string

	staging sync.Mutex // held while a program is put beside the agent's file; no other is once one is chosen

	mu      sync.Mutex
	looking map[string]*outcome // by revision
	chosen  *Candidate
}

// outcome is the result of the checks before a trial.
type outcome struct {
	done bool
	err  error
}

// Candidate is a program ready for its trial. It is beside the agent's file.
type Candidate struct {
	Revision, SHA256 string
	back             bool // it is the one that ran here before
}

// New makes an Upgrader from a checked configuration.
func New(o Options) (*Upgrader, error) {
	if real, err := filepath.EvalSymlinks(o.File); err == nil {
		o.File = real
	}
	u := &Upgrader{Options: o, keys: make(map[string]signing.PublicKey), looking: make(map[string]*outcome)}
	for _, text := range o.Host.Keys {
		key, err := signing.ParsePublic(text)
		if err != nil {
			return nil, fmt.Errorf("agent.upgrade.keys: %.60q is not a public key: %w", text, err)
		}
		u.keys[key.ID()] = key
	}
	u.own = sync.OnceValues(func() (string, error) { return sumOf("/proc/self/exe") })
	u.packaged = sync.OnceValue(func() string { return ownerOf(u.File) })
	return u, nil
}

// refuse says that the host does not want a program.
func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", inspectors.ErrPolicy, fmt.Sprintf(format, args...))
}

// Allows returns why the host does not accept the program of an item, or nil. It is called
// before the program is fetched.
func (u *Upgrader) Allows(item *wire.Assigned, program wire.Artefact) error {
	switch {
	case !u.Host.Allow:
		return refuse("this host does not let its agent be replaced: agent.upgrade.allow is not true in its configuration")
	case u.Data == "":
		return refuse("this agent has no data folder to note an upgrade in")
	}
	if err := u.signed(item, program); err != nil {
		return err
	}
	if owner := u.packaged(); owner != "" && !u.Host.Packaged {
		return refuse("%s belongs to %s: upgrade that, or set agent.upgrade.packaged to true", u.File, owner)
	}
	if err := unix.Access(filepath.Dir(u.File), unix.W_OK); err != nil {
		return refuse("the agent cannot replace %s: its folder cannot be written: %v", u.File, err)
	}
	return nil
}

// signed checks that a key of the host's configuration has signed the program.
func (u *Upgrader) signed(item *wire.Assigned, program wire.Artefact) error {
	platform, others := runtime.GOOS+"/"+runtime.GOARCH, 0
	for _, arg := range item.Plugin.Args {
		words := strings.Fields(arg)
		if len(words) != 3 || words[0] != platform {
			continue
		}
		if key, known := u.keys[words[1]]; known && key.VerifyFileSum(program.SHA256, words[2]) {
			return nil
		}
		others++
	}
	var ids []string
	for id := range u.keys {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	how := "is not signed"
	if others > 0 {
		how = "has no good signature"
	}
	return refuse("the program for %s %s, and agent.upgrade.keys in the host's configuration wants one by %s", platform, how, strings.Join(ids, " or "))
}

// Take gets the file of a program that Allows accepts. It reports whether there is a
// decision, and the error: nil if that program already runs. Otherwise it examines the
// program in the background, and calls tell when it has.
func (u *Upgrader) Take(life context.Context, item *wire.Assigned, program wire.Artefact, file string, tell func()) (decided bool, err error) {
	own, err := u.own()
	if err != nil {
		return true, err
	}
	j, err := readJournal(u.Data)
	switch {
	case err != nil:
		return true, err
	case own == program.SHA256:
		if j.Revision != item.Revision || j.Failure != "" { // it came in another way
			if err := (journal{Revision: item.Revision, SHA256: j.SHA256, Before: j.Before}).write(u.Data); err != nil {
				return true, err
			}
		}
		return true, nil
	case j.Revision == item.Revision && j.Failure != "":
		return true, errors.New(j.Failure)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if o := u.looking[item.Revision]; o != nil {
		return o.done, o.err
	}
	o := &outcome{}
	u.looking[item.Revision] = o
	revision := item.Revision
	go func() {
		u.staging.Lock()
		defer u.staging.Unlock()
		if u.Chosen() != nil {
			return // the next process decides
		}
		err := u.look(life, file, program.SHA256)
		u.mu.Lock()
		o.done, o.err = err != nil, err
		if err == nil {
			u.chosen = &Candidate{Revision: revision, SHA256: program.SHA256}
		}
		u.mu.Unlock()
		if err != nil {
			tell()
			return
		}
		u.Switch()
	}()
	return false, nil
}

// None is called when the master assigns no program. If it had assigned one, the host goes
// back to its program from before.
func (u *Upgrader) None(life context.Context) {
	j, err := readJournal(u.Data)
	own, ownErr := u.own()
	if err != nil || ownErr != nil || !u.Host.Allow || j.SHA256 == "" || j.SHA256 != own || j.Before == "" {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.chosen != nil || u.looking[""] != nil {
		return
	}
	u.looking[""] = &outcome{}
	go func() {
		u.staging.Lock()
		defer u.staging.Unlock()
		if u.Chosen() != nil {
			return
		}
		if err := u.look(life, u.File+".old", j.Before); err != nil {
			u.Log.Error("the agent cannot go back to the program that it had", "reason", err)
			u.mu.Lock()
			delete(u.looking, "") // the next assignment tries again
			u.mu.Unlock()
			return
		}
		u.mu.Lock()
		u.chosen = &Candidate{SHA256: j.Before, back: true}
		u.mu.Unlock()
		u.Switch()
	}()
}

// Chosen returns the program to be tried, or nil.
func (u *Upgrader) Chosen() *Candidate {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.chosen
}

// staged is the new program beside the agent's file.
func (u *Upgrader) staged() string {
	return filepath.Join(filepath.Dir(u.File), "."+filepath.Base(u.File)+".new")
}

// look copies a program beside the agent's file, and asks it for its version.
func (u *Upgrader) look(ctx context.Context, file, sum string) error {
	if err := stage(file, u.staged(), sum); err != nil {
		return err
	}
	version, err := versionOf(ctx, u.staged())
	if err != nil {
		_ = os.Remove(u.staged())
		return fmt.Errorf("the new program does not start: %w", err)
	}
	u.Log.Info("the agent's program is about to be replaced", "file", u.File, "version", version, "sha256", sum)
	return nil
}
