package master

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/vedettehq/vedette/master/backup"
	"github.com/vedettehq/vedette/master/history"
)

// backupIdle is how long a receiver of a backup may accept nothing.
const backupIdle = 2 * time.Minute

// maxBackupRequest bounds the list of files that a receiver already has.
const maxBackupRequest = 64 << 20

// backups sends backups.
func (m *Master) backups() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request backup.Request
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, fmt.Sprintf("say what you have of the backup, such as {}: %v", err), http.StatusBadRequest)
			return
		}
		source := backup.Source{
			Version: m.deps.Version, Data: m.cfg.Data, Export: m.exportState, Snapshot: m.history.Snapshot,
			// The queue of the forwarders is of use to this master alone, and so
			// are sockets.
			Apart: []string{stateFile, "history", "forward", "run", "lost+found", backup.RestoringDir},
		}
		stream := &patientWriter{w: w, control: http.NewResponseController(w)}
		err := source.Send(r.Context(), stream, request.Have)
		var busy *history.BusyError
		switch {
		case err == nil:
			m.deps.Log.Info("a backup was sent", "bytes", stream.sent)
		case stream.sent > 0: // err says why, and the stream has no end
			m.deps.Log.Error("a backup could not be sent", "error", err)
		case errors.As(err, &busy):
			w.Header().Set("Retry-After", fmt.Sprint(busy.RetrySeconds()))
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		default:
			m.deps.Log.Error("a backup could not be made", "error", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}

// exportState writes the state, including what is not on the disk yet.
func (m *Master) exportState(ctx context.Context, w io.Writer) error {
	if err := errors.Join(m.catalog.FlushAudit(ctx), m.catalog.Flush(ctx)); err != nil {
		return err
	}
	return m.remembered.Export(ctx, w)
}

// patientWriter writes an answer for as long as the receiver accepts it.
type patientWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	sent    int64
}

func (p *patientWriter) Write(b []byte) (int, error) {
	if p.sent == 0 {
		p.w.Header().Set("Content-Type", backup.ContentType)
	}
	// A connection without deadlines is one of a test.
	_ = p.control.SetWriteDeadline(time.Now().Add(backupIdle))
	n, err := p.w.Write(b)
	p.sent += int64(n)
	return n, err
}

// checkRestored refuses a folder into which a restore is unfinished.
func checkRestored(data string) error {
	if _, err := os.Lstat(filepath.Join(data, backup.RestoringDir)); err == nil {
		return fmt.Errorf("cannot run with the folder %q: a restore into it was interrupted; run `vedette master restore` again", data)
	}
	return nil
}
