package receive

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/golang/snappy"

	"github.com/vedettehq/vedette/internal/patience"
)

// checkGivenBack holds that no memory is counted any more.
func checkGivenBack(t *testing.T, m *Memory) {
	t.Helper()
	if n := m.bodies.Load(); n != 0 {
		t.Errorf("%d bytes of bodies are counted although no request is there", n)
	}
	if !m.work.TryAcquire(m.maxWork) {
		t.Error("memory is counted although no request is there")
		return
	}
	m.work.Release(m.maxWork)
}

// post sends a body by a protocol.
func (h *Handler) post(protocol, coding string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	w := httptest.NewRecorder()
	switch protocol {
	case "remote write":
		h.ServeHTTP(w, r)
	case "influx":
		r.Header.Set("Content-Encoding", coding)
		h.ServeInflux(w, r)
	case "otlp":
		r.Header.Set("Content-Encoding", coding)
		r.Header.Set("Content-Type", otlpProto)
		h.ServeOTLP(w, r)
	}
	return w
}

// encoded packs a text.
func encoded(t testing.TB, coding string, text []byte) []byte {
	t.Helper()
	switch coding {
	case "snappy":
		return snappy.Encode(nil, text)
	case "gzip":
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return packed.Bytes()
	}
	return text
}

// Whatever comes in at once, the memory of all requests together keeps its bound, all of
// it is given back, and a sender is told to come again where there was no room.
func TestMemoryOfAllRequests(t *testing.T) {
	const bodies, work = 256 << 10, 4 << 20
	m := newMemory(bodies, work)
	var inside atomic.Int64 // what those that are being stored cost
	handler := func(size int) *Handler {
		cost := min(int64(size)*2+partCost*min(int64(size)/2, MaxParts), work)
		return &Handler{Memory: m, Log: slog.New(slog.DiscardHandler), Take: func([]Series) (Result, error) {
			if n := inside.Add(cost); n > work {
				t.Errorf("requests that cost %d bytes are stored at once, and %d is the bound", n, work)
			}
			defer inside.Add(-cost)
			if rand.IntN(8) == 0 {
				return Result{}, busy{}
			}
			return Result{}, nil
		}}
	}
	var all sync.WaitGroup
	counts := make(map[string]int)
	var mu sync.Mutex
	for range 4 {
		all.Go(func() {
			for range 50 {
				coding, protocol := "", "influx"
				switch rand.IntN(3) {
				case 0:
					coding, protocol = "snappy", "remote write"
				case 1:
					coding = "gzip"
				}
				text := bytes.Repeat([]byte("m,a=b v=1 5\n"), 1+rand.IntN(2<<10))
				if protocol == "remote write" {
					text = bytes.Repeat(unpacked(t), 1+rand.IntN(1<<10))
				}
				body := io.Reader(bytes.NewReader(encoded(t, coding, text)))
				if rand.IntN(6) == 0 {
					body = io.MultiReader(io.LimitReader(body, 20), iotest.ErrReader(errors.New("the line is cut")))
				}
				w := handler(len(text)).post(protocol, coding, body)
				if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
					t.Error("a sender is not told when to come again")
				}
				mu.Lock()
				counts[fmt.Sprintf("%s %d", protocol, w.Code)]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	checkGivenBack(t, m)
	for _, want := range []string{"remote write 204", "influx 204", "remote write 400", "influx 400"} {
		if counts[want] == 0 {
			t.Errorf("no %s in %v", want, counts)
		}
	}
}

// unpacked is a series of remote write, not packed.
func unpacked(t testing.TB) []byte {
	t.Helper()
	raw, err := oneSeries().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Senders that send slowly hold what they have sent, and no more; one too many is told to
// come again, by each protocol in its own way.
func TestBodiesTogetherAreBounded(t *testing.T) {
	m := newMemory(100<<10, 1<<20)
	h := &Handler{Memory: m, Log: slog.New(slog.DiscardHandler), Take: func([]Series) (Result, error) { return Result{}, nil }}
	slow, send := io.Pipe()
	var first sync.WaitGroup
	first.Go(func() {
		if w := h.post("influx", "", slow); w.Code != http.StatusNoContent {
			t.Errorf("the slow one is answered by %d %s", w.Code, w.Body)
		}
	})
	if _, err := io.WriteString(send, strings.Repeat("#\n", 30<<10)); err != nil {
		t.Fatal(err)
	}
	patience.Until(t, "what was sent slowly is counted", func() bool { return m.bodies.Load() == 60<<10 })
	large := []byte(strings.Repeat("#\n", 30<<10))
	for _, protocol := range []string{"influx", "otlp", "remote write"} {
		w := h.post(protocol, "", bytes.NewReader(large))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "5" || !strings.Contains(w.Body.String(), "too many large requests") {
			t.Errorf("%s is answered by %d %s", protocol, w.Code, w.Body)
		}
	}
	if w := h.post("influx", "", strings.NewReader("a v=1 5")); w.Code != http.StatusNoContent {
		t.Errorf("a small one is answered by %d %s", w.Code, w.Body)
	}
	if err := send.Close(); err != nil {
		t.Fatal(err)
	}
	first.Wait()
	checkGivenBack(t, m)
	if w := h.post("influx", "", bytes.NewReader(large)); w.Code != http.StatusNoContent {
		t.Errorf("a large one afterwards is answered by %d %s", w.Code, w.Body)
	}
}

// Whoever waits for memory gives up with its sender.
func TestWaitingEndsWithItsSender(t *testing.T) {
	m := newMemory(1<<20, 1<<20)
	if !m.work.TryAcquire(m.maxWork) {
		t.Fatal("there is no memory")
	}
	ctx, cancel := context.WithCancel(t.Context())
	h := &Handler{Memory: m, Log: slog.New(slog.DiscardHandler)}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader("a v=1"))
	w := httptest.NewRecorder()
	cancel()
	h.ServeInflux(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("it is answered by %d %s", w.Code, w.Body)
	}
	m.work.Release(m.maxWork)
	checkGivenBack(t, m)
}
