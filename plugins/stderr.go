package plugins

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/vedettehq/vedette/internal/mask"
	"github.com/vedettehq/vedette/plugins/internal/link"
)

const (
	maxStderrLine = 4 << 10
	traceLines    = 12 // lines of a crash that are kept
)

// stderrTail reads a child's standard error. It passes on each line, and keeps
// what the Go runtime writes about a crash.
type stderrTail struct {
	forward func(level, line string) // level is one of hclog's names, or empty
	mask    *mask.Mask               // of secrets, or nil

	mu      sync.Mutex
	partial []byte // guarded by mu, like all below
	last    string // the last line that was not empty
	cause   string // "panic: …" or "fatal error: …", or empty
	trace   []string
	culprit suspect // the label of the goroutine that crashed, or zero
}

// Write takes the next part of the output. It never fails.
func (t *stderrTail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	for {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		if room := maxStderrLine + t.mask.Reach() - len(t.partial); room > 0 {
			t.partial = append(t.partial, line[:min(room, len(line))]...)
		}
		if !whole {
			return n, nil
		}
		t.lineLocked(string(t.partial))
		t.partial = t.partial[:0]
		p = rest
	}
}

func (t *stderrTail) lineLocked(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	line = t.mask.Cut(line, maxStderrLine)
	level, text := parseLogLine(line)
	t.last = printable(text)
	t.crashLocked(line)
	t.forward(level, t.last)
}

// crashLocked follows the trace of a crash.
func (t *stderrTail) crashLocked(line string) {
	isCause := strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
	if t.cause == "" && isCause {
		t.cause = printable(line)
	}
	if t.cause == "" {
		return
	}
	if len(t.trace) < traceLines {
		t.trace = append(t.trace, printable(line))
	}
	// The first goroutine with one of our labels is the one that crashed: the
	// runtime writes it before all others.
	if t.culprit.name == "" && strings.HasPrefix(line, "goroutine ") {
		t.culprit = culpritOf(line)
	}
}

// crash returns the written cause of a crash, or the last line that was written,
// or nothing; and the inspector that caused it, if the trace names one.
func (t *stderrTail) crash() (cause, last string, culprit suspect) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cause, t.last, t.culprit
}

// labelPattern finds a label in the header of a goroutine, as
// goroutine 7 [running labels:{"inspector": "disk"}]:
var labelPattern = regexp.MustCompile(`"(` + link.LabelInspector + `|` + link.LabelLoading + `)": ("(?:[^"\\]|\\.)*")`)

func culpritOf(header string) suspect {
	match := labelPattern.FindStringSubmatch(header)
	if match == nil {
		return suspect{}
	}
	name, err := strconv.Unquote(match[2])
	if err != nil {
		return suspect{}
	}
	return suspect{name: name, loading: match[1] == link.LabelLoading}
}

// parseLogLine reads a line that hclog wrote as JSON. Other lines are returned as
// they are.
func parseLogLine(line string) (level, text string) {
	if !strings.HasPrefix(line, "{") {
		return "", line
	}
	var entry struct {
		Level   string `json:"@level"`
		Message string `json:"@message"`
	}
	if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Message == "" {
		return "", line
	}
	return entry.Level, entry.Message
}

// printable makes text from a child fit for a log: without control characters
// other than tabs and newlines.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}
