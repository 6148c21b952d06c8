package programs

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// partial ends the names of files that are not whole yet.
const partial = ".part"

// Store gets the programs of pushed plugins from the master and keeps them in a
// folder, each in a file of the name of its SHA-256. A file is there only when it
// is whole and what its name says. It starts no goroutine that outlives a Fetch.
type Store struct {
	log    *slog.Logger
	dir    string // "" where the agent has no data folder
	base   string // the address of wire.ArtefactPath
	header http.Header
	client *http.Client

	// How patient a download is; tests are less so.
	tries int           // in a row that bring nothing
	wait  time.Duration // before the second; it doubles
	idle  time.Duration // without a byte

	mu    sync.Mutex
	going map[string]*download // by SHA-256
}

// download is one that goes on, for everybody who asked for the program.
type download struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when err is set
	err    error

	waiting int // guarded by the store's mu; 0 when nobody wants it any more
}

// NewStore makes a store for the agent's master. It starts nothing, and makes
// no folder. The configuration has been checked; tlsConfig may be nil.
func NewStore(log *slog.Logger, cfg *config.Agent, tlsConfig *tls.Config) *Store {
	f := &Store{
		log: log, header: http.Header{}, tries: 5, wait: 200 * time.Millisecond, idle: 30 * time.Second,
		going: make(map[string]*download),
	}
	if cfg.Data != "" {
		f.dir = filepath.Join(cfg.Data, "artefacts")
	}
	if u, err := url.Parse(cfg.Master); err == nil {
		base := url.URL{Scheme: map[string]string{"ws": "http", "wss": "https"}[u.Scheme], Host: u.Host, Path: wire.ArtefactPath}
		if base.Scheme == "" {
			base.Scheme = u.Scheme
		}
		f.base = base.String()
	}
	if cfg.Token != "" {
		f.header.Set("Authorization", "Bearer "+cfg.Token)
	}
	f.client = &http.Client{
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			TLSClientConfig:   tlsConfig,
			DisableKeepAlives: true, // programs are rare: no connection is left open
			// A size is checked, so a body comes as it is.
			DisableCompression: true,
		},
		// The token is for the master alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return f
}

// Fetch returns the path of a program that is whole, is what its SHA-256 says, and may
// be run. A program that is on the disk is verified and not fetched again.
// Calls for one program share one download, which goes on while any of them waits.
//
// A connection that is cut is taken up where it ended. An error names what is
// wrong: the master does not have the program or refuses this agent, the program
// is not what it should be, or the disk is full.
func (f *Store) Fetch(ctx context.Context, a wire.Artefact) (path string, err error) {
	if err := f.check(a); err != nil {
		return "", fmt.Errorf("cannot fetch the program %q: %w", a.SHA256, err)
	}
	for {
		d, fresh := f.join(ctx, a)
		err, again := f.await(ctx, a, d)
		switch {
		case again && !fresh:
			continue // it was given up just before we came
		case err != nil:
			return "", fmt.Errorf("cannot fetch the program %s: %w", short(a.SHA256), err)
		}
		return f.path(a.SHA256), nil
	}
}

func (f *Store) path(sum string) string { return filepath.Join(f.dir, sum) }

// short is enough of a checksum to know it by.
func short(sum string) string { return sum[:min(12, len(sum))] }

func (f *Store) check(a wire.Artefact) error {
	switch {
	case f.dir == "":
		return errors.New("the agent has no data folder")
	case !isSum(a.SHA256):
		return errors.New("that is not a SHA-256 of 64 lower-case hex digits")
	case a.Size <= 0 || a.Size > wire.MaxArtefact:
		return fmt.Errorf("its size is given as %d bytes; a program has 1 to %d", a.Size, wire.MaxArtefact)
	}
	return nil
}

// isSum reports whether a name is a SHA-256, which is also what keeps it inside
// the folder.
func isSum(name string) bool {
	return len(name) == 2*sha256.Size && strings.Trim(name, "0123456789abcdef") == ""
}

// join returns the download of a program, which it starts where none goes on.
func (f *Store) join(ctx context.Context, a wire.Artefact) (d *download, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.going[a.SHA256]; d != nil {
		if d.waiting > 0 { // else it is being given up, and only its end is waited for
			d.waiting++
		}
		return d, false
	}
	// It does not end with the call that happens to be the first.
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d = &download{cancel: cancel, done: make(chan struct{}), waiting: 1}
	f.going[a.SHA256] = d
	go func() {
		defer cancel()
		d.err = f.get(life, a)
		f.mu.Lock()
		delete(f.going, a.SHA256)
		f.mu.Unlock()
		close(d.done)
	}()
	return d, true
}

// await waits for a download. The last who no longer wants it ends it, and waits
// for its end. again is that it was given up by others.
func (f *Store) await(ctx context.Context, a wire.Artefact, d *download) (err error, again bool) {
	select {
	case <-d.done:
		return d.err, errors.Is(d.err, context.Canceled) && ctx.Err() == nil
	case <-ctx.Done():
	}
	f.mu.Lock()
	d.waiting--
	last := d.waiting == 0
	f.mu.Unlock()
	if last {
		d.cancel()
		<-d.done
	}
	return context.Cause(ctx), false
}

// Prune removes every program that is not named and is not being fetched. Who
// calls it names what it has fetched and will run. A program that runs is not
// disturbed where the system keeps the files of running programs.
func (f *Store) Prune(sums map[string]bool) error {
	if f.dir == "" {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	entries, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		sum := strings.TrimSuffix(entry.Name(), partial)
		if !isSum(sum) || f.going[sum] != nil || sums[sum] {
			continue
		}
		if removeErr := os.Remove(f.path(entry.Name())); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	return err
}

// get sees to it that a program is in its file.
func (f *Store) get(ctx context.Context, a wire.Artefact) error {
	if err := verify(ctx, f.path(a.SHA256), a); err == nil {
		return os.Chmod(f.path(a.SHA256), 0o700)
	} else if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	part := f.path(a.SHA256 + partial)
	err := f.download(ctx, a, part)
	if err == nil {
		err = publish(part, f.path(a.SHA256))
	}
	if err == nil {
		f.log.Info("fetched a program", "sha256", a.SHA256, "bytes", a.Size)
	}
	return err
}

// verify reads a file through, and says what is not as it should be.
func verify(ctx context.Context, path string, a wire.Artefact) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() != a.Size {
		return errors.Join(errors.New("it is not a file of the right size"), err)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, endingWith{ctx, file}); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != a.SHA256 {
		return fmt.Errorf("%w: its SHA-256 is %s", errChecksum, got)
	}
	return nil
}

// endingWith is a reader that ends with its context.
type endingWith struct {
	ctx context.Context
	r   io.Reader
}

func (e endingWith) Read(b []byte) (int, error) {
	if e.ctx.Err() != nil {
		return 0, context.Cause(e.ctx)
	}
	return e.r.Read(b)
}

// publish gives a file that is whole, and on the disk, its name.
func publish(part, path string) error {
	if err := os.Chmod(part, 0o700); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
