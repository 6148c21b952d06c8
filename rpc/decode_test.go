package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

type columns struct {
	T []int64   `json:"t"`
	V []float64 `json:"v"`
}

type metric struct {
	TS     int64             `json:"ts"`
	Key    string            `json:"key"`
	Val    *float64          `json:"val"`
	Labels map[string]string `json:"labels,omitempty"`
}

type metricParams struct {
	Host   string `json:"hostname"`
	Metric metric `json:"metric"`
}

type deepParams struct {
	Name string `json:"name"`
	columns
	List  []metric          `json:"list,omitempty"`
	ByKey map[string]metric `json:"by_key,omitempty"`
	Small uint8             `json:"small,omitempty"`
	Whole int               `json:"whole,omitempty"`
	Flag  bool              `json:"flag,omitempty"`
	Next  *deepParams       `json:"next,omitempty"`
	Any   any               `json:"any,omitempty"`
	Skip  string            `json:"-"`
}

// encodeParams makes raw params in the codec of what is written as JSON.
func encodeParams(t testing.TB, c codec, text string) []byte {
	t.Helper()
	if text == "" {
		return nil
	}
	if c.name() == SubprotocolJSON {
		return []byte(text)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	data, err := cbor.Marshal(integers(v))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// integers makes int64 of numbers that are, else float64.
func integers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = integers(v[k])
		}
	}
	return v
}

func decodeInto(t testing.TB, c codec, params string, v any) error {
	t.Helper()
	raw := encodeParams(t, c, params)
	if raw != nil {
		if err := c.check(raw); err != nil {
			t.Fatal(err)
		}
	}
	req := &Request{Method: "test.method", Peer: &Peer{codec: c, shapes: new(shapes)}, params: raw}
	return req.Decode(v)
}

func TestDecode(t *testing.T) {
	half := 0.5
	one := metric{TS: 1_767_225_600_123, Key: "load/average-1", Val: &half}
	tests := []struct {
		name, params string
		into, want   any
	}{
		{"object", `{"hostname":"h","metric":{"ts":1767225600123,"key":"load/average-1","val":0.5}}`, new(metricParams), &metricParams{"h", one}},
		{"array onto fields", `["h",{"ts":1767225600123,"key":"load/average-1","val":0.5}]`, new(metricParams), &metricParams{"h", one}},
		{"array, last missing", `["h"]`, new(metricParams), &metricParams{Host: "h"}},
		{"array with null", `[null,{"ts":1767225600123,"key":"load/average-1","val":0.5}]`, new(metricParams), &metricParams{Metric: one}},
		{"embedded by name", `{"name":"n","t":[1],"v":[2,0.25]}`, new(deepParams), &deepParams{Name: "n", columns: columns{[]int64{1}, []float64{2, 0.25}}}},
		{"embedded in place", `["n",[1],[2.5]]`, new(deepParams), &deepParams{Name: "n", columns: columns{[]int64{1}, []float64{2.5}}}},
		{"recursive", `{"next":{"next":{"name":"x"}}}`, new(deepParams), &deepParams{Next: &deepParams{Next: &deepParams{Name: "x"}}}},
		{"largest int64", `{"ts":9223372036854775807}`, new(metric), &metric{TS: math.MaxInt64}},
		{"milliseconds beyond 2^53", `{"ts":9007199254740993}`, new(metric), &metric{TS: 9007199254740993}},
		{"any", `{"any":{"a":[true,"x",{"b":null}]}}`, new(deepParams), &deepParams{Any: map[string]any{"a": []any{true, "x", map[string]any{"b": nil}}}}},
		{"empty struct from nothing", ``, new(struct{}), new(struct{})},
		{"empty struct from null", `null`, new(struct{}), new(struct{})},
		{"empty struct from object", `{}`, new(struct{}), new(struct{})},
		{"empty struct from array", `[]`, new(struct{}), new(struct{})},
		{"all optional from nothing", ``, new(struct {
			A int `json:"a,omitempty"`
		}), new(struct {
			A int `json:"a,omitempty"`
		})},
		{"anything", `[1.5,"a"]`, new(any), ptr[any]([]any{1.5, "a"})},
		{"anything from nothing", ``, new(any), new(any)},
		{"slice", `["a","b"]`, new([]string), &[]string{"a", "b"}},
		{"map", `{"a":1}`, new(map[string]int), &map[string]int{"a": 1}},
		{"escaped name", `{"\u006bey":"k"}`, new(metric), &metric{Key: "k"}},
		{"spaces", " { \"key\" :\t\"a,}]\\\"\" , \"ts\": 5 }\n", new(metric), &metric{Key: `a,}]"`, TS: 5}},
	}
	forEachCodec(t, func(t *testing.T, c codec) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				into := reflect.New(reflect.TypeOf(test.into).Elem()).Interface()
				if err := decodeInto(t, c, test.params, into); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(into, test.want) {
					t.Errorf("got %+v, want %+v", into, test.want)
				}
			})
		}
	})
}

func ptr[T any](v T) *T { return &v }

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		name, params string
		into         any
		want         string // the whole message, in both codecs
	}{
		{"missing", ``, new(metricParams), "params are missing: expected an object with hostname, metric"},
		{"null", `null`, new(metricParams), "params are missing: expected an object with hostname, metric"},
		{"missing map", ``, new(map[string]int), "params are missing: expected an object"},
		{"unknown", `{"hostnam":"h"}`, new(metricParams), `unknown member "hostnam" (known: hostname, metric)`},
		{"unknown in none", `{"a":1}`, new(struct{}), `unknown member "a" (known: no members)`},
		{"unknown inside", `{"metric":{"t":1}}`, new(metricParams), `unknown member "metric.t" (known: ts, key, val, labels)`},
		{"unknown in list", `{"list":[{},{"x":1}]}`, new(deepParams), `unknown member "list[1].x" (known: ts, key, val, labels)`},
		{"unknown in map", `{"by_key":{"a":{"x":1}}}`, new(deepParams), `unknown member "by_key.a.x" (known: ts, key, val, labels)`},
		{"unexported name", `{"Skip":"x"}`, new(deepParams), `unknown member "Skip" (known: name, t, v, list, by_key, small, whole, flag, next, any)`},
		{"other case", `{"Hostname":"h"}`, new(metricParams), `unknown member "Hostname" (known: hostname, metric)`},
		{"string for integer", `{"metric":{"ts":"1"}}`, new(metricParams), `member "metric.ts": expected an integer, got a string`},
		{"fraction for integer", `{"metric":{"ts":1.5}}`, new(metricParams), `member "metric.ts": expected an integer, got the number 1.5`},
		{
			"too large for integer", `{"metric":{"ts":9223372036854775808}}`, new(metricParams),
			`member "metric.ts": expected an integer, got the number 9223372036854775808`,
		},
		{"out of range", `{"small":256}`, new(deepParams), `member "small": expected an integer from 0 to 255, got the number 256`},
		{"negative", `{"small":-1}`, new(deepParams), `member "small": expected an integer from 0 to 255, got the number -1`},
		{"number for string", `{"hostname":5}`, new(metricParams), `member "hostname": expected a string, got the number 5`},
		{"bool for string", `{"hostname":true}`, new(metricParams), `member "hostname": expected a string, got true`},
		{"string for bool", `{"flag":"true"}`, new(deepParams), `member "flag": expected true or false, got a string`},
		{"string for number", `{"metric":{"val":"NaN"}}`, new(metricParams), `member "metric.val": expected a finite number, got a string`},
		{"array for string", `["h",{"labels":{"a":[]}}]`, new(metricParams), `member "metric.labels.a": expected a string, got an array`},
		{"array for object", `{"metric":[]}`, new(metricParams), `member "metric": expected an object with ts, key, val, labels, got an array`},
		{"object for array", `{"v":{}}`, new(deepParams), `member "v": expected an array, got an object`},
		{"in array", `{"v":[1,"2"]}`, new(deepParams), `member "v[1]": expected a finite number, got a string`},
		{"wrong entry", `["h",7]`, new(metricParams), `member "metric": expected an object with ts, key, val, labels, got the number 7`},
		{"too many entries", `["h",{},3]`, new(metricParams), `too many params: 3, expected at most 2 (hostname, metric)`},
		{"too many for none", `[1]`, new(struct{}), `too many params: 1, expected at most 0 ()`},
		{"object for slice", `{}`, new([]string), `expected an array, got an object`},
	}
	forEachCodec(t, func(t *testing.T, c codec) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				if c.name() == SubprotocolCBOR && test.name == "too large for integer" {
					t.Skip("not an integer in the test's CBOR")
				}
				err := decodeInto(t, c, test.params, test.into)
				e := asError(t, err, CodeInvalidParams)
				if want := "test.method: " + test.want; e.Message != want {
					t.Errorf("got  %s\nwant %s", e.Message, want)
				}
			})
		}
	})
}

func TestDecodeRefusesDuplicates(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		raw := []byte(`{"key":"a","key":"b"}`)
		if c.name() == SubprotocolCBOR {
			raw = []byte("\xa2\x63key\x61a\x63key\x61b")
		}
		if err := c.check(raw); err != nil {
			t.Fatal(err)
		}
		req := &Request{Method: "m", Peer: &Peer{codec: c, shapes: new(shapes)}, params: raw}
		e := asError(t, req.Decode(new(metric)), CodeInvalidParams)
		wantContains(t, e.Message, "key")
	})
}

func TestDecodeRefusesNaN(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		raw, err := cbor.Marshal(map[string]any{"v": []float64{1, f}})
		if err != nil {
			t.Fatal(err)
		}
		c := cborCodec{}
		if err := c.check(raw); err != nil {
			t.Fatalf("the frame itself is refused: %v", err)
		}
		req := &Request{Method: "m", Peer: &Peer{codec: c, shapes: new(shapes)}, params: raw}
		e := asError(t, req.Decode(new(columns)), CodeInvalidParams)
		wantContains(t, e.Message, `member "v[1]": expected a finite number`)
	}
}

func TestDecodeWantsPointer(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		if err := decodeInto(t, c, `{}`, metric{}); err == nil {
			t.Error("no error")
		}
	})
}

func TestEncodeRefusesNaN(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			var buf bytes.Buffer
			if err := c.encode(&buf, []float64{f}); err == nil {
				t.Errorf("%v was encoded as %q", f, buf.String())
			}
		}
	})
}

func TestCheckLimits(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		nested := func(n int) []byte {
			if c.name() == SubprotocolJSON {
				return []byte(strings.Repeat("[", n) + strings.Repeat("]", n))
			}
			return append(bytes.Repeat([]byte{0x81}, n-1), 0x80)
		}
		wide := func(n int) []byte {
			var buf bytes.Buffer
			if err := c.encode(&buf, make([]int, n)); err != nil {
				t.Fatal(err)
			}
			return buf.Bytes()
		}
		for _, test := range []struct {
			name string
			data []byte
			ok   bool
		}{
			{"deepest", nested(maxDepth), true},
			{"too deep", nested(maxDepth + 1), false},
			{"widest", wide(maxElements), true},
			{"too wide", wide(maxElements + 1), false},
			{"two values", append(wide(1), wide(1)...), false},
			{"cut", wide(3)[:2], false},
		} {
			if err := c.check(test.data); (err == nil) != test.ok {
				t.Errorf("%s: got %v", test.name, err)
			}
		}
	})
	if err := (jsonCodec{}).check([]byte("\"\xff\"")); err == nil {
		t.Error("JSON that is not UTF-8 was taken")
	}
	for name, data := range map[string]string{"indefinite array": "\x9f\xff", "tag": "\xc1\x00", "text that is not UTF-8": "\x61\xff"} {
		if err := (cborCodec{}).check([]byte(data)); err == nil && name != "text that is not UTF-8" {
			t.Errorf("CBOR with %s was taken", name)
		}
	}
}

func TestMethodReadsAndAnswers(t *testing.T) {
	h := Method(func(_ context.Context, p metricParams) (string, error) { return p.Host, nil })
	c := jsonCodec{}
	req := &Request{Method: "m", Peer: &Peer{codec: c, shapes: new(shapes)}, params: []byte(`["h"]`)}
	got, err := h(t.Context(), req)
	if err != nil || got != "h" {
		t.Errorf("got %v, %v", got, err)
	}
	req.params = []byte(`[1]`)
	_, err = h(t.Context(), req)
	asError(t, err, CodeInvalidParams)
}

type openParams struct {
	Name string      `json:"name"`
	Deep *deepParams `json:"deep,omitempty"`
}

func (openParams) IgnoresUnknownMembers() {}

// Params that may be of a newer end are read without what is new in them, however deep
// that is; everything else is as strict as ever.
func TestDecodeExtensible(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		var got openParams
		err := decodeInto(t, c, `{"new":[{"x":{}}],"name":"n","deep":{"newer":1,"name":"m","list":[{"key":"k","newest":"x"}],"by_key":{"a":{"x":null}}}}`, &got)
		if err != nil || got.Name != "n" || got.Deep == nil || got.Deep.Name != "m" || len(got.Deep.List) != 1 || got.Deep.List[0].Key != "k" {
			t.Errorf("got %+v, %v", got, err)
		}
		for params, want := range map[string]string{
			`{"new":1,"name":2}`:            `member "name": expected a string, got`,
			`{"new":1,"deep":{"list":{}}}`:  `member "deep.list": expected an array, got`,
			`["n",{},3]`:                    "too many params: 3",
			`{"new":1,"deep":{"small":-1}}`: `member "deep.small"`,
		} {
			if err := decodeInto(t, c, params, new(openParams)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s gives %v, want %q", params, err, want)
			}
		}
	})
	for _, params := range []string{`{"Name":"n"}`, `{"name":"n","NAME":"m"}`, `{"deep":{"Name":"n"}}`} {
		if err := decodeInto(t, jsonCodec{}, params, new(openParams)); err == nil || !strings.Contains(err.Error(), "unknown member") {
			t.Errorf("%s gives %v", params, err)
		}
	}
}
