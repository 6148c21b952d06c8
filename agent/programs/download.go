package programs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

var (
	errChecksum = errors.New("it is not what it should be")
	errIdle     = errors.New("the master sends nothing more")
)

// finalError is an error that trying again at once would not fix.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// download fetches a program into a file, and returns when the file is complete,
// on the disk, and correct. It resumes an earlier download. A file with wrong
// content is removed; one that is only incomplete is kept for the next time,
// unless the disk is full.
func (f *Store) download(ctx context.Context, a wire.Artefact, part string) error {
	wait, left, again := f.wait, f.tries, false
	for {
		resumed := sizeOf(part)
		err := f.attempt(ctx, a, part)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errChecksum):
			if removeErr := os.Remove(part); removeErr != nil || resumed == 0 || again {
				return errors.Join(err, removeErr)
			}
			again = true // the rest of an earlier download may have been at fault: once
			continue
		case errors.Is(err, syscall.ENOSPC):
			return errors.Join(fmt.Errorf("the disk that holds %q is full: %w", f.dir, err), os.Remove(part))
		}
		if _, ok := errors.AsType[finalError](err); ok {
			return err
		}
		if sizeOf(part) > resumed { // it gets on
			wait, left = f.wait, f.tries
		} else if left--; left <= 0 {
			return err
		}
		f.log.Debug("a download is resumed", "sha256", a.SHA256, "reason", err, "in", wait)
		if err := pause(ctx, wait); err != nil {
			return err
		}
		wait *= 2
	}
}

func sizeOf(path string) int64 {
	if info, err := os.Stat(path); err == nil {
		return info.Size()
	}
	return 0
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// attempt makes one request, for the part that the file does not have yet.
func (f *Store) attempt(ctx context.Context, a wire.Artefact, part string) (err error) {
	file, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return finalError{err}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sum := sha256.New()
	have, err := io.Copy(sum, io.LimitReader(endingWith{ctx, file}, a.Size+1))
	if err != nil {
		return finalError{err}
	}
	if have > a.Size { // it cannot belong to this program
		if have, err = 0, restart(file, sum); err != nil {
			return finalError{err}
		}
	}
	if have < a.Size {
		if err := f.request(ctx, a, file, sum, have); err != nil {
			return err
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != a.SHA256 {
		return fmt.Errorf("%w: its SHA-256 is %s", errChecksum, got)
	}
	if err := file.Sync(); err != nil {
		return finalError{err}
	}
	return nil
}

// restart empties a file.
func restart(file *os.File, sum hash.Hash) error {
	sum.Reset()
	_, err := file.Seek(0, io.SeekStart)
	return errors.Join(err, file.Truncate(0))
}

// request asks for the program from the byte have on, and adds it to the file
// and its sum.
func (f *Store) request(ctx context.Context, a wire.Artefact, file *os.File, sum hash.Hash, have int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(f.idle, func() { cancel(errIdle) })
	defer watch.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+a.SHA256, nil)
	if err != nil {
		return finalError{err}
	}
	r.Header = f.header.Clone()
	if have > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := f.client.Do(r)
	if err != nil {
		return because(ctx, err)
	}
	defer resp.Body.Close()
	start, err := answered(resp, have)
	if err != nil {
		return err
	}
	if start != have {
		have = 0
		if err := restart(file, sum); err != nil {
			return finalError{err}
		}
	}
	body := io.LimitReader(watched{resp.Body, watch, f.idle}, a.Size-have+1)
	n, err := io.Copy(io.MultiWriter(file, sum), body)
	switch {
	case err != nil:
		return because(ctx, err)
	case have+n > a.Size:
		return fmt.Errorf("%w: it has more than %d bytes", errChecksum, a.Size)
	case have+n < a.Size && resp.ContentLength == n:
		return fmt.Errorf("%w: it has %d bytes, not %d", errChecksum, have+n, a.Size)
	case have+n < a.Size:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// because returns the cause of the context's end, if it has ended, or else err. A
// fault of the file becomes final.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok { // the fault is the file's, not the connection's
		return finalError{err}
	}
	return err
}

// answered returns the byte with which the answer begins, or an error if there is
// no usable answer.
func answered(resp *http.Response, have int64) (start int64, err error) {
	switch resp.StatusCode {
	case http.StatusOK:
		return 0, nil
	case http.StatusPartialContent:
		var end, size int64
		_, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &start, &end, &size)
		if err != nil || start != have {
			return 0, finalError{fmt.Errorf("the master answers with another part than was asked for: %q", resp.Header.Get("Content-Range"))}
		}
		return start, nil
	case http.StatusRequestedRangeNotSatisfiable:
		return 0, fmt.Errorf("%w: the master's is shorter", errChecksum)
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
	err = fmt.Errorf("the master answers %s: %s", resp.Status, strings.TrimSpace(string(text)))
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
		return 0, err
	}
	return 0, finalError{err}
}

// watched is a body that may be read for as long as bytes keep coming.
type watched struct {
	r     io.Reader
	watch *time.Timer
	idle  time.Duration
}

func (w watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if n > 0 {
		w.watch.Reset(w.idle)
	}
	return n, err
}
