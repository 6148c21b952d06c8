package rpc

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Codes of JSON-RPC 2.0, section 5.1, and that of a cancelled request, which
// the Language Server Protocol made customary.
const (
	CodeParse          = -32700 // the frame is not JSON or CBOR
	CodeInvalidRequest = -32600 // not a request of JSON-RPC 2.0
	CodeMethodNotFound = -32601 // no such method here
	CodeInvalidParams  = -32602 // the params do not fit the method
	CodeInternal       = -32603 // the method failed
	CodeCancelled      = -32800 // the caller cancelled the request
)

// Close codes of the WebSocket (RFC 6455, section 7.4.1) that this package uses
// itself.
const (
	CloseNormal          = 1000
	CloseGoingAway       = 1001 // the server stops
	CloseProtocolError   = 1002 // not a WebSocket frame
	CloseUnsupportedData = 1003 // a frame type that is not the connection's codec
	CloseTooBig          = 1009 // a frame beyond the limit
)

// Close codes and statuses that mean: do not try again as you are.
const (
	closeUnauthenticated = 4401
	closeForbidden       = 4403
	closeVersion         = 4426
)

// ErrClosed is wrapped by every error that says that the connection is down.
var ErrClosed = errors.New("the connection is closed")

// ErrTooLarge is wrapped by the error for a message that is larger than
// Options.MaxFrameBytes. It was not sent.
var ErrTooLarge = errors.New("the message is larger than a frame may be")

// Error is the error object of JSON-RPC. A handler returns one to choose the
// code; Call returns one when the other end answered with an error.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	// Data is what else the caller may use, or nil. In a received error it is
	// made of map[string]any, []any, string, bool and numbers.
	Data any `json:"data,omitempty"`
}

// Errorf returns an Error with a formatted message.
func Errorf(code int, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s (code %d)", e.Message, e.Code)
}

// CloseError says that a close frame ended the connection. A handler that
// returns one has its caller answered with an error and then closed with it.
type CloseError struct {
	Code   int    // RFC 6455, section 7.4
	Reason string // at most 123 bytes on the wire
	Local  bool   // this end closed
}

func (e *CloseError) Error() string {
	who := "the other end"
	if e.Local {
		who = "this end"
	}
	if e.Reason == "" {
		return fmt.Sprintf("closed by %s with code %d", who, e.Code)
	}
	return fmt.Sprintf("closed by %s with code %d: %s", who, e.Code, e.Reason)
}

// Is makes a CloseError an ErrClosed.
func (e *CloseError) Is(target error) bool { return target == ErrClosed }

// HTTPError is an HTTP answer in place of a WebSocket. Dial returns one;
// Server.Authenticate may return one to choose the answer.
type HTTPError struct {
	Status     int           // of HTTP, such as 401
	Body       string        // text of the answer; Dial keeps the first 512 bytes
	RetryAfter time.Duration // of the header Retry-After, or 0
}

func (e *HTTPError) Error() string {
	s := fmt.Sprintf("refused with HTTP %d %s", e.Status, http.StatusText(e.Status))
	if e.Body != "" {
		s += ": " + e.Body
	}
	return s
}

// PermanentError wraps a refusal that trying again cannot heal.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return "will not try again: " + e.Err.Error() }

// Unwrap returns the refusal.
func (e *PermanentError) Unwrap() error { return e.Err }

// isPermanent tells whether err is a refusal that trying again cannot heal.
func isPermanent(err error) bool {
	if he, ok := errors.AsType[*HTTPError](err); ok {
		switch he.Status {
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusUpgradeRequired:
			return true
		}
	}
	if ce, ok := errors.AsType[*CloseError](err); ok && !ce.Local {
		switch ce.Code {
		case closeUnauthenticated, closeForbidden, closeVersion:
			return true
		}
	}
	return false
}

// maxRetryAfter bounds the pause that a server can ask for, so that a wrong number
// cannot silence a fleet for days.
const maxRetryAfter = 10 * time.Minute

var retryAfterPattern = regexp.MustCompile(`\bretry_after_ms=(\d{1,9})\b`)

// RetryAfter returns how long the other end asked to be left alone: the header
// Retry-After of an HTTPError, "retry_after_ms=N" within the reason of a
// CloseError, or retry_after_ms in the data of an Error. It is at most ten
// minutes.
func RetryAfter(err error) (time.Duration, bool) {
	var d time.Duration
	if he, ok := errors.AsType[*HTTPError](err); ok {
		d = he.RetryAfter
	}
	if ce, ok := errors.AsType[*CloseError](err); ok {
		if m := retryAfterPattern.FindStringSubmatch(ce.Reason); m != nil {
			ms, _ := strconv.ParseInt(m[1], 10, 64) // nine digits always parse
			d = time.Duration(ms) * time.Millisecond
		}
	}
	if re, ok := errors.AsType[*Error](err); ok {
		d = retryAfterData(re.Data)
	}
	return min(d, maxRetryAfter), d > 0
}

func retryAfterData(data any) time.Duration {
	m, ok := data.(map[string]any)
	if !ok {
		return 0
	}
	var ms float64
	switch v := m["retry_after_ms"].(type) {
	case float64:
		ms = v
	case int64:
		ms = float64(v)
	case int:
		ms = float64(v)
	}
	if !(ms > 0) {
		return 0
	}
	return time.Duration(min(ms, float64(maxRetryAfter.Milliseconds())) * float64(time.Millisecond))
}
