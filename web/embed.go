// Package web serves the browser application and the client script.
//
// The application is TypeScript; its built form, dist, is committed and
// embedded, so that building the master needs no Node. TestDistIsFresh fails
// when dist is not what the sources build.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// dist is the built application. "all:" because a plain pattern leaves out
// names that start with "_" or ".".
//
//go:embed all:dist
var dist embed.FS

// ContentSecurityPolicy is the policy of every page of the application: all
// from the master itself, nothing inline, and no string ever becomes HTML.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

const (
	immutable  = "public, max-age=31536000, immutable" // names that hold a hash of the content
	revalidate = "no-cache"

	indexFile  = "index.html"
	clientFile = "client/mesh-client.js"
)

// Handler serves the application: its files, and index.html for every path that
// the application itself understands, such as /hosts/web-1. All else is 404. Somebody
// in a browser gets the page with it, which says so in its own words; a script that
// is gone, and what a program asks for, is never answered with a page.
//
// It answers GET and HEAD only, compresses where the client accepts it (each
// file once, on first use), and lets browsers keep /assets/ for ever.
func Handler() http.Handler {
	s := newSite()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", ContentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if !readOnly(w, r) {
			return
		}
		switch f := s.lookup(r.URL.Path); {
		case f != nil:
			f.serve(w, r)
		case isVisit(r):
			s.files[indexFile].serveMissing(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}

// isVisit reports whether somebody looks for a page, where there may have been one.
func isVisit(r *http.Request) bool {
	top, _, _ := strings.Cut(strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/"), "/")
	program := top == "assets" || top == "api" || top == "rpc" || path.Ext(top) != ""
	return !program && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// ClientScript serves the script that defines MeshClient, for /api/client. Any
// page of any origin may load it.
func ClientScript() http.Handler {
	f := newSite().files[clientFile]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if readOnly(w, r) {
			f.serve(w, r)
		}
	})
}

func readOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "only GET and HEAD are served here", http.StatusMethodNotAllowed)
	return false
}

// site is the set of files that are served, by name.
type site struct {
	files map[string]*file
}

func newSite() *site {
	s := &site{files: make(map[string]*file)}
	root, err := fs.Sub(dist, "dist")
	if err == nil {
		err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			s.files[name] = newFile(root, name)
			return nil
		})
	}
	if err != nil {
		// The files are part of the program; they cannot be missing.
		panic(fmt.Sprintf("cannot list the embedded application: %v", err))
	}
	return s
}

// lookup finds the file that answers a path, or nil.
func (s *site) lookup(urlPath string) *file {
	name := strings.TrimPrefix(path.Clean("/"+urlPath), "/")
	if f, ok := s.files[name]; ok {
		return f
	}
	if isPage(name) {
		return s.files[indexFile]
	}
	return nil
}

// pagePaths are the paths of the application's pages, those of src/pages.ts. A segment
// ":x" stands for any one, and "*x" for one or more at the end.
func pagePaths() []string {
	return []string{
		"/",
		"/alerts",
		"/hosts",
		"/hosts/:host",
		"/members",
		"/compare",
		"/explore",
		"/explore/ask",
		"/inspectors",
		"/inspectors/*name",
		"/editor",
		"/editor/*name",
		"/rollouts",
		"/rollouts/:id",
		"/boards",
		"/boards/:name",
		"/audit",
	}
}

// isPage reports whether the application has a page at a path, without the slash
// at its start.
func isPage(name string) bool {
	for _, pattern := range pagePaths() {
		if matchesPage(strings.TrimPrefix(pattern, "/"), name) {
			return true
		}
	}
	return false
}

// matchesPage reports whether a path is one that a pattern stands for, both without
// the slash at their start.
func matchesPage(pattern, name string) bool {
	for {
		want, patternRest, patternMore := strings.Cut(pattern, "/")
		have, nameRest, nameMore := strings.Cut(name, "/")
		switch {
		case strings.HasPrefix(want, "*"):
			return have != ""
		case want != have && (!strings.HasPrefix(want, ":") || have == ""):
			return false
		case patternMore != nameMore:
			return false
		case !patternMore:
			return true
		}
		pattern, name = patternRest, nameRest
	}
}

// file is one file in the forms in which it is sent.
type file struct {
	contentType  string
	cacheControl string
	forms        func() forms // made on first use
}

type forms struct {
	plain, gzip []byte // gzip is nil where it would not be smaller
	etag        string // without its quotes
}

func newFile(root fs.FS, name string) *file {
	cacheControl := revalidate
	if strings.HasPrefix(name, "assets/") {
		cacheControl = immutable
	}
	return &file{
		contentType:  contentType(name),
		cacheControl: cacheControl,
		forms: sync.OnceValue(func() forms {
			plain, err := fs.ReadFile(root, name)
			if err != nil {
				panic(fmt.Sprintf("cannot read embedded file %q: %v", name, err))
			}
			sum := sha256.Sum256(plain)
			return forms{plain: plain, gzip: compress(plain), etag: hex.EncodeToString(sum[:12])}
		}),
	}
}

// serve answers with the file. The caller has checked the method.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	forms := f.forms()
	body, etag := forms.plain, `"`+forms.etag+`"`
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", f.cacheControl)
	if forms.gzip != nil && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		// The two forms are different bytes, hence different strong tags.
		body, etag = forms.gzip, `"`+forms.etag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if matches(r.Header.Values("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has gone; there is nobody to tell
	}
}

// serveMissing sends the page where there is none.
func (f *file) serveMissing(w http.ResponseWriter, r *http.Request) {
	body := f.forms().plain
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has gone; there is nobody to tell
	}
}

// contentType knows the types of what a build makes. The system's own table is
// not asked: it differs from machine to machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	case ".md", ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

func compress(plain []byte) []byte {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := z.Write(plain); err != nil {
		return nil
	}
	if err := z.Close(); err != nil || buf.Len() >= len(plain) {
		return nil
	}
	return buf.Bytes()
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3): gzip, or "*"
// where gzip is not named, with a weight above zero.
func acceptsGzip(headers []string) bool {
	star := false
	for _, coding := range split(headers) {
		name, params, _ := strings.Cut(coding, ";")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			weight, _ = strconv.ParseFloat(q, 64)
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip":
			return weight > 0
		case "*":
			star = weight > 0
		}
	}
	return star
}

// matches reports whether If-None-Match names the tag (RFC 9110, section
// 13.1.2: weak comparison).
func matches(headers []string, etag string) bool {
	for _, tag := range split(headers) {
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// split returns the members of a comma-separated header.
func split(headers []string) []string {
	var members []string
	for _, member := range strings.Split(strings.Join(headers, ","), ",") {
		if member = strings.TrimSpace(member); member != "" {
			members = append(members, member)
		}
	}
	return members
}
