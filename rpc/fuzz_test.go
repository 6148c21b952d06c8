package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// offlinePeer handles frames and has no socket. All its methods are in order.
func offlinePeer(c codec) *Peer {
	m := NewMux()
	m.HandleInOrder("m", Method(func(_ context.Context, p deepParams) (deepParams, error) { return p, nil }))
	m.HandleInOrder("any", Method(func(_ context.Context, p any) (any, error) { return p, nil }))
	o := Options{QueueMessages: 1000}.withDefaults()
	return &Peer{
		codec: c, handler: m, inOrder: m.InOrder, opts: o, log: slog.New(slog.DiscardHandler), shapes: new(shapes),
		queue: newQueue(o), ctx: context.Background(), cancel: func(error) {}, down: make(chan struct{}),
	}
}

// fuzzFrame handles data as a frame. Whatever it is, what is answered must be
// well-formed and have an id.
func fuzzFrame(t *testing.T, c codec, data []byte) {
	p := offlinePeer(c)
	before := bytes.Clone(data)
	p.handleFrame(data)
	if !bytes.Equal(before, data) {
		t.Fatalf("the frame was changed to %q", data)
	}
	for {
		m, ok := p.queue.take()
		if !ok {
			return
		}
		if err := c.check(m.data); err != nil {
			t.Fatalf("answered %q: %v", m.data, err)
		}
		answers := [][]byte{m.data}
		if c.isArray(m.data) {
			answers = c.elements(m.data)
		}
		for _, a := range answers {
			if e, fault := c.split(a); fault != nil || e.id == nil || !e.isAnswer() {
				t.Fatalf("answered %q: %v", a, fault)
			}
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{
		``, ` `, `{}`, `[]`, `[1]`, `[[[]]]`, `null`, `"a"`, `-1e9`, `{"a":{"b":[1,"]",{"c":"\""}]}}`,
		`{"jsonrpc":"2.0","id":1,"method":"m","params":["n",[1],[0.5]]}`,
		`{"jsonrpc":"2.0","id":"\u0061","method":"any","params":{"a":[{}]}}`,
		`[{"jsonrpc":"2.0","id":1,"method":"any","params":[1]},{"jsonrpc":"2.0","method":"m"},5]`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"x","data":[1]}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"x":[]}}`, `{"jsonrpc":"2.0","method":"$/cancel","params":{"id":"a"}}`,
	} {
		f.Add([]byte(s))
	}
	c := jsonCodec{}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzFrame(t, c, data)
		if len(data) == 0 || c.check(data) != nil {
			return
		}
		// Taking apart by hand agrees with the library.
		var list []json.RawMessage
		if c.isArray(data) != (json.Unmarshal(data, &list) == nil && list != nil) {
			t.Fatalf("isArray(%q) is %v", data, c.isArray(data))
		}
		if c.isArray(data) {
			all := c.elements(data)
			if len(all) != len(list) {
				t.Fatalf("%d elements, want %d", len(all), len(list))
			}
			for i := range all {
				if !bytes.Equal(all[i], list[i]) {
					t.Fatalf("element %d is %q, want %q", i, all[i], list[i])
				}
			}
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(data, &want) != nil || want == nil {
			return
		}
		got := map[string]json.RawMessage{}
		jsonMembers(data[jsonSpaceEnd(data, 0):], func(name, v []byte) bool {
			got[jsonText(name)] = v
			return true
		})
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: members are %q, want %q", data, got, want)
		}
	})
}

func FuzzDecodeCBOR(f *testing.F) {
	for _, v := range []any{
		map[string]any{},
		[]any{},
		nil, "a", -5, 1.5, true, []byte("x"), uint64(1) << 63,
		map[string]any{"jsonrpc": "2.0", "id": 1, "method": "m", "params": []any{"n", []int{1}, []float64{0.5}}},
		map[string]any{"jsonrpc": "2.0", "id": "a", "method": "any", "params": map[string]any{"a": []any{nil}}},
		[]any{map[string]any{"jsonrpc": "2.0", "id": 1, "method": "any", "params": []int{1}}, 5},
		map[string]any{"jsonrpc": "2.0", "id": 1, "error": map[string]any{"code": 1, "message": "x"}},
		map[string]any{"jsonrpc": "2.0", "method": "$/cancel", "params": map[string]any{"id": -1}},
	} {
		data, err := cbor.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x9f\xff"))
	f.Add([]byte("\xc1\x00"))
	c := cborCodec{}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzFrame(t, c, data)
		if len(data) == 0 || c.check(data) != nil {
			return
		}
		if end := cborItemEnd(data, 0); end != len(data) {
			t.Fatalf("%x: the item ends at %d", data, end)
		}
		var list []cbor.RawMessage
		if c.isArray(data) {
			if err := modes.outer.Unmarshal(data, &list); err != nil {
				t.Fatalf("%x: %v", data, err)
			}
			all := c.elements(data)
			if len(all) != len(list) {
				t.Fatalf("%d elements, want %d", len(all), len(list))
			}
			for i := range all {
				if !bytes.Equal(all[i], list[i]) {
					t.Fatalf("element %d is %x, want %x", i, all[i], list[i])
				}
			}
		}
	})
}

// FuzzRequestDecode reads any params into structs of every sort. It fails with
// an *Error for the caller or not at all, and what it takes of JSON it takes as
// the library does.
func FuzzRequestDecode(f *testing.F) {
	for _, s := range []string{
		`null`, `{}`, `[]`, `["n",[1],[0.5],[{"ts":1,"key":"k","val":2,"labels":{"a":"b"}}],{"k":{"ts":5}},7,8,true,{"next":null},[{}]]`,
		`{"name":"n","t":[1],"v":[2],"list":[{}],"by_key":{"a":{}},"small":255,"whole":-1,"flag":false,"next":{},"any":[null]}`,
		`{"small":256}`, `{"t":[1.5]}`, `{"Name":1}`, `{"name":"a","name":"b"}`, `{"v":[1e999]}`, `{"list":[{"val":"x"}]}`,
	} {
		f.Add(true, []byte(s))
		f.Add(false, encodeParams(f, cborCodec{}, s))
	}
	f.Fuzz(func(t *testing.T, isJSON bool, data []byte) {
		var c codec = cborCodec{}
		if isJSON {
			c = jsonCodec{}
		}
		if len(data) == 0 || c.check(data) != nil {
			return
		}
		p := offlinePeer(c)
		for _, into := range []any{
			new(deepParams), new(metricParams), new(columns), new(struct{}), new(any), new([]metric), new(map[string]*deepParams),
			new(**metric),
		} {
			req := &Request{Method: "m", Peer: p, params: bytes.TrimSpace(data)}
			if !isJSON {
				req.params = data
			}
			err := req.Decode(into)
			if err != nil {
				if re, ok := errors.AsType[*Error](err); !ok || re.Code != CodeInvalidParams {
					t.Fatalf("%T: %v", into, err)
				}
				continue
			}
			if !isJSON || c.isArray(data) {
				continue
			}
			want := reflect.New(reflect.TypeOf(into).Elem()).Interface()
			if err := json.Unmarshal(data, want); err != nil || !reflect.DeepEqual(into, want) {
				t.Fatalf("%q into %T: got %+v, want %+v, %v", data, into, into, want, err)
			}
		}
	})
}
