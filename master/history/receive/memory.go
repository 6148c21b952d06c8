package receive

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/golang/snappy"
	"golang.org/x/sync/semaphore"
)

// Bounds of all requests together, in bytes.
const (
	maxBodies = 64 << 20  // of bodies, as sent, also of those that are not whole yet
	maxWork   = 256 << 20 // of what is made of them; the largest request takes 224 MiB
)

// partCost is about what a part takes until it is stored, in bytes.
const partCost = 96

// waitForWork is how long a request waits until others are stored.
const waitForWork = 10 * time.Second

// Memory bounds the memory of all requests together, those of every protocol.
type Memory struct {
	bodies    atomic.Int64
	maxBodies int64
	work      *semaphore.Weighted
	maxWork   int64
}

// NewMemory makes one for a whole master.
func NewMemory() *Memory { return newMemory(maxBodies, maxWork) }

func newMemory(bodies, work int64) *Memory {
	return &Memory{maxBodies: bodies, work: semaphore.NewWeighted(work), maxWork: work}
}

// tooMany says that other requests have all the memory. It is a Busy.
type tooMany struct{}

func (tooMany) Error() string {
	return "too many large requests come in at once; send it again later"
}

func (tooMany) RetrySeconds() int { return 5 }

// request is a body that was read and unpacked, and the memory that is counted for it.
type request struct {
	text []byte

	memory *Memory
	packed int64 // of bodies
	cost   int64 // of work
}

// done gives the memory back.
func (r *request) done() {
	r.memory.bodies.Add(-r.packed)
	r.memory.work.Release(r.cost)
	r.packed, r.cost, r.text = 0, 0, nil
}

// counted reads a body and counts its bytes.
type counted struct {
	body    io.Reader
	request *request
}

// Read implements io.Reader. The bytes count as they come, so that a sender holds no
// more than it has sent.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.request.packed += int64(n)
	if m := c.request.memory; m.bodies.Add(int64(n)) > m.maxBodies {
		return n, tooMany{}
	}
	return n, err
}

// read reads the body of a request and unpacks it: snappy, gzip, or nothing where coding
// is empty or identity. It waits while other requests have the memory, until ctx ends at
// the latest. The caller calls done when the samples are stored. Where reading fails, the
// error has the status of the answer.
func (m *Memory) read(w http.ResponseWriter, r *http.Request, coding string) (*request, error) {
	q := &request{memory: m}
	if err := q.read(w, r, coding); err != nil {
		q.done()
		return nil, err
	}
	return q, nil
}

func (r *request) read(w http.ResponseWriter, from *http.Request, coding string) error {
	switch coding {
	case "snappy", "gzip", "", "identity":
	default:
		return codingError(coding)
	}
	packed, err := io.ReadAll(&counted{http.MaxBytesReader(w, from.Body, MaxPackedBytes), r})
	if err != nil {
		return err
	}
	size, err := unpackedSize(packed, coding)
	if err != nil {
		return err
	}
	if size > MaxUnpackedBytes {
		return errTooLarge
	}
	if err := r.wait(from.Context(), size); err != nil {
		return err
	}
	switch coding {
	case "snappy":
		r.text, err = snappy.Decode(nil, packed)
	case "gzip":
		r.text, err = gunzip(packed, size)
	default:
		r.text = packed
	}
	return err
}

// wait waits until there is memory for a text of a size and all that it may hold.
func (r *request) wait(ctx context.Context, size int64) error {
	cost := min(2*size+partCost*min(size/2, MaxParts), r.memory.maxWork)
	ctx, cancel := context.WithTimeout(ctx, waitForWork)
	defer cancel()
	if r.memory.work.Acquire(ctx, cost) != nil {
		return tooMany{}
	}
	r.cost = cost
	return nil
}

// unpackedSize returns the size that a body has when it is unpacked; of one that is too
// large, a size that is too large. It takes no memory for it.
func unpackedSize(packed []byte, coding string) (int64, error) {
	switch coding {
	case "snappy":
		size, err := snappy.DecodedLen(packed)
		return int64(size), err
	case "gzip":
		zip, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return 0, err
		}
		return io.Copy(io.Discard, io.LimitReader(zip, MaxUnpackedBytes+1))
	}
	return int64(len(packed)), nil
}

// gunzip unpacks a body of a known unpacked size.
func gunzip(packed []byte, size int64) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text := make([]byte, size)
	_, err = io.ReadFull(zip, text)
	return text, err
}

// codingError names a content encoding that is not taken.
type codingError string

func (e codingError) Error() string {
	return fmt.Sprintf("the content encoding %q is not taken; send gzip", string(e))
}

// statusOf is the status of an answer to a request that could not be read.
func statusOf(err error) int {
	switch {
	case errors.As(err, new(tooMany)):
		return http.StatusServiceUnavailable
	case errors.As(err, new(codingError)):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, errTooLarge), errors.Is(err, errParts), errors.Is(err, errLines), errors.As(err, new(*http.MaxBytesError)):
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}
