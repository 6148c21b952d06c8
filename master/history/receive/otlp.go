package receive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Content types of OTLP over HTTP.
const (
	otlpProto = "application/x-protobuf"
	otlpJSON  = "application/json"
)

// Codes of google.rpc.Status.
const (
	rpcInvalidArgument   = 3
	rpcResourceExhausted = 8
	rpcUnavailable       = 14
)

// ServeOTLP takes samples by OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/),
// in protobuf or JSON, plain or compressed with gzip. The answer reports points that
// cannot be stored as a partial success; the others are taken.
func (h *Handler) ServeOTLP(w http.ResponseWriter, r *http.Request) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != otlpProto && media != otlpJSON {
		http.Error(w, fmt.Sprintf("the content type %q is not taken; send %s or %s", r.Header.Get("Content-Type"), otlpProto, otlpJSON),
			http.StatusUnsupportedMediaType)
		return
	}
	answer := otlpAnswer{w, media}
	body, err := h.Memory.read(w, r, r.Header.Get("Content-Encoding"))
	if err != nil {
		answer.unread(err)
		return
	}
	defer body.done()
	metrics, err := parseOTLP(body.text, media)
	if err != nil {
		answer.unread(err)
		return
	}
	var bad Result
	series := convertOTLP(metrics, time.Now(), &bad)
	result, err := h.Take(series)
	var busy Busy
	switch {
	case errors.As(err, &busy):
		w.Header().Set("Retry-After", strconv.Itoa(max(1, busy.RetrySeconds())))
		answer.fail(http.StatusServiceUnavailable, rpcUnavailable, err.Error())
		return
	case errors.Is(err, context.Canceled):
		answer.fail(http.StatusServiceUnavailable, rpcUnavailable, err.Error())
		return
	case err != nil:
		answer.fail(http.StatusBadRequest, rpcInvalidArgument, err.Error())
		return
	}
	for reason, n := range bad.By {
		result.Refuse(n, reason, bad.Reason)
	}
	h.countRefused(r, &result)
	answer.taken(&result)
}

// parseOTLP reads a request. Its message is that of the metrics alone, which has the same
// form on the wire.
func parseOTLP(text []byte, media string) (*metricspb.MetricsData, error) {
	metrics := &metricspb.MetricsData{}
	if media == otlpJSON {
		if bytes.Count(text, []byte("{")) > MaxParts || bytes.Count(text, []byte(",")) > 4*MaxParts {
			return nil, errParts
		}
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, metrics); err != nil {
			return nil, errors.New("that is no OTLP in JSON: " + withoutPrefix(err))
		}
		return metrics, nil
	}
	if err := checkParts(text, metrics.ProtoReflect().Descriptor(), describedField); err != nil {
		if errors.Is(err, errParts) {
			return nil, err
		}
		return nil, fmt.Errorf("that is no OTLP in protobuf: %w", err)
	}
	if err := proto.Unmarshal(text, metrics); err != nil {
		return nil, errors.New("that is no OTLP in protobuf: " + withoutPrefix(err))
	}
	return metrics, nil
}

// withoutPrefix is the text of a protobuf error without its prefix, which is "proto:" and
// one of two kinds of blank.
func withoutPrefix(err error) string {
	_, text, found := bytes.Cut([]byte(err.Error()), []byte("proto:"))
	if !found {
		return err.Error()
	}
	return string(bytes.TrimLeft(text, " \u00a0"))
}

// otlpAnswer answers in the form of the request.
type otlpAnswer struct {
	w     http.ResponseWriter
	media string
}

func (a otlpAnswer) send(status int, body []byte) {
	a.w.Header().Set("Content-Type", a.media)
	a.w.Header().Set("X-Content-Type-Options", "nosniff")
	a.w.WriteHeader(status)
	_, _ = a.w.Write(body)
}

// taken is an ExportMetricsServiceResponse, with a partial success where points were
// refused.
func (a otlpAnswer) taken(result *Result) {
	why := ""
	if result.Refused > 0 {
		why = result.says("points")
	}
	switch {
	case a.media == otlpJSON && why == "":
		a.send(http.StatusOK, []byte("{}"))
	case a.media == otlpJSON:
		a.send(http.StatusOK, mustJSON(map[string]any{"partialSuccess": map[string]any{
			"rejectedDataPoints": strconv.Itoa(result.Refused), "errorMessage": why,
		}}))
	case why == "":
		a.send(http.StatusOK, nil)
	default:
		partial := protowire.AppendTag(nil, 1, protowire.VarintType)
		partial = protowire.AppendVarint(partial, uint64(result.Refused))
		partial = protowire.AppendTag(partial, 2, protowire.BytesType)
		partial = protowire.AppendString(partial, why)
		a.send(http.StatusOK, protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial))
	}
}

// unread answers a request that could not be read.
func (a otlpAnswer) unread(err error) {
	status, code := statusOf(err), rpcInvalidArgument
	var busy Busy
	switch {
	case errors.As(err, &busy):
		a.w.Header().Set("Retry-After", strconv.Itoa(busy.RetrySeconds()))
		code = rpcUnavailable
	case status == http.StatusRequestEntityTooLarge:
		code = rpcResourceExhausted
	}
	a.fail(status, code, "cannot read the request: "+err.Error())
}

// fail is a google.rpc.Status.
func (a otlpAnswer) fail(status, code int, why string) {
	if a.media == otlpJSON {
		a.send(status, mustJSON(map[string]any{"code": code, "message": why}))
		return
	}
	body := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	body = protowire.AppendTag(body, 2, protowire.BytesType)
	a.send(status, protowire.AppendString(body, why))
}

// mustJSON encodes texts and numbers.
func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("cannot encode an answer: %v", err))
	}
	return text
}
