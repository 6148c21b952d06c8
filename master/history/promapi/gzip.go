package promapi

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// worthCompressing is the size of an answer, in bytes, from which it is
// compressed for those who understand that.
const worthCompressing = 1400

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		quality, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
		if !ok {
			return true
		}
		q, err := strconv.ParseFloat(quality, 64)
		return err == nil && q > 0
	}
	return false
}

func writeGzip(w io.Writer, body []byte) {
	// Speed: most answers go over a fast network.
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return // the level is valid
	}
	z.Write(body) //nolint:errcheck // the client has gone
	z.Close()     //nolint:errcheck // the same
}
