package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
)

// DefaultMaxBytes is the bound of a queue: about a hundred million samples.
const DefaultMaxBytes = 1 << 30

const (
	// maxRequestSamples is how many samples one request holds.
	maxRequestSamples = 5000
	requestTimeout    = 30 * time.Second
	firstBackoff      = 50 * time.Millisecond
	maxBackoff        = 30 * time.Second
	saveEvery         = time.Second
	// maxAnswerBytes is how much is read of an answer that explains a refusal.
	maxAnswerBytes = 1024
	// hopeless is how many samples of a request must have been refused, with none
	// accepted, before the rest of it is given up too.
	hopeless = 64
	// tellEvery is how often the same trouble is logged.
	tellEvery = time.Minute
)

// errNotRunning is returned by Forward before Run and after it.
var errNotRunning = errors.New("the queue of what is to be forwarded is not open")

// Options say where to forward to.
type Options struct {
	// URL takes remote write, as http://prometheus:9090/api/v1/write.
	URL string
	// Token is sent as "Authorization: Bearer"; empty sends none.
	Token string
	// Labels are added to every series that does not have them.
	Labels map[string]string
	// Dir is the folder of the queue, which no other forwarder uses.
	Dir string
	// MaxBytes bounds the queue; DefaultMaxBytes.
	MaxBytes int64
	// Log receives messages for an administrator; nil is silent.
	Log *slog.Logger
	// Agent names the program in the requests, as vedette/1.2.0.
	Agent string
}

// Sample is a value of a series at a time.
type Sample struct {
	Labels labels.Labels
	T      int64 // ms since the epoch, UTC
	V      float64
}

// Forwarder sends to one place. New makes it, Run runs it once.
type Forwarder struct {
	opts   Options
	client *http.Client
	ready  chan struct{}         // closed when there is a queue
	queue  atomic.Pointer[queue] // while it runs, or nil

	encoder encoder // of the one who calls Forward

	sent, refused atomic.Uint64 // samples
	toldAt        time.Time     // when trouble was logged
}

// New checks the options. It starts nothing.
func New(opts Options) (*Forwarder, error) {
	u, err := url.Parse(opts.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("cannot forward to %q: it is not an address; write it as http://prometheus:9090/api/v1/write", opts.URL)
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	opts.Log = opts.Log.With("forward_to", u.Redacted())
	return &Forwarder{opts: opts, client: &http.Client{Timeout: requestTimeout}, ready: make(chan struct{}), encoder: encoder{extra: opts.Labels}}, nil
}

// Ready is closed when Forward can be called.
func (f *Forwarder) Ready() <-chan struct{} { return f.ready }

// Forward puts samples into the queue and returns when they would survive the death of
// this process. It does not retain the slice. One goroutine calls it at a time.
func (f *Forwarder) Forward(samples []Sample) error {
	q := f.queue.Load()
	if q == nil {
		return errNotRunning
	}
	for len(samples) > 0 {
		n := min(len(samples), maxRequestSamples)
		if err := q.push(f.encoder.encode(samples[:n]), n); err != nil {
			return err
		}
		samples = samples[n:]
	}
	return nil
}

func marshal(request *prompb.WriteRequest) ([]byte, error) {
	raw, err := request.Marshal()
	if err != nil {
		return nil, fmt.Errorf("cannot encode samples for remote write: %w", err)
	}
	return snappy.Encode(nil, raw), nil
}

// Run sends the requests in the queue until ctx ends. The next run sends the rest. It
// returns an error if it cannot make a queue.
func (f *Forwarder) Run(ctx context.Context) error {
	q, err := openQueue(f.opts.Dir, f.opts.MaxBytes, f.opts.Log)
	if err != nil {
		return err
	}
	f.queue.Store(q)
	close(f.ready)
	f.work(ctx, q)
	f.queue.Store(nil)
	return q.close()
}

func (f *Forwarder) work(ctx context.Context, q *queue) {
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ticker.C:
			f.save(q)
		default:
		}
		r, ok := q.peek()
		if !ok {
			select {
			case <-ctx.Done():
			case <-q.more:
			case <-ticker.C:
				f.save(q)
			}
			continue
		}
		if err := (&delivery{Forwarder: f}).send(ctx, r.payload, r.samples); err != nil {
			return // ctx has ended
		}
		q.done(r)
		q.forget()
	}
}

func (f *Forwarder) save(q *queue) {
	if err := q.save(); err != nil {
		f.tell("the place in the queue cannot be written down; after a crash samples may be sent twice", "error", err)
	}
}

// refusal is an answer that says that another try will not help.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("HTTP %d: %s", r.status, r.text) }

// delivery is one request of the queue while it is sent, in one piece or in many.
type delivery struct {
	*Forwarder
	taken, unwanted int // samples, of those answered so far
}

// send sends a request until it has a final answer. The error is that of ctx.
func (f *delivery) send(ctx context.Context, payload []byte, samples int) error {
	backoff := firstBackoff
	for {
		wait, err := f.post(ctx, payload)
		var no *refusal
		switch {
		case err == nil:
			f.taken += samples
			f.sent.Add(uint64(samples))
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &no):
			return f.halve(ctx, payload, samples, no)
		}
		f.tell("cannot forward for now; samples wait in the queue", "error", err)
		// Full jitter, so that masters do not all come at once.
		pause := max(wait, rand.N(backoff)+backoff/2)
		backoff = min(2*backoff, maxBackoff)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// post sends one request. wait is how long the other end asks us to wait.
func (f *Forwarder) post(ctx context.Context, payload []byte) (wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.opts.URL, bytes.NewReader(payload))
	if err != nil {
		return 0, err
	}
	header := request.Header
	header.Set("Content-Type", "application/x-protobuf")
	header.Set("Content-Encoding", "snappy")
	header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	header.Set("User-Agent", f.opts.Agent)
	if f.opts.Token != "" {
		header.Set("Authorization", "Bearer "+f.opts.Token)
	}
	response, err := f.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if response.StatusCode/100 == 2 {
		return 0, nil
	}
	answer := strings.TrimSpace(string(text))
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge, http.StatusConflict:
		return 0, &refusal{response.StatusCode, answer}
	}
	// All other answers can change without our doing: a token becomes known, an address is
	// served.
	if seconds, convErr := strconv.Atoi(response.Header.Get("Retry-After")); convErr == nil && seconds > 0 {
		wait = min(time.Duration(seconds)*time.Second, maxBackoff)
	}
	return wait, errors.Join(fmt.Errorf("HTTP %d: %s", response.StatusCode, answer), err)
}

// halve sends a refused request in halves, and gives up single samples, or everything if
// the other end wants nothing at all.
func (f *delivery) halve(ctx context.Context, payload []byte, samples int, why *refusal) error {
	raw, err := snappy.Decode(nil, payload)
	var request prompb.WriteRequest
	if err == nil {
		err = request.Unmarshal(raw)
	}
	if err != nil || samples <= 1 || f.taken == 0 && f.unwanted >= hopeless {
		f.unwanted += samples
		f.refused.Add(uint64(samples))
		f.tell("samples are refused where they are forwarded to, and dropped", "reason", why, "refused_so_far", f.refused.Load(), "error", err)
		return nil
	}
	first, second := split(&request, samples/2)
	for _, half := range []*prompb.WriteRequest{first, second} {
		payload, err := marshal(half)
		if err != nil {
			return err
		}
		if err := f.send(ctx, payload, count(half)); err != nil {
			return err
		}
	}
	return nil
}

// split divides a request after n samples, within a series too.
func split(request *prompb.WriteRequest, n int) (first, second *prompb.WriteRequest) {
	first, second = &prompb.WriteRequest{}, &prompb.WriteRequest{}
	for _, series := range request.Timeseries {
		k := min(n, len(series.Samples))
		n -= k
		if k > 0 {
			first.Timeseries = append(first.Timeseries, prompb.TimeSeries{Labels: series.Labels, Samples: series.Samples[:k]})
		}
		if k < len(series.Samples) {
			second.Timeseries = append(second.Timeseries, prompb.TimeSeries{Labels: series.Labels, Samples: series.Samples[k:]})
		}
	}
	return first, second
}

func count(request *prompb.WriteRequest) int {
	n := 0
	for _, series := range request.Timeseries {
		n += len(series.Samples)
	}
	return n
}

// tell logs trouble, once a minute.
func (f *Forwarder) tell(message string, attrs ...any) {
	if now := time.Now(); now.Sub(f.toldAt) >= tellEvery {
		f.toldAt = now
		f.opts.Log.Warn(message, attrs...)
	}
}

// Stats counts what a Forwarder has done since it was made.
type Stats struct {
	Sent    uint64 // samples that the other end has accepted
	Refused uint64 // samples that it does not want
	Dropped uint64 // samples for which the queue had no room
	Pending int64  // bytes that wait
}

// Stats returns the counts.
func (f *Forwarder) Stats() Stats {
	s := Stats{Sent: f.sent.Load(), Refused: f.refused.Load()}
	if q := f.queue.Load(); q != nil {
		s.Pending, s.Dropped = q.pending()
	}
	return s
}
