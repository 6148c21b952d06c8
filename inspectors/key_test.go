package inspectors

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestValidateKey(t *testing.T) {
	long := strings.Repeat("a", MaxSegmentBytes)
	for key, want := range map[string]string{
		"load":                          "",
		"load/average-1":                "",
		"a/b/c.d:e_f/_x/9":              "",
		long:                            "",
		long + "/" + long:               "",
		"":                              "key is empty; write chart/item, such as load/average-1",
		"/":                             `key "/": a segment is empty; write chart/item with one "/" between`,
		"a/":                            `key "a/": a segment is empty; write chart/item with one "/" between`,
		"a//b":                          `key "a//b": a segment is empty; write chart/item with one "/" between`,
		"a/.b":                          `key "a/.b": segment ".b" must start with a letter, a digit or "_"`,
		"..":                            `key "..": segment ".." must start with a letter, a digit or "_"`,
		"-a":                            `key "-a": segment "-a" must start with a letter, a digit or "_"`,
		"a b":                           `key "a b": ' ' is not allowed; use letters, digits, "_", "-", "." and ":"`,
		"<script>":                      `key "<script>": '<' is not allowed; use letters, digits, "_", "-", "." and ":"`,
		"größe":                         `key "größe": 'ö' is not allowed; use letters, digits, "_", "-", "." and ":"`,
		"a\x00":                         `key "a\x00": '\x00' is not allowed; use letters, digits, "_", "-", "." and ":"`,
		"a\xff":                         `key "a\xff": '�' is not allowed; use letters, digits, "_", "-", "." and ":"`,
		long + "a":                      `key "` + long + `a": segment "` + long + `a" is 65 bytes long; at most 64 are allowed`,
		strings.Repeat("a/", 100) + "a": `key "` + strings.Repeat("a/", 40) + `"… is 201 bytes long; at most 200 are allowed`,
	} {
		wantName(t, ValidateKey(key), want)
	}
}

// wantName checks that an error wraps ErrName and names the fault, or that there is no
// error if none is wanted.
func wantName(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("unexpected: %v", err)
	case want != "" && (err == nil || err.Error() != "bad name: "+want):
		t.Errorf("got  %v\nwant bad name: %s", err, want)
	case want != "" && !errors.Is(err, ErrName):
		t.Errorf("%v does not wrap ErrName", err)
	}
}

func TestValidateHost(t *testing.T) {
	for host, want := range map[string]string{
		"web-1":                  "",
		"web_1.example.com":      "",
		"10.0.0.1":               "",
		"":                       "host name is empty",
		"-web":                   `host name "-web" must start with a letter or a digit`,
		"web/1":                  `host name "web/1" has '/' at byte 3; use letters, digits, "-", "_" and "."`,
		"<b>":                    `host name "<b>" must start with a letter or a digit`,
		"a<b>":                   `host name "a<b>" has '<' at byte 1; use letters, digits, "-", "_" and "."`,
		"a*":                     `host name "a*" has '*' at byte 1; use letters, digits, "-", "_" and "."`,
		strings.Repeat("a", 254): `host name "` + strings.Repeat("a", 80) + `"… is 254 bytes long; at most 253 are allowed`,
	} {
		wantName(t, ValidateHost(host), want)
	}
}

func TestSplitAndJoinKey(t *testing.T) {
	for key, want := range map[string][2]string{
		"load/average-1": {"load", "average-1"},
		"load":           {"load", ""},
		"a/b/c":          {"a", "b/c"},
	} {
		chart, item := SplitKey(key)
		if chart != want[0] || item != want[1] {
			t.Errorf("SplitKey(%q) = %q, %q, want %q", key, chart, item, want)
		}
		if got := JoinKey(chart, item); got != key {
			t.Errorf("JoinKey(%q, %q) = %q, want %q", chart, item, got, key)
		}
	}
}

// FuzzValidateKey holds that what is accepted can be shown and used as a path
// anywhere.
func FuzzValidateKey(f *testing.F) {
	for _, seed := range []string{"load/average-1", "a//b", "..", "<b>", "a\xff", "é", strings.Repeat("x/", 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if err := ValidateKey(key); err != nil {
			if !errors.Is(err, ErrName) {
				t.Errorf("%v does not wrap ErrName", err)
			}
			showable(t, err.Error())
			return
		}
		for _, r := range key {
			if r > unicode.MaxASCII || strings.ContainsRune("<>\"'&\\*?% \t\n", r) {
				t.Errorf("%q is accepted, with %q", key, r)
			}
		}
		for _, segment := range strings.Split(key, "/") {
			if segment == "" || segment == "." || segment == ".." || len(segment) > MaxSegmentBytes {
				t.Errorf("%q is accepted, with the segment %q", key, segment)
			}
		}
		chart, item := SplitKey(key)
		if JoinKey(chart, item) != key {
			t.Errorf("%q is split into %q and %q", key, chart, item)
		}
	})
}

// showable holds that a text may be put into a log or a terminal.
func showable(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%q is not valid UTF-8", text)
	}
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
			t.Errorf("%q has the unprintable %q", text, r)
		}
	}
}
