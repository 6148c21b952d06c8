package conns

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// bodyGrace is how long a body may take, and bodyRate the bytes per second for
	// which it may take longer.
	bodyGrace = 30 * time.Second
	bodyRate  = 4 << 10
)

// Bodies demands a least speed of the bodies of requests, and gives up slower
// ones.
func Bodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &body{ReadCloser: r.Body, control: http.NewResponseController(w), began: time.Now()}
		}
		next.ServeHTTP(w, r)
	})
}

// body is one that is being read.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	began   time.Time
	read    int64
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	// A connection without deadlines is one of a test.
	_ = b.control.SetReadDeadline(b.began.Add(bodyGrace + time.Duration(b.read)*time.Second/bodyRate))
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		// From here on the server only checks whether the client is there.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
