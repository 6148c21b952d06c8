package artefacts

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// idle is how long a sender may pause.
	idle = 30 * time.Second
	// fetchWithin is how long an agent may take to fetch a program.
	fetchWithin = 15 * time.Minute
)

// Handler serves a Store below wire.ArtefactPath. It does not check who may call.
type Handler struct {
	Log   *slog.Logger
	Store *Store
}

// ServeHTTP stores a program with PUT, and serves one, or a part of it, with GET
// and HEAD.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sum := strings.TrimPrefix(r.URL.Path, wire.ArtefactPath)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.get(w, r, sum)
	case http.MethodPut:
		h.put(w, r, sum)
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT")
		http.Error(w, "fetch a program with GET, or store one with PUT", http.StatusMethodNotAllowed)
	}
}

func (h Handler) get(w http.ResponseWriter, r *http.Request, sum string) {
	file, err := h.Store.Open(sum)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer file.Close()
	// A connection without deadlines is one of a test.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fetchWithin))
	w.Header().Set("ETag", `"`+sum+`"`)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, file)
}

func (h Handler) put(w http.ResponseWriter, r *http.Request, sum string) {
	switch {
	case r.ContentLength > wire.MaxArtefact:
		h.fail(w, r, fmt.Errorf("%w: a program has at most %d MiB", ErrTooLarge, wire.MaxArtefact>>20))
		return
	case r.Header.Get("Content-Range") != "" || r.Header.Get("Content-Encoding") != "":
		http.Error(w, "send the whole program, as it is", http.StatusBadRequest)
		return
	}
	created, err := h.Store.Put(sum, &patient{body: r.Body, control: http.NewResponseController(w)})
	switch {
	case err != nil:
		h.fail(w, r, err)
	case created:
		h.Log.Info("a program is stored", "sha256", sum)
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, "stored\n")
	default:
		io.WriteString(w, "known already\n")
	}
}

// fail answers with an error, and keeps details that are the master's own business
// in its log.
func (h Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var cut sendError
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrName):
		status = http.StatusBadRequest
	case errors.Is(err, ErrUnknown):
		status = http.StatusNotFound
	case errors.Is(err, ErrChecksum):
		status = http.StatusConflict
	case errors.Is(err, ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrNoFolder):
		status = http.StatusServiceUnavailable
	case errors.As(err, &cut):
		status = http.StatusBadRequest
	case errors.Is(err, syscall.ENOSPC):
		h.Log.Error("a program cannot be stored", "error", err)
		http.Error(w, "the master's disk is full", http.StatusInsufficientStorage)
		return
	default:
		h.Log.Error("a program cannot be read or stored", "path", r.URL.Path, "error", err)
		http.Error(w, "the master cannot read or store programs; its log says why", status)
		return
	}
	http.Error(w, err.Error(), status)
}

// sendError says that the sender did not send everything.
type sendError struct{ error }

func (e sendError) Unwrap() error { return e.error }

func (e sendError) Error() string { return "the program did not arrive whole: " + e.error.Error() }

// patient reads a body for as long as bytes keep coming.
type patient struct {
	body    io.Reader
	control *http.ResponseController
}

func (p *patient) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(idle)) // see get
	n, err := p.body.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = sendError{err}
	}
	if err != nil {
		_ = p.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
