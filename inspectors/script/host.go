package script

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/internal/files"
	"github.com/vedettehq/vedette/internal/meter"
)

// host is the object that a machine's driver and its replaced library functions use. A
// machine that was cut off keeps its host, so code that still runs there cannot touch the
// next machine.
type host struct {
	output *output
	tally  *tally
	files  *files.Reader
	web    *web // or nil; see ownWeb
	ctx    atomic.Pointer[context.Context]

	mu      sync.Mutex // guards the fields below
	report  *inspectors.Report
	value   *float64 // the result of a value shape
	err     error
	entered bool
	detach  func()        // detaches the goroutine that runs the script from its meter and its web, or nil
	left    chan struct{} // closed when the script has ended; nil before it began
	over    bool          // left is closed
	cut     bool

	released bool // the machine will not be used again
}

// start prepares one run.
func (h *host) start(ctx context.Context, r *inspectors.Report) {
	h.ctx.Store(&ctx)
	h.output.measure(meter.From(ctx))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.report, h.value, h.err = r, nil, nil
	h.entered, h.over, h.cut = false, false, false
	h.left = make(chan struct{})
}

// The driver calls Enter before the script, in the goroutine that runs it.
func (h *host) Enter() {
	detach := meter.From(h.Context()).Attach()
	if h.web != nil {
		unmetered, leave := detach, h.web.enter()
		detach = func() {
			leave()
			unmetered()
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entered, h.detach = true, detach
}

// The driver calls Leave when the script has ended in any way, in the goroutine of Enter.
func (h *host) Leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	if h.detach != nil {
		h.detach()
		h.detach = nil
	}
	h.over = true
	close(h.left)
	if h.cut {
		h.tally.ended.Add(1)
	}
	if h.web != nil && h.released {
		h.web.close()
	}
}

// release must be called when the machine will not be used again. If no run is going on, it
// closes everything that runs have left open.
func (h *host) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.released = true
	if h.web != nil && (!h.entered || h.over) {
		h.web.close()
	}
}

// Context is the context of the run.
func (h *host) Context() context.Context { return *h.ctx.Load() }

// Report is the report of the run.
func (h *host) Report() *inspectors.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.report
}

// Value takes the results of the first two shapes.
func (h *host) Value(v float64, err error) {
	err = materialise(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err = err; err == nil {
		h.value = &v
	}
}

// Result takes the results of the third shape.
func (h *host) Result(err error) {
	err = materialise(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}

// outcome is called after a run that was not cut off.
func (h *host) outcome() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.value != nil {
		h.report.Gauge("", *h.value)
	}
	return h.err
}

// settleTime is how long a run that was cut off may take to end. The interpreter ends at
// its next step; a run that takes longer is stuck in a library.
const settleTime = 50 * time.Millisecond

// abandon is called when a run was cut off, and reports whether it is over.
func (h *host) abandon() bool {
	h.mu.Lock()
	left, entered := h.left, h.entered
	h.mu.Unlock()
	if !entered {
		return false // it never reached the script, and will not
	}
	if h.web != nil {
		h.web.close() // pending calls get an error
	}
	timer := time.NewTimer(settleTime)
	defer timer.Stop()
	select {
	case <-left:
		return true
	case <-timer.C:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return true
	}
	h.cut = true
	h.tally.cut.Add(1)
	return false
}

// scriptError is an error of a script as text. The script's own Error method may be
// interpreted, and must not be called after the run.
type scriptError struct {
	text  string
	cause error // an error of a context, or nil
}

func (e *scriptError) Error() string { return e.text }
func (e *scriptError) Unwrap() error { return e.cause }

func materialise(err error) error {
	if err == nil {
		return nil
	}
	e := &scriptError{text: err.Error()}
	for _, cause := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, cause) {
			e.cause = cause
		}
	}
	return e
}

// MaxOutputBytes is how much a script may print in one run, and at once. The rest is
// discarded, and a line says so.
const MaxOutputBytes = 64 << 10

// OutputBytesPerSecond is how much it may print in the long run.
const OutputBytesPerSecond = 1 << 10

// output passes on the output of a script, within its limits.
type output struct {
	mu    sync.Mutex
	w     io.Writer // or nil
	left  int
	since time.Time    // when left was last computed; zero before the first run
	told  bool         // whether output was discarded since the last that was printed
	meter *meter.Meter // of the run, or nil
}

// measure makes m count all output from now on.
func (o *output) measure(m *meter.Meter) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.meter = m
}

// begin adds the allowance for the time since the last run. A small allowance counts as
// none, so that not every run ends with the line about discarded output.
func (o *output) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	earned := MaxOutputBytes
	if !o.since.IsZero() {
		earned = int(min(now.Sub(o.since).Seconds(), MaxOutputBytes/OutputBytesPerSecond) * OutputBytesPerSecond)
	}
	if least := MaxOutputBytes / 16; o.told && earned < least {
		return
	}
	o.left, o.since, o.told = min(o.left+earned, MaxOutputBytes), now, false
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.meter.Yield(len(p))
	if o.w == nil || o.told {
		return len(p), nil
	}
	if len(p) <= o.left {
		o.left -= len(p)
		_, err := o.w.Write(p)
		return len(p), err
	}
	cut := append(bytes.Clone(p[:o.left]), "\n(more output was discarded)\n"...)
	o.left, o.told = 0, true
	_, err := o.w.Write(cut)
	return len(p), err
}

// notes keeps the beginning of the interpreter's own output: the places of a panic,
// innermost first.
type notes struct {
	mu   sync.Mutex
	text []byte
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if room := 4096 - len(n.text); room > 0 {
		n.text = append(n.text, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (n *notes) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = n.text[:0]
}

// first returns the first line, or "".
func (n *notes) first() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	line, _, _ := bytes.Cut(n.text, []byte("\n"))
	return string(line)
}
