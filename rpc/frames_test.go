package rpc

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// TestJSONRPC holds the peer to the examples of the JSON-RPC 2.0 specification
// and to what it leaves open. An answer of "" means that none may come: the
// next request is answered next.
func TestJSONRPC(t *testing.T) {
	deep := strings.Repeat("[", 33) + strings.Repeat("]", 33)
	tests := []struct{ name, send, want string }{
		{"named", `{"jsonrpc":"2.0","id":1,"method":"test.sum","params":{"a":1,"b":2}}`, `{"jsonrpc":"2.0","id":1,"result":3}`},
		{"positional", `{"jsonrpc":"2.0","id":1,"method":"test.sum","params":[1,2]}`, `{"jsonrpc":"2.0","id":1,"result":3}`},
		{"any order, spaces", " {\n\"params\" : [1,2], \"method\" : \"test.sum\" ,\"id\":1 , \"jsonrpc\":\"2.0\"} ", `{"jsonrpc":"2.0","id":1,"result":3}`},
		{"unknown member", `{"jsonrpc":"2.0","id":1,"method":"test.sum","params":[1,2],"meta":{"x":[1]}}`, `{"jsonrpc":"2.0","id":1,"result":3}`},
		{"string id", `{"jsonrpc":"2.0","id":"a\"b","method":"test.sum","params":[1,2]}`, `{"jsonrpc":"2.0","id":"a\"b","result":3}`},
		{"number id", `{"jsonrpc":"2.0","id":-1.5e3,"method":"test.sum","params":[1,2]}`, `{"jsonrpc":"2.0","id":-1.5e3,"result":3}`},
		{"null id", `{"jsonrpc":"2.0","id":null,"method":"test.sum","params":[1,2]}`, `{"jsonrpc":"2.0","id":null,"result":3}`},
		{"null params", `{"jsonrpc":"2.0","id":1,"method":"test.nothing","params":null}`, `{"jsonrpc":"2.0","id":1,"result":null}`},
		{"notification", `{"jsonrpc":"2.0","method":"test.sum","params":[1,2]}`, ``},
		{"unknown notification", `{"jsonrpc":"2.0","method":"test.none"}`, ``},
		{
			"unknown method", `{"jsonrpc":"2.0","id":1,"method":"test.none"}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"there is no method \"test.none\""}}`,
		},
		{
			"not JSON", `{"jsonrpc":"2.0","method":"foobar,"params":"bar","baz]`,
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"cannot read the frame: invalid character 'p' after object key:value pair at byte 36"}}`,
		},
		{"empty", ``, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the frame is empty"}}`},
		{"blank", ` `, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"cannot read the frame: unexpected end of JSON input at byte 1"}}`},
		{"too deep", deep, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"cannot read the frame: values are nested deeper than 32"}}`},
		{"number", `5`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a message must be an object or an array of objects"}}`},
		{
			"method not a string", `{"jsonrpc":"2.0","id":1,"method":1,"params":"bar"}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"method must be a string"}}`,
		},
		{
			"params not structured", `{"jsonrpc":"2.0","id":1,"method":"test.sum","params":"bar"}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"params must be an object or an array"}}`,
		},
		{
			"id not allowed", `{"jsonrpc":"2.0","id":{},"method":"test.sum"}`,
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"id must be a string, a number or null"}}`,
		},
		{"no version", `{"id":1,"method":"test.sum"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"jsonrpc must be \"2.0\""}}`},
		{"no method", `{"jsonrpc":"2.0","id":1}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"method is missing"}}`},
		{"unknown answer", `{"jsonrpc":"2.0","id":99,"result":5}`, ``},
		{"unknown error", `{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}`, ``},
		{"malformed answer", `{"id":99,"result":5}`, ``},
		{"cancel of nothing", `{"jsonrpc":"2.0","method":"$/cancel","params":{"id":5}}`, ``},
		{"malformed cancel", `{"jsonrpc":"2.0","method":"$/cancel","params":[5]}`, ``},
		{"malformed cancel", `{"jsonrpc":"2.0","method":"$/cancel"}`, ``},

		{"empty batch", `[]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the batch is empty"}}`},
		{"batch of rubbish", `[1,2]`, `[{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a message must be an object or an array of objects"}},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a message must be an object or an array of objects"}}]`},
		{"batch", `[{"jsonrpc":"2.0","id":1,"method":"test.sumInOrder","params":[1,2]},{"jsonrpc":"2.0","method":"test.sum","params":[1,2]},{"foo":1},{"jsonrpc":"2.0","id":"2","method":"test.none"}]`, `[{"jsonrpc":"2.0","id":1,"result":3},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"jsonrpc must be \"2.0\""}},{"jsonrpc":"2.0","id":"2","error":{"code":-32601,"message":"there is no method \"test.none\""}}]`},
		{"batch of notifications", `[{"jsonrpc":"2.0","method":"test.sum","params":[1,2]},{"jsonrpc":"2.0","method":"test.sumInOrder","params":[1,2]}]`, ``},
		{
			"batch too long", "[" + strings.Repeat("1,", 100) + "1]",
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the batch has 101 messages, at most 100 are taken"}}`,
		},
	}
	r := dialRaw(t, serve(t, &Server{Handler: testMux()}), jsonCodec{})
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r.t = t
			r.send(test.send)
			want := test.want
			if want == "" {
				r.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":"next %d","method":"test.nothing"}`, i))
				want = fmt.Sprintf(`{"jsonrpc":"2.0","id":"next %d","result":null}`, i)
			}
			_, got, err := r.ws.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				t.Errorf("sent %s\ngot  %s\nwant %s", test.send, got, want)
			}
		})
	}
}

// TestCBORMessages does the same for what CBOR can do wrong in its own way.
func TestCBORMessages(t *testing.T) {
	head := "\xa4\x67jsonrpc\x632.0\x62id\x01\x66method\x68test.sum\x66params"
	tests := []struct {
		name, send string
		code       int // 0 is a result
	}{
		{"array", head + "\x82\x01\x02", 0},
		{"map", head + "\xa2\x61a\x01\x61b\x02", 0},
		{"number params", head + "\x05", CodeInvalidRequest},
		{"fraction", head + "\x82\xf9\x3e\x00\x02", CodeInvalidParams},
		{"NaN", head + "\x82\xf9\x7e\x00\x02", CodeInvalidParams},
		{"byte string member", head + "\xa1\x41a\x01", CodeInvalidParams},
		{"cut", head[:20], CodeParse},
		{"trailing", head + "\x82\x01\x02\x00", CodeParse},
		{"indefinite", head + "\x9f\x01\x02\xff", CodeParse},
		{"tag", head + "\xc1\x82\x01\x02", CodeParse},
		{"too deep", strings.Repeat("\x81", 33) + "\x00", CodeParse},
		{"huge array", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", CodeParse},
		{"huge string", "\x7b\x7f\xff\xff\xff\xff\xff\xff\xff", CodeParse},
		{"number", "\x05", CodeInvalidRequest},
		{"id a float", "\xa1\x62id\xf9\x3e\x00", CodeInvalidRequest},
		{"member name a number", "\xa1\x01\x02", CodeInvalidRequest},
		{"method a number", "\xa2\x67jsonrpc\x632.0\x66method\x01", CodeInvalidRequest},
		{"empty batch", "\x80", CodeInvalidRequest},
	}
	r := dialRaw(t, serve(t, &Server{Handler: testMux()}), cborCodec{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r.t = t
			r.send(test.send)
			got := r.receive()
			switch {
			case test.code == 0 && (got.Error != nil || got.Result != int64(3)):
				t.Errorf("got %+v", got)
			case test.code != 0 && (got.Error == nil || got.Error.Code != test.code):
				t.Errorf("got %+v %v, want code %d", got, got.Error, test.code)
			}
		})
	}
	r.send([]map[string]any{
		{"jsonrpc": "2.0", "id": "a", "method": "test.sumInOrder", "params": []int{1, 2}},
		{"jsonrpc": "2.0", "id": nil, "method": "test.sum", "params": []int{3, 4}},
	})
	var batch []reply
	r.receiveInto(&batch)
	if got := fmt.Sprint(batch); got != "[{2.0 a 3 <nil>} {2.0 <nil> 7 <nil>}]" {
		t.Errorf("the batch is answered with %s", got)
	}
}

func TestDuplicateID(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		r := dialRaw(t, serve(t, &Server{Handler: testMux()}), c)
		r.send(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "test.wait"})
		r.send(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "test.wait"})
		if got := r.receive(); got.Error == nil || got.Error.Code != CodeInvalidRequest {
			t.Errorf("got %+v", got)
		}
	})
}

// TestIDUsedAgain: an id is free as soon as its answer is there.
func TestIDUsedAgain(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		r := dialRaw(t, serve(t, &Server{Handler: testMux()}), c)
		for range 1000 {
			r.send(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "test.nothing"})
			if got := r.receive(); got.Error != nil {
				t.Fatal(got.Error)
			}
		}
	})
}

// TestBatchTooLarge: answers that are too large together come one by one.
func TestBatchTooLarge(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		r := dialRaw(t, serve(t, &Server{Handler: testMux(), Options: Options{MaxFrameBytes: 1000}}), c)
		var batch []any
		for i := range 2 {
			batch = append(batch, map[string]any{"jsonrpc": "2.0", "id": i, "method": "test.repeat", "params": []int{500}})
		}
		batch = append(batch, map[string]any{"jsonrpc": "2.0", "id": 2, "method": "test.large"})
		r.send(batch)
		seen := map[string]bool{}
		for range 3 {
			got := r.receive()
			seen[fmt.Sprint(got.ID, got.Error == nil)] = true
		}
		for _, want := range []string{"0 true", "1 true", "2 false"} {
			if !seen[want] {
				t.Errorf("got %v, want %s", seen, want)
			}
		}
	})
}

func TestFrameOfOtherType(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		r := dialRaw(t, serve(t, &Server{Handler: testMux()}), c)
		other := websocket.TextMessage + websocket.BinaryMessage - c.frameType()
		if err := r.ws.WriteMessage(other, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		ce := r.receiveClose()
		if ce.Code != CloseUnsupportedData {
			t.Errorf("got %v", ce)
		}
		wantContains(t, ce.Text, c.name())
	})
}

func TestFrameLimit(t *testing.T) {
	const limit = 10_000
	m := NewMux()
	m.Handle("test.len", Method(func(_ context.Context, p [1]string) (int, error) { return len(p[0]), nil }))
	forEachCodec(t, func(t *testing.T, c codec) {
		url := serve(t, &Server{Handler: m, Options: Options{MaxFrameBytes: limit, Compression: true}})
		message := func(size int) []byte {
			var buf bytes.Buffer
			if err := c.appendRequest(&buf, 1, "test.len", [1]string{strings.Repeat("x", size)}); err != nil {
				t.Fatal(err)
			}
			return buf.Bytes()
		}
		overhead := len(message(5000)) - 5000
		r := dialRaw(t, url, c)
		r.send(string(message(limit - overhead)))
		if got := r.receive(); got.Error != nil {
			t.Fatalf("a message of just the limit is refused: %v", got.Error)
		}
		r.send(string(message(limit - overhead + 1)))
		ce := r.receiveClose()
		if ce.Code != CloseTooBig {
			t.Errorf("got %v", ce)
		}
		wantContains(t, ce.Text, "at most 10000 bytes")

		// Far more than the socket holds: the close frame must still arrive.
		r = dialRaw(t, url, c)
		go func() { _ = r.ws.WriteMessage(c.frameType(), make([]byte, 16<<20)) }()
		if ce := r.receiveClose(); ce.Code != CloseTooBig {
			t.Errorf("got %v", ce)
		}
	})
}

// TestReadLimit: little for those who have not logged in, all for those who
// have.
func TestReadLimit(t *testing.T) {
	m := testMux()
	m.HandleInOrder("test.login", func(_ context.Context, req *Request) (any, error) {
		req.Peer.SetReadLimit(0)
		return nil, nil
	})
	url := serve(t, &Server{Handler: m, OnConnect: func(p *Peer) { p.SetReadLimit(1000) }})
	large := map[string]any{"jsonrpc": "2.0", "id": 1, "method": "test.nothing", "params": []any{}, "pad": strings.Repeat("x", 1000)}
	forEachCodec(t, func(t *testing.T, c codec) {
		r := dialRaw(t, url, c)
		r.send(large)
		if ce := r.receiveClose(); ce.Code != CloseTooBig {
			t.Errorf("got %v", ce)
		}
		r = dialRaw(t, url, c)
		r.send(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "test.login"})
		r.send(large)
		for range 2 {
			if got := r.receive(); got.Error != nil {
				t.Error(got.Error)
			}
		}
	})
}

// TestCompressedLimit: the limit counts bytes after decompression.
func TestCompressedLimit(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		url := serve(t, &Server{Handler: testMux(), Options: Options{MaxFrameBytes: 100_000, Compression: true}})
		d := websocket.Dialer{Subprotocols: []string{c.name()}, EnableCompression: true}
		ws, _, err := d.DialContext(testContext(t), "ws"+strings.TrimPrefix(url, "http")+DefaultPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Close()
		r := &raw{t, ws, c}
		if err := ws.WriteMessage(c.frameType(), make([]byte, 8<<20)); err != nil {
			t.Fatal(err)
		}
		if ce := r.receiveClose(); ce.Code != CloseTooBig {
			t.Errorf("got %v", ce)
		}
	})
}

func TestCompression(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		url := serve(t, &Server{Handler: testMux(), Options: Options{Compression: true}})
		p := dial(t, url, DialOptions{Codec: c.name(), Options: Options{Compression: true}})
		for _, n := range []int{10, 100_000, 3 << 20} {
			want := strings.Repeat("ab", n/2)
			var got [1]string
			if err := p.Call(testContext(t), "test.echo", [1]string{want}, &got); err != nil || got[0] != want {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	})
}

func TestProtocolError(t *testing.T) {
	gone := make(chan error, 1)
	s := &Server{Handler: testMux(), OnDisconnect: func(_ *Peer, err error) { gone <- err }}
	r := dialRaw(t, serve(t, s), jsonCodec{})
	if _, err := r.ws.NetConn().Write([]byte{0xf1, 0x80, 0, 0, 0, 0}); err != nil { // reserved bits
		t.Fatal(err)
	}
	if ce := r.receiveClose(); ce.Code != CloseProtocolError {
		t.Errorf("got %v", ce)
	}
	wantContains(t, (<-gone).Error(), "RSV1")
}
