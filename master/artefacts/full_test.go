package artefacts

import (
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"syscall"
	"testing"
)

func TestFullDiskIsTold(t *testing.T) {
	w := httptest.NewRecorder()
	h := Handler{Log: slog.New(slog.DiscardHandler)}
	h.fail(w, httptest.NewRequest("PUT", "/", nil), &fs.PathError{Op: "write", Path: "/data/x", Err: syscall.ENOSPC})
	if w.Code != 507 || w.Body.String() != "the master's disk is full\n" {
		t.Errorf("%d %q", w.Code, w.Body.String())
	}
}
