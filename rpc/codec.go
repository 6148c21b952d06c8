package rpc

import (
	"bytes"
)

// codec writes and reads messages in one encoding. The implementations hold no
// state. Every method that takes received bytes but check expects bytes that
// check has passed.
type codec interface {
	name() string
	frameType() int // of gorilla/websocket

	// check returns why data is not one value within the limits of depth and
	// size, or nil.
	check(data []byte) error
	isArray(data []byte) bool
	// elements returns the elements of an array, which share its memory.
	elements(data []byte) [][]byte
	// split takes a message apart. The parts share the memory of data.
	split(data []byte) (envelope, *Error)
	// isNull tells whether a raw value is null.
	isNull(raw []byte) bool
	// idKey returns a text that is the same for the same id.
	idKey(raw []byte) string
	// idNumber returns an id as this end numbers its calls.
	idNumber(raw []byte) (uint64, bool)

	// encode appends v.
	encode(buf *bytes.Buffer, v any) error
	// appendRequest appends a request, or a notification when id is 0.
	appendRequest(buf *bytes.Buffer, id uint64, method string, params any) error
	// appendResult appends an answer. id is raw.
	appendResult(buf *bytes.Buffer, id []byte, result any) error
	// appendError appends an answer. id is raw, or nil for null.
	appendError(buf *bytes.Buffer, id []byte, e *Error) error
	// appendBatch appends answers that are already encoded as one array.
	appendBatch(buf *bytes.Buffer, answers [][]byte)

	// decode reads v leniently: members that v does not know are skipped.
	decode(data []byte, v any) error
	// decodeAny reads whatever it is, for an explanation: maps as
	// map[string]any, numbers as int64, uint64, float64 or json.Number.
	decodeAny(data []byte) (any, error)
	// decodeStrict reads v, whose type s describes, and refuses what s does
	// not know, unless it is open. Its error is for the sender.
	decodeStrict(data []byte, v any, s *shape) error
}

// envelope is a message taken apart. Raw parts are nil when absent.
type envelope struct {
	id        []byte // string, number or null
	method    string
	hasMethod bool
	params    []byte // array, object or null
	result    []byte
	err       []byte
}

// isAnswer tells an answer from a request or notification.
func (e *envelope) isAnswer() bool { return !e.hasMethod && (e.result != nil || e.err != nil) }

func codecByName(subprotocol string) codec {
	if subprotocol == SubprotocolCBOR {
		return cborCodec{}
	}
	return jsonCodec{}
}
