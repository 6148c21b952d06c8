package plugins

import (
	"fmt"
	"strings"
	"testing"
)

func newTail() (*stderrTail, *[]string) {
	var lines []string
	return &stderrTail{forward: func(level, line string) { lines = append(lines, level+"|"+line) }}, &lines
}

func TestStderrOfACrash(t *testing.T) {
	for name, tt := range map[string]struct {
		text, cause string
		culprit     suspect
	}{
		"panic": {
			"panic: boom\n\ngoroutine 7 [running labels:{\"inspector\": \"load/average-1\"}]:\nmain.f()\n" +
				"goroutine 8 [select labels:{\"inspector\": \"other\"}]:\n",
			"panic: boom",
			suspect{name: "load/average-1"},
		},
		"load": {
			"fatal error: stack overflow\n\ngoroutine 7 [running labels:{\"loading\": \"disk\"}]:\n",
			"fatal error: stack overflow",
			suspect{name: "disk", loading: true},
		},
		"no label":         {"fatal error: all goroutines are asleep\n\ngoroutine 1 [running]:\n", "fatal error: all goroutines are asleep", suspect{}},
		"other labels":     {"panic: x\ngoroutine 1 [running labels:{\"a\": \"inspector\", \"inspector\": \"b\"}]:\n", "panic: x", suspect{name: "b"}},
		"no crash":         {"goroutine 1 [running labels:{\"inspector\": \"b\"}]:\nall is well\n", "", suspect{}},
		"control sequence": {"panic: \x1b[31mred\x00\n", "panic: \uFFFD[31mred\uFFFD", suspect{}},
		"cut short":        {"panic: boo", "", suspect{}},
	} {
		tail, _ := newTail()
		for _, b := range []byte(tt.text) { // in the smallest pieces
			_, _ = tail.Write([]byte{b})
		}
		cause, _, culprit := tail.crash()
		if cause != tt.cause || culprit != tt.culprit {
			t.Errorf("%s: %q by %+v; want %q by %+v", name, cause, culprit, tt.cause, tt.culprit)
		}
	}
}

func TestStderrLines(t *testing.T) {
	tail, lines := newTail()
	fmt.Fprintf(tail, "plain\n\n  \n{\"@level\":\"warn\",\"@message\":\"structured\"}\n{\"a\":1}\n{broken\n%s\n", strings.Repeat("x", 2*maxStderrLine))
	want := []string{"|plain", "warn|structured", `|{"a":1}`, "|{broken", "|" + strings.Repeat("x", maxStderrLine)}
	if strings.Join(*lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("lines %q", *lines)
	}
	if _, last, _ := tail.crash(); len(last) != maxStderrLine {
		t.Errorf("the last line has %d bytes", len(last))
	}
}
