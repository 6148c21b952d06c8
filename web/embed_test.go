package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDistIsFresh recomputes the sum that build.mjs wrote, over the same files
// in the same way, so that a stale dist fails without Node.
func TestDistIsFresh(t *testing.T) {
	var info struct {
		SourceSHA256 string `json:"source_sha256"`
		Files        int    `json:"files"`
	}
	data, err := dist.ReadFile("dist/build-info.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &info); err != nil {
		t.Fatal(err)
	}
	files := sourceFiles(t)
	if got := sourceSum(t, files); got != info.SourceSHA256 || len(files) != info.Files {
		t.Errorf("dist was built from other sources (%d files, %.12s; now %d files, %.12s): run `npm ci && npm run build` in web and commit web/dist",
			info.Files, info.SourceSHA256, len(files), got)
	}
}

func sourceFiles(t *testing.T) []string {
	t.Helper()
	files := []string{"build.mjs", "index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"}
	test := regexp.MustCompile(`\.test\.tsx?$`)
	for _, dir := range []string{"public", "src"} {
		err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && !test.MatchString(name) {
				files = append(files, filepath.ToSlash(name))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(files)
	return files
}

func sourceSum(t *testing.T, files []string) string {
	t.Helper()
	sum := sha256.New()
	for _, name := range files {
		content, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		one := sha256.Sum256(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")))
		fmt.Fprintf(sum, "%s\n%s\n", name, hex.EncodeToString(one[:]))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// get asks a handler as a browser would, without the transport's own gzip.
func get(t *testing.T, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) []byte {
	t.Helper()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// entry returns the path of the script that the page begins with.
func entry(t *testing.T) string {
	t.Helper()
	index, err := dist.ReadFile("dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`src="(/assets/[^"]+\.js)"`).FindSubmatch(index)
	if found == nil {
		t.Fatal("index.html names no script below /assets/")
	}
	return string(found[1])
}

// The master and the application know the same pages.
func TestPagesAreThoseOfTheApplication(t *testing.T) {
	source, err := os.ReadFile("src/pages.ts")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, found := range regexp.MustCompile(`(?m)^    path: '([^']+)'`).FindAllSubmatch(source, -1) {
		want = append(want, string(found[1]))
	}
	if got := pagePaths(); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("pagePaths in embed.go are %q; the pages of src/pages.ts are %q", got, want)
	}
}

func TestMatchesPage(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true},
		{"", "x", false},
		{"hosts", "hosts", true},
		{"hosts", "hostsx", false},
		{"hosts", "hosts/a", false},
		{"hosts/:host", "hosts", false},
		{"hosts/:host", "hosts/", false},
		{"hosts/:host", "hosts/a", true},
		{"hosts/:host", "hosts/a/b", false},
		{"in/*name", "in", false},
		{"in/*name", "in/", false},
		{"in/*name", "in/a", true},
		{"in/*name", "in/a/b/c", true},
		{"in/*name", "out/a", false},
	} {
		if got := matchesPage(c.pattern, c.name); got != c.want {
			t.Errorf("matchesPage(%q, %q) is %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}

// Whoever looks for a page that is not there is told so by the application, with
// the status that says so too; a program gets no page.
func TestMissingPages(t *testing.T) {
	index, err := dist.ReadFile("dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	h := Handler()
	for path, page := range map[string]bool{
		"/no/such/page": true, "/federate": true, "/hosts/a/b": true,
		"/assets/x.js": false, "/api/v2": false, "/rpc/x": false, "/favicon.ico": false,
	} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := bytes.Equal(w.Body.Bytes(), index); w.Code != 404 || got != page {
			t.Errorf("%s: status %d, the page: %v, want %v", path, w.Code, got, page)
		}
	}
}

func TestHandlerServes(t *testing.T) {
	index, err := dist.ReadFile("dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	h := Handler()
	for _, c := range []struct {
		method, path string
		status       int
		page         bool // the answer is index.html
	}{
		{"GET", "/", 200, true},
		{"HEAD", "/", 200, false},
		{"GET", "/index.html", 200, true},
		{"GET", "/hosts/web-1", 200, true},
		{"GET", "/hosts/web-1.example.com", 200, true},
		{"GET", "/hosts", 200, true},
		{"GET", "/hosts/", 200, true},
		{"GET", "/hosts/web-1/", 200, true},
		{"GET", "/hosts/web-1/more", 404, false},
		{"GET", "/hostsx", 404, false},
		{"GET", "/anything/below", 404, false},
		{"GET", "/federate", 404, false},
		{"GET", "/nothere", 404, false},
		{"GET", "/Hosts/web-1", 404, false},
		{"GET", "/favicon.svg", 200, false},
		{"GET", "/theme.js", 200, false},
		{"GET", entry(t), 200, false},
		{"GET", "/assets/index-old.js", 404, false},
		{"GET", "/assets/", 404, false},
		{"GET", "/assets/../nothing.js", 404, false},
		{"GET", "/api/v1/query", 404, false},
		{"GET", "/rpc", 404, false},
		{"GET", "/favicon.ico", 404, false},
		{"GET", "/%2e%2e/%2e%2e/etc/passwd", 404, false},
		{"POST", "/", 405, false},
		{"DELETE", "/assets/index-old.js", 405, false},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			res := get(t, h, c.method, c.path)
			if res.StatusCode != c.status {
				t.Fatalf("status %d, want %d", res.StatusCode, c.status)
			}
			if got := bytes.Equal(body(t, res), index); got != c.page {
				t.Errorf("answered with the page: %v, want %v", got, c.page)
			}
			if got := res.Header.Get("Content-Security-Policy"); got != ContentSecurityPolicy {
				t.Errorf("Content-Security-Policy is %q", got)
			}
			if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options is %q", got)
			}
			if allow := res.Header.Get("Allow"); c.status == 405 && allow != "GET, HEAD" {
				t.Errorf("Allow is %q", allow)
			}
		})
	}
}

func TestHandlerCaching(t *testing.T) {
	h := Handler()
	for target, want := range map[string]string{
		"/":            revalidate,
		"/hosts/web-1": revalidate,
		entry(t):       immutable,
	} {
		res := get(t, h, "GET", target)
		if got := res.Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", target, got, want)
		}
	}
}

func TestNotModified(t *testing.T) {
	for name, h := range map[string]http.Handler{"page": Handler(), "client": ClientScript()} {
		for _, coding := range []string{"identity", "gzip"} {
			t.Run(name+" "+coding, func(t *testing.T) {
				etag := get(t, h, "GET", "/", "Accept-Encoding", coding).Header.Get("ETag")
				if etag == "" {
					t.Fatal("no ETag")
				}
				for _, tags := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
					res := get(t, h, "GET", "/", "Accept-Encoding", coding, "If-None-Match", tags)
					if res.StatusCode != http.StatusNotModified || len(body(t, res)) > 0 {
						t.Errorf("If-None-Match: %s is answered with %d", tags, res.StatusCode)
					}
				}
				res := get(t, h, "GET", "/", "Accept-Encoding", coding, "If-None-Match", `"other"`)
				if res.StatusCode != http.StatusOK {
					t.Errorf("another tag is answered with %d", res.StatusCode)
				}
			})
		}
	}
}

func TestGzip(t *testing.T) {
	script := entry(t)
	plain, err := dist.ReadFile("dist" + script)
	if err != nil {
		t.Fatal(err)
	}
	h := Handler()
	for _, c := range []struct {
		accept string
		want   bool
	}{
		{"", false},
		{"identity", false},
		{"gzip", true},
		{"br, gzip;q=0.8", true},
		{"GZIP ; q=0.001", true},
		{"gzip;q=0", false},
		{"*", true},
		{"*;q=0", false},
		{"*;q=1, gzip;q=0", false},
	} {
		res := get(t, h, "GET", script, "Accept-Encoding", c.accept)
		data := body(t, res)
		if got := res.Header.Get("Content-Encoding") == "gzip"; got != c.want {
			t.Errorf("Accept-Encoding %q: gzip %v, want %v", c.accept, got, c.want)
			continue
		}
		if res.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: no Vary", c.accept)
		}
		if got := res.Header.Get("Content-Length"); got != fmt.Sprint(len(data)) {
			t.Errorf("Accept-Encoding %q: Content-Length %s of %d bytes", c.accept, got, len(data))
		}
		if c.want {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if data, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(data, plain) {
			t.Errorf("Accept-Encoding %q: other bytes than the file's", c.accept)
		}
	}
}

func TestClientScript(t *testing.T) {
	res := get(t, ClientScript(), "GET", "/api/client")
	if got := res.Header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	if !bytes.Contains(body(t, res), []byte("MeshClient")) {
		t.Error("the script does not define MeshClient")
	}
	if res := get(t, ClientScript(), "POST", "/api/client"); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST is answered with %d", res.StatusCode)
	}
}

// TestPageHasNothingInline: the policy forbids it, so the page would break.
func TestPageHasNothingInline(t *testing.T) {
	index, err := dist.ReadFile("dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`<script>`, `<style`, ` style=`, ` onload=`, ` onclick=`, `http://`, `https://`} {
		if bytes.Contains(index, []byte(bad)) {
			t.Errorf("index.html has %q", bad)
		}
	}
}

// chunk is an entry of the list that the build makes of its files.
type chunk struct {
	File    string   `json:"file"`
	Imports []string `json:"imports"`
}

// TestBudget: what a browser fetches before the first chart, and what a page that is
// opened later adds to it.
func TestBudget(t *testing.T) {
	const first, later = 70_000, 200_000
	data, err := dist.ReadFile("dist/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var chunks map[string]chunk
	if err := json.Unmarshal(data, &chunks); err != nil {
		t.Fatal(err)
	}
	// load returns the bytes of a chunk, and of those that it imports, without those
	// that are there.
	var load func(name string, there map[string]bool) int
	load = func(name string, there map[string]bool) int {
		if there[name] {
			return 0
		}
		there[name] = true
		data, err := dist.ReadFile("dist/" + chunks[name].File)
		if err != nil {
			t.Fatal(err)
		}
		total := len(compress(data))
		for _, other := range chunks[name].Imports {
			total += load(other, there)
		}
		return total
	}
	there := map[string]bool{}
	total := load("index.html", there) + load("src/pages/now.tsx", there) + load("src/pages/host.tsx", there)
	t.Logf("first load: %d bytes of gzipped JavaScript", total)
	if total > first {
		t.Errorf("the first load is %d bytes of gzipped JavaScript; at most %d are allowed", total, first)
	}
	for name, c := range chunks {
		if path.Ext(c.File) != ".js" {
			continue
		}
		if more := load(name, maps.Clone(there)); more > later {
			t.Errorf("%s adds %d bytes of gzipped JavaScript; at most %d are allowed", name, more, later)
		}
	}
}
