package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/master/twopersons"
	"github.com/vedettehq/vedette/rpc/wire"
)

// ErrNotBuilt is wrapped by the error of a builder that could not find out whether a
// script builds, for a reason of the master's machine.
var ErrNotBuilt = errors.New("not built")

// Options are the things that a catalog needs from outside.
type Options struct {
	Log *slog.Logger
	// Announce informs those who watch. It must not call back.
	Announce func(path string, data any)
	// Builder builds a script that has passed the check, to see whether it builds.
	// An error refuses the script, unless it wraps ErrNotBuilt: then the script is
	// accepted, and the answer says why it was not built. It may be nil.
	Builder func(ctx context.Context, d inspectors.Definition) error
	// HasArtefact reports whether the master has a program of that checksum and
	// size. If it is nil, the catalog assumes so.
	HasArtefact func(wire.Artefact) bool
	// Standing returns the hosts that a person is bound to, "" for all, and whether the
	// person is an operator at present. If it is nil, nobody is.
	Standing func(person string) (hosts string, ok bool)
	// HasToken reports whether the token with that checksum, which was made on the
	// running master, has not been revoked. If it is nil, the catalog assumes so.
	HasToken func(checksum string) bool
}

// Catalog knows what hosts should run, and how far they are. New makes it, Open
// gives it its state, Run lets it work, Close writes the rest. After Open its
// methods may be called from any goroutine.
type Catalog struct {
	opts   Options
	store  state.Store // set by Open
	audit  *audit.Log  // set by Open
	checks chan struct{}
	slots  chan struct{} // for current calls of agent.assign

	// changing is held while an entry or a rollout is changed, until that is on
	// the disk. It is taken before mu.
	changing sync.Mutex
	// flushing is held while the knowledge about a host is written. It is taken
	// before mu.
	flushing sync.Mutex

	mu          sync.Mutex // guards all below; no code waits while holding it
	entries     map[string]*entry
	names       []string // of the entries that hosts may get a revision of, sorted
	active      map[string]*active
	code        map[string]signedCode // of revisions that hosts may run, by id
	targets     map[string]*target
	assignments map[string]*wire.Assignment // by the revisions in it
	lines       []*signing.Line             // of keys; replaced, never changed
	keysChanged int                         // counts the changes of lines; 0 where there are none
	keysSum     string                      // identifies the lines
	rule        twopersons.Rule
	lastRollout uint64
	changed     map[string]bool // inspectors whose summary may have changed
	dirty       map[*target]bool
	running     context.Context // nil before and after Run
	senders     sync.WaitGroup

	wakeRollouts chan struct{}
	wakeSummary  chan struct{}
}

// record is the stored form of an entry. Changes counts its changes, so that a
// version never repeats.
type record struct {
	Name     string `json:"name"`
	Current  string `json:"current,omitempty"`
	Selector string `json:"selector,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Deleted  bool   `json:"deleted,omitempty"`
	Changes  uint64 `json:"changes"`
	Rollout  string `json:"rollout,omitempty"`
	Author   string `json:"author"`
	AtMS     int64  `json:"at_ms"`
	Message  string `json:"message,omitempty"`
}

// version is what CatalogEntry.Version has.
func (r *record) version() string {
	if r.Changes == 0 {
		return ""
	}
	return fmt.Sprint(r.Changes)
}

// entry is the working form of a record. It is replaced, never changed.
type entry struct {
	record
	selector labels.Selector
	stored   state.Version
}

// active is a rollout that is running or paused. It is replaced, never changed.
type active struct {
	wire.Rollout
	from, to labels.Selector
	stored   state.Version // of its stored form
	storedAt time.Time
	toldAt   time.Time // when it was last announced
	toStore  bool      // it differs from its stored form
	toTell   bool      // it differs from what was announced
}

// New makes a catalog without a state. It starts nothing.
func New(opts Options) *Catalog {
	return &Catalog{
		opts:    opts,
		checks:  make(chan struct{}, maxChecks),
		slots:   make(chan struct{}, maxSending),
		entries: make(map[string]*entry), active: make(map[string]*active), code: make(map[string]signedCode),
		targets: make(map[string]*target), assignments: make(map[string]*wire.Assignment),
		changed: make(map[string]bool), dirty: make(map[*target]bool),
		wakeRollouts: make(chan struct{}, 1), wakeSummary: make(chan struct{}, 1),
	}
}

// Keys of the state.
const (
	entryPrefix    = "inspector/"
	historyPrefix  = "history/"
	revisionPrefix = "revision/"
	rolloutPrefix  = "rollout/"
	hostPrefix     = "host/"
	receiptsPrefix = "receipts/"
)

func historyKey(name string, change uint64) string {
	return fmt.Sprintf("%s%s/%010d", historyPrefix, name, change)
}

func rolloutKey(number uint64) string { return fmt.Sprintf("%s%010d", rolloutPrefix, number) }

// Open reads the state, which the catalog uses from then on and leaves open.
func (c *Catalog) Open(ctx context.Context, store state.Store) error {
	c.store, c.audit = store, audit.New(store, audit.DefaultRetention())
	if err := c.audit.Begin(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, load := range []func(context.Context) error{c.loadHostsLocked, c.loadEntriesLocked, c.loadRolloutsLocked, c.loadCodeLocked, c.loadKeysLocked} {
		if err := load(ctx); err != nil {
			return fmt.Errorf("cannot read the catalog: %w", err)
		}
	}
	c.retargetAllLocked()
	return nil
}

func (c *Catalog) loadEntriesLocked(ctx context.Context) error {
	stored, err := c.store.List(ctx, entryPrefix)
	if err != nil {
		return err
	}
	for _, s := range stored {
		e := &entry{stored: s.Version}
		if err := decode(s, &e.record); err != nil {
			return err
		}
		if e.selector, err = labels.Parse(e.Selector); err != nil {
			return fmt.Errorf("%s: %w", s.Key, err)
		}
		c.entries[e.Name] = e
	}
	return nil
}

// loadRolloutsLocked loads the rollouts that had not ended. Each of them is named
// by its entry.
func (c *Catalog) loadRolloutsLocked(ctx context.Context) error {
	stored, err := c.store.List(ctx, rolloutPrefix)
	if err != nil {
		return err
	}
	for _, s := range stored {
		var r wire.Rollout
		if err := decode(s, &r); err != nil {
			return err
		}
		number, err := rolloutNumber(r.ID)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Key, err)
		}
		c.lastRollout = max(c.lastRollout, number)
		if isActive(r) {
			if c.active[r.Inspector], err = newActive(r, s.Version); err != nil {
				return fmt.Errorf("%s: %w", s.Key, err)
			}
		}
	}
	return nil
}

func newActive(r wire.Rollout, stored state.Version) (*active, error) {
	from, err := labels.Parse(r.FromSelector)
	if err != nil {
		return nil, err
	}
	to, err := labels.Parse(r.ToSelector)
	return &active{Rollout: r, from: from, to: to, stored: stored}, err
}

func isActive(r wire.Rollout) bool {
	return r.State == wire.RolloutRunning || r.State == wire.RolloutPaused
}

// loadCodeLocked reads the code that hosts may need.
func (c *Catalog) loadCodeLocked(ctx context.Context) error {
	for id := range c.neededLocked() {
		revision, err := c.revision(ctx, id)
		if err != nil {
			return err
		}
		c.code[id] = signedCode{revision.Code, revision.Signatures}
	}
	return nil
}

// neededLocked returns the revisions that hosts run or may have to run.
func (c *Catalog) neededLocked() map[string]bool {
	needed := make(map[string]bool)
	for _, e := range c.entries {
		if !e.Deleted {
			needed[e.Current] = true
		}
	}
	for _, a := range c.active {
		needed[a.From], needed[a.To] = true, true
	}
	delete(needed, "")
	return needed
}

func (c *Catalog) revision(ctx context.Context, id string) (wire.Revision, error) {
	var revision wire.Revision
	stored, err := c.store.Get(ctx, revisionPrefix+id)
	if err == nil {
		err = decode(stored, &revision)
	}
	if err != nil {
		return revision, fmt.Errorf("cannot read revision %.8s: %w", id, err)
	}
	revision.Signatures, err = c.signatures(ctx, id)
	return revision, err
}

// installLocked replaces an entry and its rollout, which may be nil, and updates
// what hosts should run. The code of every revision that they name is in c.code
// already.
func (c *Catalog) installLocked(e *entry, a *active) {
	c.entries[e.Name] = e
	if a == nil {
		delete(c.active, e.Name)
	} else {
		c.active[e.Name] = a
	}
	needed := c.neededLocked()
	maps.DeleteFunc(c.code, func(id string, _ signedCode) bool { return !needed[id] })
	c.retargetLocked(e.Name)
	c.markLocked(e.Name)
	wake(c.wakeRollouts)
}

// markLocked makes the entry be announced again soon.
func (c *Catalog) markLocked(name string) {
	c.changed[name] = true
	wake(c.wakeSummary)
}

func (c *Catalog) renameLocked() {
	c.names = c.names[:0]
	for name, e := range c.entries {
		if !e.Deleted || c.active[name] != nil {
			c.names = append(c.names, name)
		}
	}
	slices.Sort(c.names)
}

// wake makes a goroutine look again. It will see every earlier change.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func decode(s state.Entry, into any) error {
	if err := json.Unmarshal(s.Value, into); err != nil {
		return fmt.Errorf("%s: %w", s.Key, err)
	}
	return nil
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("cannot encode %T: %v", v, err)) // strings and numbers only
	}
	return data
}

// isNotFound reports whether an entry is missing in the state.
func isNotFound(err error) bool { return errors.Is(err, state.ErrNotFound) }
