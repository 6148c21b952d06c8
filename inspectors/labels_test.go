package inspectors

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestNewLabels(t *testing.T) {
	labels, err := NewLabels("mount", "/", "device", "sda\"1\\")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Labels{{"device", "sda\"1\\"}, {"mount", "/"}}); !reflect.DeepEqual(labels, want) {
		t.Errorf("labels are %v, want %v, sorted", labels, want)
	}
	if got, want := labels.String(), `{device="sda\"1\\",mount="/"}`; got != want {
		t.Errorf("as text they are %s, want %s", got, want)
	}
	if labels.Get("mount") != "/" || labels.Get("nothing") != "" {
		t.Error("Get does not get them")
	}
	if labels, err := NewLabels(); labels != nil || err != nil || labels.String() != "" || labels.Map() != nil {
		t.Errorf("no labels are %v, %v", labels, err)
	}
	if labels, err := LabelsFromMap(nil); labels != nil || err != nil {
		t.Errorf("no labels are %v, %v", labels, err)
	}
}

func TestBadLabels(t *testing.T) {
	many := make([]string, 0, 2*(MaxLabels+1))
	for i := range MaxLabels + 1 {
		many = append(many, string(rune('a'+i)), "")
	}
	for _, c := range []struct {
		pairs []string
		want  string
	}{
		{[]string{"a"}, `labels are name, value pairs, but "a" has no value`},
		{[]string{"", "x"}, "a label name is empty"},
		{[]string{"a", "1", "a", "2"}, `label "a" is given twice`},
		{[]string{"host", "x"}, `label name "host" is set by the master; choose another`},
		{[]string{"key", "x"}, `label name "key" is set by the master; choose another`},
		{[]string{"__name__", "x"}, `label name "__name__" starts with "__", which is reserved`},
		{[]string{"1a", "x"}, `label name "1a" starts with a digit`},
		{[]string{"a-b", "x"}, `label name "a-b" has '-'; use letters, digits and "_"`},
		{[]string{"é", "x"}, `label name "é" has 'é'; use letters, digits and "_"`},
		{[]string{strings.Repeat("a", 65), "x"}, `label name "` + strings.Repeat("a", 65) + `" is 65 bytes long; at most 64 are allowed`},
		{[]string{"a", "<b>"}, `the value "<b>" of label "a" has '<' at byte 0; control characters and markup are refused`},
		{[]string{"a", "x\ny"}, `the value "x\ny" of label "a" has '\n' at byte 1; control characters and markup are refused`},
		{[]string{"a", "\u202e"}, `the value "\u202e" of label "a" has '\u202e' at byte 0; control characters and markup are refused`},
		{[]string{"a", "\xff"}, `the value "\xff" of label "a" has '�' at byte 0; control characters and markup are refused`},
		{[]string{"a", strings.Repeat("x", 513)}, `the value of label "a" is 513 bytes long; at most 512 are allowed`},
		{many, "17 labels; at most 16 are allowed"},
	} {
		_, err := NewLabels(c.pairs...)
		wantName(t, err, c.want)
	}
}

func TestLabelsJSON(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{}`, `{}`},
		{`null`, `{}`},
		{`{"b":"2","a":"ü"}`, `{"a":"ü","b":"2"}`},
	} {
		var l Labels
		if err := json.Unmarshal([]byte(c.in), &l); err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if out, err := json.Marshal(l); err != nil || string(out) != c.want {
			t.Errorf("%s becomes %s, %v, want %s", c.in, out, err, c.want)
		}
	}
	for _, bad := range []string{`[]`, `{"a":1}`, `{"__x":"1"}`, `{"a":"\u0000"}`} {
		var l Labels
		if err := json.Unmarshal([]byte(bad), &l); err == nil {
			t.Errorf("%s is accepted as %v", bad, l)
		}
	}
}

// FuzzLabels holds that labels which are accepted survive JSON, have one text
// each, and hold nothing that a page or a terminal would act on.
func FuzzLabels(f *testing.F) {
	f.Add("mount", "/", "device", "sda")
	f.Add("a", "<b>", "b", "\x1b[0m")
	f.Add("__x", "", "", "\xff")
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string) {
		l, err := NewLabels(n1, v1, n2, v2)
		if err != nil {
			if !errors.Is(err, ErrName) {
				t.Errorf("%v does not wrap ErrName", err)
			}
			showable(t, err.Error())
			return
		}
		if err := l.Validate(); err != nil {
			t.Errorf("%v is made, but not valid: %v", l, err)
		}
		showable(t, l.String())
		if strings.ContainsAny(l.String(), "<>") {
			t.Errorf("%v has markup", l)
		}
		data, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		var back Labels
		if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(l, back) {
			t.Errorf("%v becomes %v through JSON, %v", l, back, err)
		}
	})
}
