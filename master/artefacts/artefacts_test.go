package artefacts_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/master/artefacts"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sumOf(program string) string {
	sum := sha256.Sum256([]byte(program))
	return hex.EncodeToString(sum[:])
}

// serve starts a server with a store in a new folder.
func serve(t *testing.T) (dir, url string, store *artefacts.Store) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "artefacts")
	store = artefacts.New(dir)
	server := httptest.NewServer(artefacts.Handler{Log: slog.New(slog.DiscardHandler), Store: store})
	t.Cleanup(server.Close)
	return dir, server.URL, store
}

// call makes a request, and returns the status and the body.
func call(t *testing.T, method, url string, body io.Reader, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestStoreAndFetch(t *testing.T) {
	dir, url, store := serve(t)
	program := strings.Repeat("program ", 1<<16)
	sum := sumOf(program)
	at := url + wire.ArtefactPath + sum
	for _, step := range []struct {
		method string
		body   string
		header []string
		status int
		want   string
	}{
		{"GET", "", nil, 404, "no such program: " + sum + "\n"},
		{"HEAD", "", nil, 404, ""},
		{"PUT", program, nil, 201, "stored\n"},
		{"PUT", program, nil, 200, "known already\n"},
		{"HEAD", "", nil, 200, ""},
		{"GET", "", nil, 200, program},
		{"GET", "", []string{"Range", "bytes=524280-"}, 206, "program "},
		{"GET", "", []string{"Range", "bytes=524288-"}, 416, "invalid range: failed to overlap\n"},
		{"GET", "", []string{"If-None-Match", `"` + sum + `"`}, 304, ""},
		{"DELETE", "", nil, 405, "fetch a program with GET, or store one with PUT\n"},
	} {
		status, got := call(t, step.method, at, strings.NewReader(step.body), step.header...)
		if status != step.status || got != step.want {
			t.Fatalf("%s %v: %d and %d bytes %.60q, want %d", step.method, step.header, status, len(got), got, step.status)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, sum)); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	list, err := store.List()
	if err != nil || len(list) != 1 || list[0] != (wire.Artefact{SHA256: sum, Size: 1 << 19}) {
		t.Errorf("the list: %v, %v", list, err)
	}
	if err := store.Remove(sum); err != nil {
		t.Error(err)
	}
	if err := store.Remove(sum); !errors.Is(err, artefacts.ErrUnknown) {
		t.Errorf("removed twice: %v", err)
	}
}

// zeros is a body without end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestWhatIsWrongIsNotStored(t *testing.T) {
	dir, url, _ := serve(t)
	sum := sumOf("program")
	for _, c := range []struct {
		name   string
		path   string
		body   io.Reader
		header []string
		status int
		want   string
	}{
		{
			"other program", sum, strings.NewReader("programme"), nil, 409,
			"the checksum differs: what was sent, 9 bytes, has the SHA-256 " + sumOf("programme") + "\n",
		},
		{"no checksum", "tool", strings.NewReader("program"), nil, 400, "\"tool\" is not a SHA-256: 64 lower-case hex digits\n"},
		{"capitals", strings.ToUpper(sum), strings.NewReader("program"), nil, 400, ""},
		{"outside", "..%2f" + sum, strings.NewReader("program"), nil, 400, ""},
		{"compressed", sum, strings.NewReader("program"), []string{"Content-Encoding", "gzip"}, 400, "send the whole program, as it is\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, text := call(t, "PUT", url+wire.ArtefactPath+c.path, c.body, c.header...)
			if status != c.status || c.want != "" && text != c.want {
				t.Errorf("%d %q, want %d %q", status, text, c.status, c.want)
			}
		})
	}
	if left, err := os.ReadDir(dir); err == nil && len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

// What announces that it is too large is not read at all.
func TestTooLargeIsToldAtOnce(t *testing.T) {
	r := httptest.NewRequest("PUT", wire.ArtefactPath+sumOf("x"), iotest.ErrReader(errors.New("it was read")))
	r.ContentLength = wire.MaxArtefact + 1
	w := httptest.NewRecorder()
	artefacts.Handler{Log: slog.New(slog.DiscardHandler), Store: artefacts.New(t.TempDir())}.ServeHTTP(w, r)
	if w.Code != 413 || w.Body.String() != "too large: a program has at most 256 MiB\n" {
		t.Errorf("%d %q", w.Code, w.Body.String())
	}
}

func TestTooLargeIsNotReadToItsEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 256 MiB")
	}
	store := artefacts.New(t.TempDir())
	if _, err := store.Put(sumOf("x"), zeros{}); !errors.Is(err, artefacts.ErrTooLarge) {
		t.Errorf("a body without end: %v", err)
	}
}

// A connection that is cut in the middle leaves nothing behind.
func TestCutConnection(t *testing.T) {
	dir, url, store := serve(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "PUT %s%s HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nprog", wire.ArtefactPath, sumOf("program"))
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.Contains(string(answer), "the program did not arrive whole: unexpected EOF") {
		t.Errorf("%q, %v", answer, err)
	}
	conn.Close()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	if _, err := store.Stat(sumOf("program")); !errors.Is(err, artefacts.ErrUnknown) {
		t.Errorf("half a program is known: %v", err)
	}
}

func TestOwnFailuresAreNotTold(t *testing.T) {
	handler := artefacts.Handler{Log: slog.New(slog.DiscardHandler), Store: artefacts.New("")}
	for _, c := range []struct {
		store  *artefacts.Store
		body   io.Reader
		status int
		want   string
	}{
		{artefacts.New(""), strings.NewReader(""), 503, "this master has no data folder to keep programs in\n"},
		{artefacts.New("/dev/null/x"), strings.NewReader(""), 500, "the master cannot read or store programs; its log says why\n"},
		{artefacts.New(t.TempDir()), iotest.ErrReader(errors.New("cut")), 400, "the program did not arrive whole: cut\n"},
	} {
		handler.Store = c.store
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("PUT", wire.ArtefactPath+sumOf("x"), c.body))
		if w.Code != c.status || w.Body.String() != c.want {
			t.Errorf("%d %q, want %d %q", w.Code, w.Body.String(), c.status, c.want)
		}
	}
}

// What a master that was killed has left is removed, and damage is mended.
func TestLeftoversAndDamage(t *testing.T) {
	dir := t.TempDir()
	sum := sumOf("program")
	for name, text := range map[string]string{".upload-1": "prog", sum: "damaged"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store := artefacts.New(dir)
	if created, err := store.Put(sum, strings.NewReader("program")); created || err != nil {
		t.Fatalf("%v, %v", created, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, sum)); err != nil || string(text) != "program" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".upload-1")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the leftover: %v", err)
	}
}

// Whoever reads while others store the same reads it whole.
func TestManyAtOnce(t *testing.T) {
	dir, url, _ := serve(t)
	program := bytes.Repeat([]byte("program "), 1<<14)
	sum := sumOf(string(program))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if status, text := call(t, "PUT", url+wire.ArtefactPath+sum, bytes.NewReader(program)); status != 201 && status != 200 {
				t.Errorf("stored: %d %s", status, text)
			}
			if status, text := call(t, "GET", url+wire.ArtefactPath+sum, nil); status != 200 || text != string(program) {
				t.Errorf("fetched: %d, %d bytes", status, len(text))
			}
		})
	}
	all.Wait()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v is left, %v", left, err)
	}
}
