package programs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc/wire"
)

// testPrograms is the part of a master that hands out programs. Fields that are not set
// mean correct behaviour.
type testPrograms struct {
	program []byte
	// answer, or nil, answers instead, n counts requests from 0.
	answer func(w http.ResponseWriter, r *http.Request, n int) (done bool)

	mu     sync.Mutex
	ranges []string // of each request
}

func (p *testPrograms) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	n := len(p.ranges)
	p.ranges = append(p.ranges, r.Header.Get("Range"))
	p.mu.Unlock()
	if p.answer != nil && p.answer(w, r, n) {
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.program))
}

func (p *testPrograms) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ranges)
}

// artefact is what an assignment says of the program.
func (p *testPrograms) artefact() wire.Artefact {
	sum := sha256.Sum256(p.program)
	return wire.Artefact{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(p.program))}
}

func newTestPrograms() *testPrograms {
	return &testPrograms{program: bytes.Repeat([]byte("program "), 1<<15)}
}

// serveTo starts a master, and a store that is in a hurry.
func serveTo(t *testing.T, p *testPrograms) *Store {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return storeOf(t, config.Agent{Master: server.URL}, nil)
}

func storeOf(t *testing.T, cfg config.Agent, tlsConfig *tls.Config) *Store {
	t.Helper()
	if cfg.Data == "" {
		cfg.Data = t.TempDir()
	}
	f := NewStore(slog.New(slog.DiscardHandler), &cfg, tlsConfig)
	f.wait = time.Microsecond
	return f
}

// inFolder returns the names of the files of the store.
func inFolder(t *testing.T, f *Store) []string {
	t.Helper()
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// cutAfter sends the first n bytes of what was asked for, and cuts the connection.
func cutAfter(w http.ResponseWriter, program []byte, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(program)))
	w.Write(program[:n])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func checkFetched(t *testing.T, f *Store, p *testPrograms) {
	t.Helper()
	a := p.artefact()
	path, err := f.Fetch(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(f.dir, a.SHA256); path != want {
		t.Errorf("it is at %s, not %s", path, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o700 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, p.program) {
		t.Errorf("it has %d bytes, %v", len(got), err)
	}
	if got := inFolder(t, f); !slices.Equal(got, []string{a.SHA256}) {
		t.Errorf("the folder holds %v", got)
	}
}

func TestFetch(t *testing.T) {
	p := newTestPrograms()
	f := serveTo(t, p)
	checkFetched(t, f, p)
	checkFetched(t, f, p)
	if got := p.asked(); !slices.Equal(got, []string{""}) {
		t.Errorf("it was asked for %q", got)
	}
	// What the disk has damaged is fetched again.
	if err := os.WriteFile(f.path(p.artefact().SHA256), bytes.ToUpper(p.program), 0o700); err != nil {
		t.Fatal(err)
	}
	checkFetched(t, f, p)
	if got := p.asked(); len(got) != 2 {
		t.Errorf("it was asked for %q", got)
	}
}

// A download that is cut goes on where it ended, in the same call and in a later
// one, as long as it gets on.
func TestCutDownloadIsTakenUp(t *testing.T) {
	p := newTestPrograms()
	p.answer = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		switch {
		case n == 0:
			cutAfter(w, p.program, 1000)
		case n <= 12: // more often than it tries in vain
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", 1000*n, len(p.program)-1, len(p.program)))
			w.Header().Set("Content-Length", fmt.Sprint(len(p.program)-1000*n))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(p.program[1000*n : 1000*(n+1)])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		return false
	}
	f := serveTo(t, p)
	checkFetched(t, f, p)
	got := p.asked()
	if len(got) != 14 || got[1] != "bytes=1000-" || got[13] != "bytes=13000-" {
		t.Errorf("it was asked for %q", got)
	}
}

func TestDownloadEndsWhenNothingComes(t *testing.T) {
	p := newTestPrograms()
	p.answer = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 0 {
			cutAfter(w, p.program, 1000)
		}
		http.Error(w, "the disk is being repaired", http.StatusServiceUnavailable)
		return true
	}
	f := serveTo(t, p)
	a := p.artefact()
	_, err := f.Fetch(t.Context(), a)
	want := "cannot fetch the program " + a.SHA256[:12] + ": the master answers 503 Service Unavailable: the disk is being repaired"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if got := p.asked(); len(got) != 6 {
		t.Errorf("it was asked for %q", got)
	}
	if got := inFolder(t, f); !slices.Equal(got, []string{a.SHA256 + partial}) {
		t.Fatalf("the folder holds %v", got)
	}
	p.answer = nil
	checkFetched(t, f, p)
	if got := p.asked(); got[6] != "bytes=1000-" {
		t.Errorf("it was asked for %q", got)
	}
}

func TestSilentDownloadIsTakenUp(t *testing.T) {
	p := newTestPrograms()
	p.answer = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 0 {
			w.Write(p.program[:1000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return true
		}
		return false
	}
	f := serveTo(t, p)
	f.idle = time.Second
	checkFetched(t, f, p)
}

// The rest of an earlier download is no reason to fail, nor is a master without ranges.
func TestLeftoversAreNotTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		left  string
		want  []string
		plain bool
	}{
		"wrong":     {"rubbish", []string{"bytes=7-", ""}, false},
		"too long":  {strings.Repeat("rubbish!", 1<<15) + "!", []string{""}, false},
		"full":      {strings.Repeat("rubbish!", 1<<15), []string{""}, false},
		"no ranges": {"program", []string{"bytes=7-"}, true},
		"right":     {"program", []string{"bytes=7-"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newTestPrograms()
			if c.plain {
				p.answer = func(_ http.ResponseWriter, r *http.Request, _ int) bool { r.Header.Del("Range"); return false }
			}
			f := serveTo(t, p)
			if err := os.MkdirAll(f.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.path(p.artefact().SHA256+partial), []byte(c.left), 0o600); err != nil {
				t.Fatal(err)
			}
			checkFetched(t, f, p)
			if got := p.asked(); !slices.Equal(got, c.want) {
				t.Errorf("it was asked for %q, want %q", got, c.want)
			}
		})
	}
}

// What the master says for good is not asked again, and what is not the program is
// not kept.
func TestFetchFails(t *testing.T) {
	p := newTestPrograms()
	a := p.artefact()
	say := func(status int, text string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool { http.Error(w, text, status); return true }
	}
	send := func(body []byte) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool { w.Write(body); return true }
	}
	wrong := bytes.ToUpper(p.program)
	sum := sha256.Sum256(wrong)
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request, int) bool
		want   string
	}{
		"not there":   {say(404, "no such program: x"), "the master answers 404 Not Found: no such program: x"},
		"wrong token": {say(401, "send a token"), "the master answers 401 Unauthorized: send a token"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request, _ int) bool {
			http.Redirect(w, r, "http://evil.example/", http.StatusFound)
			return true
		}, `the master answers 302 Found: <a href="http://evil.example/">Found</a>.`},
		"another": {send(wrong), "it is not what it should be: its SHA-256 is " + hex.EncodeToString(sum[:])},
		"longer":  {send(append(p.program, '!')), "it is not what it should be: it has more than 262144 bytes"},
		"shorter": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Content-Length", "3")
			w.Write([]byte("pro"))
			return true
		}, "it is not what it should be: it has 3 bytes, not 262144"},
		"wrong part": {
			func(w http.ResponseWriter, _ *http.Request, _ int) bool { w.WriteHeader(206); return true },
			`the master answers with another part than was asked for: ""`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &testPrograms{program: p.program, answer: c.answer}
			f := serveTo(t, p)
			_, err := f.Fetch(t.Context(), a)
			if want := "cannot fetch the program " + a.SHA256[:12] + ": " + c.want; err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
			if len(p.asked()) != 1 {
				t.Errorf("it was asked for %q", p.asked())
			}
			if _, err := os.Stat(f.path(a.SHA256)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("there is a program: %v", err)
			}
		})
	}
}

func TestBadArtefactsAreNotAskedFor(t *testing.T) {
	p := newTestPrograms()
	f := serveTo(t, p)
	good := p.artefact()
	for _, a := range []wire.Artefact{
		{},
		{SHA256: "../" + good.SHA256[3:], Size: 1},
		{SHA256: strings.ToUpper(good.SHA256), Size: 1},
		{SHA256: good.SHA256},
		{SHA256: good.SHA256, Size: -1},
		{SHA256: good.SHA256, Size: wire.MaxArtefact + 1},
	} {
		if _, err := f.Fetch(t.Context(), a); err == nil {
			t.Errorf("%+v is fetched", a)
		}
	}
	f.dir = ""
	if _, err := f.Fetch(t.Context(), good); err == nil || !strings.Contains(err.Error(), "the agent has no data folder") {
		t.Errorf("without a folder: %v", err)
	}
	if err := f.Prune(nil); err != nil || len(p.asked()) != 0 {
		t.Errorf("%v; it was asked for %q", err, p.asked())
	}
}

// The agent's address, token and authorities are those of its session.
func TestFetchOverTLS(t *testing.T) {
	p := newTestPrograms()
	p.answer = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Header.Get("Authorization") != "Bearer secret" || r.URL.Path != wire.ArtefactPath+p.artefact().SHA256 {
			http.Error(w, r.URL.Path, http.StatusUnauthorized)
			return true
		}
		return false
	}
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	trusting := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	for _, scheme := range []string{"https", "wss"} {
		address := scheme + strings.TrimPrefix(server.URL, "https")
		checkFetched(t, storeOf(t, config.Agent{Master: address, Token: "secret"}, trusting), p)
		if _, err := storeOf(t, config.Agent{Master: address, Token: "other"}, trusting).Fetch(t.Context(), p.artefact()); err == nil ||
			!strings.Contains(err.Error(), "401") {
			t.Errorf("with a wrong token: %v", err)
		}
		stranger := storeOf(t, config.Agent{Master: address, Token: "secret"}, nil)
		stranger.tries = 1
		if _, err := stranger.Fetch(t.Context(), p.artefact()); err == nil || !strings.Contains(err.Error(), "x509") {
			t.Errorf("with other authorities: %v", err)
		}
	}
	plain := newTestPrograms()
	server2 := httptest.NewServer(plain)
	defer server2.Close()
	checkFetched(t, storeOf(t, config.Agent{Master: "ws" + strings.TrimPrefix(server2.URL, "http")}, nil), plain)
}

// held is an answer that begins when the test lets it.
func held(p *testPrograms) (begun chan struct{}, release func()) {
	begun, gate := make(chan struct{}, 8), make(chan struct{})
	p.answer = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		begun <- struct{}{}
		select {
		case <-gate:
		case <-r.Context().Done():
		}
		return false
	}
	return begun, sync.OnceFunc(func() { close(gate) })
}

// waiters tells how many wait for the download that goes on.
func waiters(f *Store, sum string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.going[sum]; d != nil {
		return d.waiting
	}
	return 0
}

// until waits for a condition of the store, which no channel tells of.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	patience.Until(t, "the store to come to it", ok)
}

// Two calls share a download, and it outlives the one that began it.
func TestFetchesShareOneDownload(t *testing.T) {
	p := newTestPrograms()
	begun, release := held(p)
	defer release()
	f := serveTo(t, p)
	a := p.artefact()
	first, giveUp := context.WithCancel(t.Context())
	results := make(chan error, 8)
	go func() { _, err := f.Fetch(first, a); results <- err }()
	patience.Receive(t, "the download to begin", begun)
	for range 7 {
		go func() { _, err := f.Fetch(t.Context(), a); results <- err }()
	}
	until(t, func() bool { return waiters(f, a.SHA256) == 8 })
	giveUp()
	if err := patience.Receive(t, "the end of the first fetch", results); !errors.Is(err, context.Canceled) {
		t.Errorf("the first, which gave up: %v", err)
	}
	release()
	for range 7 {
		if err := patience.Receive(t, "the end of a fetch", results); err != nil {
			t.Error(err)
		}
	}
	if got := p.asked(); len(got) != 1 {
		t.Errorf("it was asked for %q", got)
	}
	checkFetched(t, f, p)
}

// A download that nobody waits for ends before the last of them returns.
func TestFetchIsGivenUp(t *testing.T) {
	p := newTestPrograms()
	begun, release := held(p)
	defer release()
	f := serveTo(t, p)
	a := p.artefact()
	for range 20 {
		ctx, giveUp := context.WithCancel(t.Context())
		results := make(chan error, 2)
		for range 2 {
			go func() { _, err := f.Fetch(ctx, a); results <- err }()
		}
		patience.Receive(t, "the download to begin", begun)
		giveUp()
		for range 2 {
			if err := patience.Receive(t, "the end of a fetch that is given up", results); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		if waiters(f, a.SHA256) > 0 {
			t.Fatal("it goes on")
		}
		for len(begun) > 0 { // the second came after the first had gone
			<-begun
		}
	}
	release()
	checkFetched(t, f, p)
}

func TestPruneRemovesWhatNobodyNames(t *testing.T) {
	p := newTestPrograms()
	f := serveTo(t, p)
	if err := f.Prune(nil); err != nil {
		t.Errorf("without a folder: %v", err)
	}
	checkFetched(t, f, p)
	named, other := p.artefact().SHA256, strings.Repeat("ab", 32)
	for _, name := range []string{other, other + partial, "README"} {
		if err := os.WriteFile(f.path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Prune(map[string]bool{named: true}); err != nil {
		t.Error(err)
	}
	if got := inFolder(t, f); len(got) != 2 || !slices.Contains(got, named) || !slices.Contains(got, "README") {
		t.Errorf("the folder holds %v", got)
	}
	if err := f.Prune(nil); err != nil {
		t.Error(err)
	}
	if got := inFolder(t, f); !slices.Equal(got, []string{"README"}) {
		t.Errorf("the folder holds %v", got)
	}
}

// A program is not removed while it is being fetched.
func TestPruneSparesDownloads(t *testing.T) {
	p := newTestPrograms()
	begun, release := held(p)
	defer release()
	f := serveTo(t, p)
	result := make(chan error, 1)
	go func() { _, err := f.Fetch(t.Context(), p.artefact()); result <- err }()
	patience.Receive(t, "the download to begin", begun)
	if err := f.Prune(nil); err != nil {
		t.Error(err)
	}
	release()
	if err := patience.Receive(t, "the end of the fetch", result); err != nil {
		t.Error(err)
	}
	checkFetched(t, f, p)
}
