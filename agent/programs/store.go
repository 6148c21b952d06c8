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

// partial ends the names of incomplete files.
const partial = ".part"

// Store gets the programs of pushed plugins from the master and stores them in a
// folder, each in a file named after its SHA-256. A file is there only when it is
// complete and matches its name. The Store starts no goroutine that outlives a
// Fetch.
type Store struct {
	log    *slog.Logger
	dir    string // "" if the agent has no data folder
	base   string // the address of wire.ArtefactPath
	header http.Header
	client *http.Client

	// How patient a download is; tests set less.
	tries int           // consecutive attempts that bring nothing
	wait  time.Duration // before the second attempt; it doubles
	idle  time.Duration // without a byte

	mu    sync.Mutex
	going map[string]*download // by SHA-256
}

// download is one running download, shared by all callers who asked for the
// program.
type download struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when err is set
	err    error

	waiting int // callers that wait; guarded by the store's mu
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
			DisableKeepAlives: true, // programs are rarely fetched: no connection is left open
			// The size is checked, so the body must come uncompressed.
			DisableCompression: true,
		},
		// The token is for the master alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return f
}

// Fetch returns the path of a program that is complete, matches its SHA-256, and
// is executable. A program on the disk is verified and not fetched again. Calls
// for one program share one download, which continues while any of them waits.
//
// An interrupted download is resumed where it ended. The error says what is wrong:
// the master does not have the program or refuses this agent, the program does not
// match, or the disk is full.
func (f *Store) Fetch(ctx context.Context, a wire.Artefact) (path string, err error) {
	if err := f.check(a); err != nil {
		return "", fmt.Errorf("cannot fetch the program %q: %w", a.SHA256, err)
	}
	for {
		d, fresh := f.join(ctx, a)
		err, again := f.await(ctx, a, d)
		switch {
		case again && !fresh:
			continue // it was given up just before this call
		case err != nil:
			return "", fmt.Errorf("cannot fetch the program %s: %w", short(a.SHA256), err)
		}
		return f.path(a.SHA256), nil
	}
}

func (f *Store) path(sum string) string { return filepath.Join(f.dir, sum) }

// short returns enough of a checksum to recognise it.
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

// isSum reports whether a name is a SHA-256. This also keeps the path inside the
// folder.
func isSum(name string) bool {
	return len(name) == 2*sha256.Size && strings.Trim(name, "0123456789abcdef") == ""
}

// join returns the running download of a program, or starts one.
func (f *Store) join(ctx context.Context, a wire.Artefact) (d *download, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.going[a.SHA256]; d != nil {
		if d.waiting > 0 { // otherwise it is being given up, and the caller waits for its end only
			d.waiting++
		}
		return d, false
	}
	// It must not end with the call that happens to be the first.
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

// await waits for a download. The last caller to stop waiting ends it, and waits
// for its end. again reports that others gave it up.
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

// Prune removes every program that is not in sums and is not being fetched. sums
// must have those that the caller has fetched and will run. A running program is
// not disturbed on systems that keep the files of running programs.
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

// get makes sure that a program is in its file.
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

// verify reads a whole file, and returns an error if it is not the artefact.
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

// publish moves a complete file, once it is on the disk, to its final name.
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
