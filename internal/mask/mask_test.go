package mask

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

// letters of random values: those that some encoding writes in another way too.
var letters = []rune("abcxyzABC0123456789 -_.:/+=%&?<>\"'\\`$#@!~é漢\t")

func randomText(r *rand.Rand, least, most int) string {
	var b strings.Builder
	for n := least + r.IntN(most-least+1); b.Len() < n; {
		b.WriteRune(letters[r.IntN(len(letters))])
	}
	return b.String()
}

// ways are how a value gets into a text.
var ways = map[string]func(v string) string{
	"plain":  func(v string) string { return v },
	"quoted": func(v string) string { return fmt.Sprintf("%q", v) },
	"ASCII":  func(v string) string { return fmt.Sprintf("%+q", v) },
	"JSON":   func(v string) string { text, _ := json.Marshal(map[string]string{"password": v}); return string(text) },
	"query":  url.QueryEscape,
	"path":   url.PathEscape,
	"user": func(v string) string {
		return (&url.URL{Scheme: "pg", User: url.UserPassword("me", v), Host: "db"}).String()
	},
	"base64":    func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) },
	"basic":     func(v string) string { return base64.StdEncoding.EncodeToString([]byte("me:" + v)) },
	"basic 2":   func(v string) string { return base64.URLEncoding.EncodeToString([]byte("user:" + v + "!")) },
	"hex":       func(v string) string { return hex.EncodeToString([]byte(v)) },
	"upper hex": func(v string) string { return fmt.Sprintf("%X", v) },
	"bytes":     func(v string) string { return fmt.Sprint([]byte(v)) },
	"Go bytes":  func(v string) string { return fmt.Sprintf("% x", v) },
}

// Whatever the value, and however it gets into a text, it does not come out again.
func TestNoValueComesThrough(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		value := randomText(r, MinBytes, 120)
		var m Mask
		m.Learn("other", randomText(r, MinBytes, 30))
		m.Learn("pw", value)
		for name, way := range ways {
			written := way(value)
			text := randomText(r, 0, 20) + written + randomText(r, 0, 20)
			got := m.Text(text)
			if strings.Contains(got, value) || !strings.Contains(got, "[secret ") || len(written) > 0 && strings.Contains(got, written) {
				t.Fatalf("%s: of %q in %q comes %q", name, value, text, got)
			}
			if m.Find(text) == "" {
				t.Fatalf("%s: %q is not found in %q", name, value, text)
			}
		}
	}
}

// Wherever a text is cut, no long part of the value is left before the cut.
func TestNothingIsLeftAtACut(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		value := "v" + randomText(r, MinBytes, 60) // begins as no other text here
		var m Mask
		m.Learn("pw", value)
		text := strings.Repeat("-", r.IntN(50)) + value + strings.Repeat("-", r.IntN(50))
		for most := range len(text) + 1 {
			if got := m.Cut(text[:min(len(text), most+m.Reach())], most); strings.Contains(got, value[:3]) {
				t.Fatalf("of %q, cut at %d, comes %q", text, most, got)
			}
			if got := m.Tail(text[most:]); strings.Contains(got, value) {
				t.Fatalf("of the end of %q from %d comes %q", text, most, got)
			}
		}
	}
}

// A part of a long value is enough.
func TestPartsOfLongValues(t *testing.T) {
	var m Mask
	value := "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYH\nCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----"
	m.Learn("key", value)
	for _, part := range []string{value, "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYH", "QYDK2VwBCIEIAABAgM", `4f\n-----END PRIVATE`} {
		if got := m.Text("<" + part + ">"); strings.Contains(got, part) {
			t.Errorf("%q comes through: %s", part, got)
		}
	}
}

// An error shows the part of a wrong address that is wrong, and no more.
func TestPartsOfAnAddress(t *testing.T) {
	var m Mask
	m.Learn("pw", "Q7+> u/3jAH_>5E/#Gr? tail:9Zz")
	for _, text := range []string{`invalid port ":Q7+> u" after host`, "no host 3jAH_>5E", "port 3jAH_>5E/#Gr"} {
		if got := m.Text(text); !strings.Contains(got, "[secret pw]") {
			t.Errorf("%q comes through as %q", text, got)
		}
	}
}

func TestOtherTextsStay(t *testing.T) {
	var none *Mask
	var m Mask
	for _, text := range []string{"", "abc", "the password is wrong"} {
		if none.Text(text) != text || m.Text(text) != text || m.Tail(text) != text || none.Find(text) != "" {
			t.Errorf("%q is changed by nobody's secret", text)
		}
	}
	m.Learn("pw", "hunter22")
	if got := m.Text("user hunter23 failed"); got != "user hunter23 failed" {
		t.Errorf("got %q", got)
	}
	if got := m.Text("user hunter22 failed"); got != "user [secret pw] failed" {
		t.Errorf("got %q", got)
	}
	if got := m.Cut("user hunter22 failed", 7); got != "user [secret pw]" {
		t.Errorf("got %q", got)
	}
	if m.Learn("pw", "abc") || m.Text("abc") != "abc" {
		t.Error("three letters are a secret")
	}
}

// The values before are masked as long as somebody may still have them.
func TestValuesBefore(t *testing.T) {
	var m Mask
	for i := range kept + 1 {
		m.Learn("pw", fmt.Sprintf("value-number-%02d.", i))
	}
	if got := m.Text("value-number-01. value-number-08."); got != "[secret pw] [secret pw]" {
		t.Errorf("got %q", got)
	}
}

func FuzzMask(f *testing.F) {
	f.Add("hunter22", "me:hunter22@db", 5)
	f.Add("aaaa", "aaaaaaaaa", 3)
	f.Fuzz(func(t *testing.T, value, text string, most int) {
		var m Mask
		m.Learn("s", value)
		most = max(0, most)
		got := m.Cut(text, most)
		if len(value) >= MinBytes && !strings.Contains("[secret s]", value) && strings.Contains(strings.ReplaceAll(got, "[secret s]", "\x00"), value) {
			t.Errorf("%q comes through: %q", value, got)
		}
		if len(value) < MinBytes && got != text[:min(most, len(text))] {
			t.Errorf("%q is changed to %q", text, got)
		}
	})
}

func BenchmarkText(b *testing.B) {
	var m Mask
	m.Learn("pw", "correct horse battery staple")
	text := strings.Repeat("requests 12345 in flight, 3 failed; ", 20)
	for b.Loop() {
		m.Text(text)
	}
}
