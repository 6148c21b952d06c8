package rpc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"

	"github.com/fxamacker/cbor/v2"
	"github.com/gorilla/websocket"
)

// cborCodec is CBOR (RFC 8949) in binary frames, without tags and without
// strings, arrays or maps of indefinite length.
type cborCodec struct{}

// cborModes are the settings of the CBOR library. They never change.
type cborModes struct {
	enc    cbor.UserBufferEncMode
	outer  cbor.DecMode // for whole frames, and to explain what is wrong in them
	dec    cbor.DecMode // for parts
	strict cbor.DecMode // for parts whose every member must be known
}

var modes = newCBORModes()

func newCBORModes() cborModes {
	enc, err := cbor.EncOptions{
		ShortestFloat: cbor.ShortestFloat16,
		NaNConvert:    cbor.NaNConvertReject,
		InfConvert:    cbor.InfConvertReject,
		IndefLength:   cbor.IndefLengthForbidden,
		TagsMd:        cbor.TagsForbidden,
		Time:          cbor.TimeRFC3339Nano, // as JSON has it
	}.UserBufferEncMode()
	if err != nil {
		panic(err) // a mistake above; every test would show it
	}
	dec := func(change func(*cbor.DecOptions)) cbor.DecMode {
		o := cbor.DecOptions{
			DupMapKey:         cbor.DupMapKeyEnforcedAPF,
			MaxNestedLevels:   maxDepth,
			MaxArrayElements:  maxElements,
			MaxMapPairs:       maxElements,
			IndefLength:       cbor.IndefLengthForbidden,
			TagsMd:            cbor.TagsForbidden,
			IntDec:            cbor.IntDecConvertSignedOrFail,
			DefaultMapType:    reflect.TypeFor[map[string]any](),
			FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
			NaN:               cbor.NaNDecodeForbidden,
			Inf:               cbor.InfDecodeForbidden,
		}
		change(&o)
		m, err := o.DecMode()
		if err != nil {
			panic(err) // a mistake above; every test would show it
		}
		return m
	}
	return cborModes{
		enc: enc,
		// A NaN deep in a frame is the fault of its request, which can be answered, and
		// not of the frame, which cannot.
		outer: dec(func(o *cbor.DecOptions) {
			o.NaN, o.Inf, o.IntDec = cbor.NaNDecodeAllowed, cbor.InfDecodeAllowed, cbor.IntDecConvertNone
		}),
		dec:    dec(func(*cbor.DecOptions) {}),
		strict: dec(func(o *cbor.DecOptions) { o.ExtraReturnErrors = cbor.ExtraDecErrorUnknownField }),
	}
}

// Major types of RFC 8949, section 3.1.
const (
	cborUint   = 0
	cborNegInt = 1
	cborBytes  = 2
	cborText   = 3
	cborArray  = 4
	cborMap    = 5
	cborSimple = 7
)

const cborNull = 0xf6

func (cborCodec) name() string   { return SubprotocolCBOR }
func (cborCodec) frameType() int { return websocket.BinaryMessage }

func (cborCodec) check(data []byte) error { return modes.outer.Wellformed(data) }

// cborHead reads the head of the item at data[i]: its major type, its argument
// and the index after the head.
func cborHead(data []byte, i int) (major byte, arg uint64, next int) {
	major, info := data[i]>>5, data[i]&31
	i++
	switch {
	case info < 24:
		return major, uint64(info), i
	case info == 24:
		return major, uint64(data[i]), i + 1
	case info == 25:
		return major, uint64(binary.BigEndian.Uint16(data[i:])), i + 2
	case info == 26:
		return major, uint64(binary.BigEndian.Uint32(data[i:])), i + 4
	default:
		return major, binary.BigEndian.Uint64(data[i:]), i + 8
	}
}

// cborItemEnd returns the index after the item at data[i]. It goes no deeper
// than check allows.
func cborItemEnd(data []byte, i int) int {
	major, arg, i := cborHead(data, i)
	switch major {
	case cborBytes, cborText:
		return i + int(arg)
	case cborArray:
		for range arg {
			i = cborItemEnd(data, i)
		}
	case cborMap:
		for range 2 * arg {
			i = cborItemEnd(data, i)
		}
	}
	return i
}

// cborString returns the bytes of the text or byte string at data[0].
func cborString(data []byte) []byte {
	_, n, i := cborHead(data, 0)
	return data[i : i+int(n)]
}

// cborEach calls f for each item of the array at data[0].
func cborEach(data []byte, f func(i int, item []byte)) {
	_, n, i := cborHead(data, 0)
	for k := range int(n) {
		end := cborItemEnd(data, i)
		f(k, data[i:end])
		i = end
	}
}

func (cborCodec) isArray(data []byte) bool { return data[0]>>5 == cborArray }

func (cborCodec) elements(data []byte) [][]byte {
	var all [][]byte
	cborEach(data, func(_ int, item []byte) { all = append(all, item) })
	return all
}

func (cborCodec) split(data []byte) (envelope, *Error) {
	var e envelope
	if data[0]>>5 != cborMap {
		return e, Errorf(CodeInvalidRequest, "a message must be a map or an array of maps")
	}
	var fault *Error
	version := ""
	wrong := func(format string, args ...any) {
		if fault == nil {
			fault = Errorf(CodeInvalidRequest, format, args...)
		}
	}
	_, n, i := cborHead(data, 0)
	for range n {
		nameEnd := cborItemEnd(data, i)
		end := cborItemEnd(data, nameEnd)
		name, v := data[i:nameEnd], data[nameEnd:end]
		i = end
		if name[0]>>5 != cborText {
			wrong("a member's name must be a text string")
			continue
		}
		switch string(cborString(name)) {
		case "jsonrpc":
			if v[0]>>5 == cborText {
				version = string(cborString(v))
			}
		case "id":
			if k := v[0] >> 5; k != cborUint && k != cborNegInt && k != cborText && v[0] != cborNull {
				wrong("id must be a text string, an integer or null")
				break
			}
			e.id = v
		case "method":
			if v[0]>>5 != cborText {
				wrong("method must be a text string")
				break
			}
			e.method, e.hasMethod = string(cborString(v)), true
		case "params":
			if k := v[0] >> 5; k != cborArray && k != cborMap && v[0] != cborNull {
				wrong("params must be a map or an array")
				break
			}
			e.params = v
		case "result":
			e.result = v
		case "error":
			e.err = v
		}
	}
	return e, checkEnvelope(&e, version, fault)
}

func (cborCodec) isNull(raw []byte) bool { return len(raw) > 0 && raw[0] == cborNull }

func (cborCodec) idKey(raw []byte) string {
	if len(raw) == 0 {
		return "n"
	}
	switch major, arg, _ := cborHead(raw, 0); major {
	case cborText:
		return "s" + string(cborString(raw))
	case cborUint:
		return "n" + strconv.FormatUint(arg, 10)
	case cborNegInt:
		return fmt.Sprintf("n-%d", arg) // the argument is -1 less the number; unique is enough
	}
	return "n"
}

func (cborCodec) idNumber(raw []byte) (uint64, bool) {
	if len(raw) == 0 {
		return 0, false
	}
	major, arg, _ := cborHead(raw, 0)
	return arg, major == cborUint
}

func (cborCodec) encode(buf *bytes.Buffer, v any) error { return modes.enc.MarshalToBuffer(v, buf) }

func cborAppendHead(buf *bytes.Buffer, major byte, arg uint64) {
	switch {
	case arg < 24:
		buf.WriteByte(major<<5 | byte(arg))
	case arg < 1<<8:
		buf.Write([]byte{major<<5 | 24, byte(arg)})
	case arg < 1<<16:
		buf.Write(binary.BigEndian.AppendUint16([]byte{major<<5 | 25}, uint16(arg)))
	case arg < 1<<32:
		buf.Write(binary.BigEndian.AppendUint32([]byte{major<<5 | 26}, uint32(arg)))
	default:
		buf.Write(binary.BigEndian.AppendUint64([]byte{major<<5 | 27}, arg))
	}
}

func cborAppendText(buf *bytes.Buffer, s string) {
	cborAppendHead(buf, cborText, uint64(len(s)))
	buf.WriteString(s)
}

func cborAppendStart(buf *bytes.Buffer, members uint64) {
	cborAppendHead(buf, cborMap, members)
	cborAppendText(buf, "jsonrpc")
	cborAppendText(buf, "2.0")
}

func (c cborCodec) appendRequest(buf *bytes.Buffer, id uint64, method string, params any) error {
	members := uint64(2)
	if id != 0 {
		members++
	}
	if params != nil {
		members++
	}
	cborAppendStart(buf, members)
	if id != 0 {
		cborAppendText(buf, "id")
		cborAppendHead(buf, cborUint, id)
	}
	cborAppendText(buf, "method")
	cborAppendText(buf, method)
	if params == nil {
		return nil
	}
	cborAppendText(buf, "params")
	at := buf.Len()
	if err := c.encode(buf, params); err != nil {
		return err
	}
	if b := buf.Bytes()[at]; b>>5 != cborArray && b>>5 != cborMap && b != cborNull {
		return errParamsKind
	}
	return nil
}

func (c cborCodec) appendResult(buf *bytes.Buffer, id []byte, result any) error {
	cborAppendStart(buf, 3)
	cborAppendText(buf, "id")
	buf.Write(id)
	cborAppendText(buf, "result")
	return c.encode(buf, result)
}

func (c cborCodec) appendError(buf *bytes.Buffer, id []byte, e *Error) error {
	if id == nil {
		id = []byte{cborNull}
	}
	cborAppendStart(buf, 3)
	cborAppendText(buf, "id")
	buf.Write(id)
	cborAppendText(buf, "error")
	return c.encode(buf, e)
}

func (cborCodec) appendBatch(buf *bytes.Buffer, answers [][]byte) {
	cborAppendHead(buf, cborArray, uint64(len(answers)))
	for _, a := range answers {
		buf.Write(a)
	}
}

func (cborCodec) decode(data []byte, v any) error { return modes.dec.Unmarshal(data, v) }

func (cborCodec) decodeAny(data []byte) (v any, err error) {
	err = modes.outer.Unmarshal(data, &v)
	return v, err
}

func (cborCodec) decodeStrict(data []byte, v any, s *shape) error {
	if s.open {
		return modes.dec.Unmarshal(data, v)
	}
	return modes.strict.Unmarshal(data, v)
}
