package config

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestWriteYAML(t *testing.T) {
	var out bytes.Buffer
	err := WriteYAML(&out, []struct {
		Host  string            `json:"host"`
		Times []int64           `json:"times"`
		None  []string          `json:"none"`
		Text  map[string]string `json:"text"`
	}{{"web-1", []int64{1767225600000}, []string{}, map[string]string{"a": "true", "b": "two\nlines\n", "c": "plain"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `- host: web-1
  times:
    - 1767225600000
  none: []
  text:
    a: "true"
    b: |
      two
      lines
    c: plain
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

// Any value is read as it was written.
func TestWriteYAMLOfAnything(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		value := anything(r, 4)
		var out bytes.Buffer
		if err := WriteYAML(&out, value); err != nil {
			t.Fatalf("seed %d: %#v: %v", seed, value, err)
		}
		var got any
		if err := yaml.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("seed %d: %#v is written as\n%s\nwhich is no YAML: %v", seed, value, out.String(), err)
		}
		if a, b := viaJSON(t, value), viaJSON(t, got); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d: %#v is written as\n%s\nand read as %#v", seed, a, out.String(), b)
		}
	}
}

// viaJSON gives both sides the same types.
func viaJSON(t *testing.T, v any) (same any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &same)
	}
	if err != nil {
		t.Fatal(err)
	}
	return same
}

func anything(r *rand.Rand, depth int) any {
	words := []string{
		"a", "", " ", "\n", "\t", "true", "null", "~", "1", "1e3", "0x1f", "#", ":", "- ", "'", "\"", "é", "→", "\u2028", "\x01", "2026-01-02",
		"<", "?", "|", "%", "@", "\r", "---", "😀", "yes", "\u0085", "\ufeff",
	}
	text := func() string {
		var b strings.Builder
		for range r.IntN(4) {
			b.WriteString(words[r.IntN(len(words))])
		}
		return b.String()
	}
	switch n := r.IntN(8); {
	case n == 0 && depth > 0:
		list := []any{}
		for range r.IntN(4) {
			list = append(list, anything(r, depth-1))
		}
		return list
	case n == 1 && depth > 0:
		object := map[string]any{}
		for range r.IntN(4) {
			object[text()] = anything(r, depth-1)
		}
		return object
	case n == 2:
		return r.IntN(2) == 0
	case n == 3:
		return math.Float64frombits(r.Uint64() &^ (1 << 62)) // no Inf, no NaN
	case n == 4:
		return r.Int64N(1<<53) - 1<<52
	case n == 5:
		return nil
	}
	return text()
}
