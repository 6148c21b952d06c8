package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// jsonCodec is JSON (RFC 8259) in text frames.
type jsonCodec struct{}

func (jsonCodec) name() string   { return SubprotocolJSON }
func (jsonCodec) frameType() int { return websocket.TextMessage }

func (jsonCodec) check(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("the text is not UTF-8")
	}
	if !json.Valid(data) {
		var v json.RawMessage
		if err := json.Unmarshal(data, &v); err != nil {
			if se, ok := errors.AsType[*json.SyntaxError](err); ok {
				return fmt.Errorf("%v at byte %d", err, se.Offset)
			}
			return err
		}
	}
	return checkJSONLimits(data)
}

// checkJSONLimits refuses valid JSON that is too deep or too wide to be decoded
// at a fair price.
func checkJSONLimits(data []byte) error {
	var counts [maxDepth]int
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = jsonStringEnd(data, i) - 1
		case '{', '[':
			if depth == maxDepth {
				return fmt.Errorf("values are nested deeper than %d", maxDepth)
			}
			counts[depth] = 1
			depth++
		case '}', ']':
			depth--
		case ',':
			counts[depth-1]++
			if counts[depth-1] > maxElements {
				return fmt.Errorf("an array or object has more than %d elements", maxElements)
			}
		}
	}
	return nil
}

// jsonStringEnd returns the index after the string that begins at data[i].
func jsonStringEnd(data []byte, i int) int {
	for i++; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func jsonSpaceEnd(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r') {
		i++
	}
	return i
}

// jsonValueEnd returns the index after the value that begins at data[i].
func jsonValueEnd(data []byte, i int) int {
	depth := 0
	for ; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = jsonStringEnd(data, i)
			if depth == 0 {
				return i
			}
			i--
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of a number or word within a container
				return i
			}
			depth--
			if depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// jsonMembers calls f for each member of the object that begins at data[0],
// until f returns false. The name is still quoted.
func jsonMembers(data []byte, f func(name, value []byte) bool) {
	i := jsonSpaceEnd(data, 1)
	for data[i] != '}' {
		nameEnd := jsonStringEnd(data, i)
		name := data[i:nameEnd]
		i = jsonSpaceEnd(data, nameEnd)
		i = jsonSpaceEnd(data, i+1) // after the colon
		end := jsonValueEnd(data, i)
		if !f(name, data[i:end]) {
			return
		}
		i = jsonSpaceEnd(data, end)
		if data[i] == ',' {
			i = jsonSpaceEnd(data, i+1)
		}
	}
}

// jsonElements calls f for each element of the array that begins at data[0],
// until f returns false.
func jsonElements(data []byte, f func(i int, value []byte) bool) {
	i := jsonSpaceEnd(data, 1)
	for n := 0; data[i] != ']'; n++ {
		end := jsonValueEnd(data, i)
		if !f(n, data[i:end]) {
			return
		}
		i = jsonSpaceEnd(data, end)
		if data[i] == ',' {
			i = jsonSpaceEnd(data, i+1)
		}
	}
}

// jsonText returns the text of a quoted string.
func jsonText(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // it is a valid string
	return s
}

func (jsonCodec) isArray(data []byte) bool { return data[jsonSpaceEnd(data, 0)] == '[' }

func (jsonCodec) elements(data []byte) [][]byte {
	var all [][]byte
	jsonElements(data[jsonSpaceEnd(data, 0):], func(_ int, v []byte) bool {
		all = append(all, v)
		return true
	})
	return all
}

func (jsonCodec) split(data []byte) (envelope, *Error) {
	var e envelope
	data = data[jsonSpaceEnd(data, 0):]
	if data[0] != '{' {
		return e, Errorf(CodeInvalidRequest, "a message must be an object or an array of objects")
	}
	var fault *Error
	version := ""
	wrong := func(format string, args ...any) {
		if fault == nil {
			fault = Errorf(CodeInvalidRequest, format, args...)
		}
	}
	jsonMembers(data, func(name, v []byte) bool {
		switch jsonText(name) {
		case "jsonrpc":
			if v[0] == '"' {
				version = jsonText(v)
			}
		case "id":
			if v[0] != '"' && v[0] != 'n' && v[0] != '-' && (v[0] < '0' || v[0] > '9') {
				wrong("id must be a string, a number or null")
				break
			}
			e.id = v
		case "method":
			if v[0] != '"' {
				wrong("method must be a string")
				break
			}
			e.method, e.hasMethod = jsonText(v), true
		case "params":
			if v[0] != '{' && v[0] != '[' && v[0] != 'n' {
				wrong("params must be an object or an array")
				break
			}
			e.params = v
		case "result":
			e.result = v
		case "error":
			e.err = v
		}
		return true
	})
	return e, checkEnvelope(&e, version, fault)
}

// checkEnvelope adds what both codecs require of a message.
func checkEnvelope(e *envelope, version string, fault *Error) *Error {
	switch {
	case fault != nil:
		return fault
	case version != "2.0":
		return Errorf(CodeInvalidRequest, `jsonrpc must be "2.0"`)
	case !e.hasMethod && e.result == nil && e.err == nil:
		return Errorf(CodeInvalidRequest, "method is missing")
	}
	return nil
}

func (jsonCodec) isNull(raw []byte) bool { return len(raw) > 0 && raw[0] == 'n' }

func (jsonCodec) idKey(raw []byte) string {
	if len(raw) > 0 && raw[0] == '"' {
		return "s" + jsonText(raw)
	}
	return "n" + string(raw)
}

func (jsonCodec) idNumber(raw []byte) (uint64, bool) {
	n, err := strconv.ParseUint(string(raw), 10, 64)
	return n, err == nil
}

func (jsonCodec) encode(buf *bytes.Buffer, v any) error {
	if err := json.NewEncoder(buf).Encode(v); err != nil {
		return err
	}
	buf.Truncate(buf.Len() - 1) // the newline of Encode
	return nil
}

func (c jsonCodec) appendRequest(buf *bytes.Buffer, id uint64, method string, params any) error {
	buf.WriteString(`{"jsonrpc":"2.0"`)
	if id != 0 {
		buf.WriteString(`,"id":`)
		buf.WriteString(strconv.FormatUint(id, 10))
	}
	buf.WriteString(`,"method":`)
	if err := c.encode(buf, method); err != nil {
		return err
	}
	if params != nil {
		buf.WriteString(`,"params":`)
		at := buf.Len()
		if err := c.encode(buf, params); err != nil {
			return err
		}
		if b := buf.Bytes()[at]; b != '{' && b != '[' && b != 'n' {
			return errParamsKind
		}
	}
	buf.WriteByte('}')
	return nil
}

var errParamsKind = errors.New("params must encode as an object or an array")

func (c jsonCodec) appendResult(buf *bytes.Buffer, id []byte, result any) error {
	buf.WriteString(`{"jsonrpc":"2.0","id":`)
	buf.Write(id)
	buf.WriteString(`,"result":`)
	if err := c.encode(buf, result); err != nil {
		return err
	}
	buf.WriteByte('}')
	return nil
}

func (c jsonCodec) appendError(buf *bytes.Buffer, id []byte, e *Error) error {
	if id == nil {
		id = []byte("null")
	}
	buf.WriteString(`{"jsonrpc":"2.0","id":`)
	buf.Write(id)
	buf.WriteString(`,"error":`)
	if err := c.encode(buf, e); err != nil {
		return err
	}
	buf.WriteByte('}')
	return nil
}

func (jsonCodec) appendBatch(buf *bytes.Buffer, answers [][]byte) {
	buf.WriteByte('[')
	buf.Write(bytes.Join(answers, []byte{','}))
	buf.WriteByte(']')
}

func (jsonCodec) decode(data []byte, v any) error { return json.Unmarshal(data, v) }

func (jsonCodec) decodeAny(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func (jsonCodec) decodeStrict(data []byte, v any, s *shape) error {
	if err := s.checkJSON(data, ""); err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}
