package receive

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// lines writes series as text, one a line.
func lines(series []Series) string {
	var b strings.Builder
	for _, s := range series {
		fmt.Fprintf(&b, "%s%v %v\n", s.Name, s.Labels, s.Points)
	}
	return b.String()
}

func TestParseInflux(t *testing.T) {
	now := time.UnixMilli(7)
	for text, want := range map[string]string{
		"cpu,host=web-1,cpu=cpu0 usage_idle=99.5,usage_user=0.25 1700000000000000000\n": "cpu_usage_idle[{host web-1} {cpu cpu0}] [{1700000000000 99.5}]\n" +
			"cpu_usage_user[{host web-1} {cpu cpu0}] [{1700000000000 0.25}]\n",
		"load value=1": "load[] [{7 1}]\n",
		"# a comment\n\r\n  \nm a=1i,b=2u,c=t,d=F\r\n":                "m_a[] [{7 1}]\nm_b[] [{7 2}]\nm_c[] [{7 1}]\nm_d[] [{7 0}]\n",
		`my\ disk,the\,path=/a\ b\=c s="x, y=1 \" z",used=1e3` + "\n": "my_disk_used[{the_path /a b=c}] [{7 1000}]\n",
		"m s=\"two\nlines\",v=2\nn v=3":                               "m_v[] [{7 2}]\nn_v[] [{7 3}]\n",
		"win_cpu,instance=C:\\ Percent_Idle=5 1000000":                "win_cpu_Percent_Idle[{instance C: Percent_Idle=5}] []\n",
	} {
		var bad Result
		got := lines(ParseInflux([]byte(text), time.Nanosecond, now, &bad))
		if strings.HasPrefix(text, "win_cpu") { // the backslash takes the blank's meaning, as in InfluxDB
			if bad.Refused != 1 || got != "" {
				t.Errorf("%q gives %s, %v", text, got, bad)
			}
			continue
		}
		if got != want || bad.Refused != 0 {
			t.Errorf("%q gives\n%swant\n%s%v", text, got, want, bad.Reason)
		}
	}
	for text, want := range map[string]string{
		"m":                                      "line 1: a field: it is empty",
		"m a":                                    `line 1: the field "a" has no value`,
		"m a=x":                                  `line 1: the field "a": "x" is not a value`,
		"m a=nan":                                `line 1: the field "a": "nan" is not a value`,
		"m a=":                                   `line 1: the field "a": the value is empty`,
		"m,t a=1":                                `line 1: the tag "t" has no value`,
		"m,t= a=1":                               `line 1: the tag "t": it is empty`,
		",t=1 a=1":                               "line 1: the measurement: it is empty",
		"m a=1 soon":                             `line 1: "soon" is not a time`,
		"m a=1 1 2":                              "line 1: something follows the time",
		"\n\nm a=\"open":                         `line 3: the field "a": the quote is not closed`,
		"m\xff a=1":                              "line 1: the measurement: it is not UTF-8",
		"m a=" + strings.Repeat("\xef\x01", 100): `line 1: the field "a": "` + strings.Repeat(`\xef\x01`, 15) + `"… is not a value`,
		"m a=" + strings.Repeat("€", 100):        `line 1: the field "a": "` + strings.Repeat("€", 26) + `"… is not a value`,
	} {
		var bad Result
		got := ParseInflux([]byte(text+"\ngood v=1"), time.Nanosecond, now, &bad)
		if bad.Refused != 1 || bad.Reason.Error() != want || len(got) != 1 && !strings.Contains(text, "open") {
			t.Errorf("%q gives %s, %v; want %s", text, lines(got), bad.Reason, want)
		}
	}
	var bad Result
	got := lines(ParseInflux([]byte("m a=1 1700000000\nm a=2 9223372036854775807"), time.Second, now, &bad))
	if got != "m_a[] [{1700000000000 1}]\n" || bad.Refused != 1 {
		t.Errorf("in seconds: %s, %v", got, bad.Reason)
	}
}

// Lines that nobody chose come back as they were written.
func TestParseInfluxRandom(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	letters := []rune(`ab ,="é\{}|-.1`)
	word := func() string {
		w := make([]rune, 1+rng.IntN(6))
		for i := range w {
			w[i] = letters[rng.IntN(len(letters))]
		}
		return string(w)
	}
	escape := strings.NewReplacer(`\`, `\\`, ",", `\,`, "=", `\=`, " ", `\ `)
	for range 3000 {
		measurement := "m" + word()
		text := escape.Replace(measurement)
		var want []Series
		var labels []Label
		for range rng.IntN(4) {
			name, value := word(), word()
			labels = append(labels, Label{influxName(name, "value"), value})
			text += "," + escape.Replace(name) + "=" + escape.Replace(value)
		}
		ms := rng.Int64N(2e12)
		text += " "
		for i := range 1 + rng.IntN(4) {
			if i > 0 {
				text += ","
			}
			field, v := "f"+word(), rng.NormFloat64()
			text += escape.Replace(field) + "="
			switch rng.IntN(3) {
			case 0:
				text += strconv.Quote(strings.ReplaceAll(word(), "é", "e"))
				continue
			case 1:
				v = float64(rng.IntN(1000))
				text += fmt.Sprintf("%.0fi", v)
			default:
				text += strconv.FormatFloat(v, "fe"[rng.IntN(2)], -1, 64)
			}
			want = append(want, Series{Name: influxName(measurement, field), Labels: labels, Points: []Point{{ms, v}}})
		}
		text += fmt.Sprintf(" %d", ms)
		var bad Result
		if got := ParseInflux([]byte(text), time.Millisecond, time.Now(), &bad); lines(got) != lines(want) || bad.Refused > 0 {
			t.Fatalf("seed %d: %s gives\n%swant\n%s%v", seed, text, lines(got), lines(want), bad.Reason)
		}
	}
}

func FuzzParseInflux(f *testing.F) {
	for _, text := range []string{"cpu,host=a b=1i 5\n", "m s=\"a\nb\",t=T", "m\\ x,a\\==\\, v=1e5 -3", "#\n\\\n", "m a=\"\\"} {
		f.Add([]byte(text), int64(time.Millisecond))
	}
	f.Fuzz(func(t *testing.T, text []byte, unit int64) {
		if unit <= 0 || unit > int64(time.Hour) {
			unit = 1
		}
		var bad Result
		series := ParseInflux(text, time.Duration(unit), time.UnixMilli(1), &bad)
		if bad.Refused > bytes.Count(text, []byte("\n"))+1 {
			t.Errorf("%d lines refused of %q", bad.Refused, text)
		}
		for _, s := range series {
			if s.Name == "" || len(s.Points) != 1 || !IsFinite(s.Points[0].V) {
				t.Errorf("%q gives %v", text, s)
			}
		}
	})
}

func TestServeInflux(t *testing.T) {
	var taken []Series
	h := &Handler{Log: slog.New(slog.DiscardHandler), Memory: NewMemory(), Take: func(series []Series) (Result, error) {
		taken = append(taken, series...)
		return Result{}, nil
	}}
	ask := func(query, coding string, body []byte) (int, string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/write"+query, bytes.NewReader(body))
		r.Header.Set("Content-Encoding", coding)
		w := httptest.NewRecorder()
		h.ServeInflux(w, r)
		return w.Code, w.Body.String()
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("a v=1 5\nbad\nb v=2 6\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	const refused = "refused samples: 1 (line 1), the others were taken; the first: line 2: "
	if code, text := ask("?precision=s&db=x", "gzip", packed.Bytes()); code != http.StatusBadRequest || !strings.Contains(text, refused) {
		t.Errorf("answered %d %s", code, text)
	}
	if got := lines(taken); got != "a_v[] [{5000 1}]\nb_v[] [{6000 2}]\n" {
		t.Errorf("taken:\n%s", got)
	}
	for _, one := range []struct {
		query, coding string
		body          []byte
		want          int
	}{
		{"", "", []byte("a v=1"), http.StatusNoContent},
		{"?precision=w", "", []byte("a v=1"), http.StatusBadRequest},
		{"", "br", []byte("a v=1"), http.StatusUnsupportedMediaType},
		{"", "gzip", []byte("a v=1"), http.StatusBadRequest},
		{"", "", slices.Repeat([]byte("\n"), MaxInfluxLines+1), http.StatusRequestEntityTooLarge},
		{"", "", slices.Repeat([]byte(" "), MaxPackedBytes+1), http.StatusRequestEntityTooLarge},
		{"", "", append([]byte("a "), slices.Repeat([]byte("v=1,"), MaxParts+1)...), http.StatusRequestEntityTooLarge},
		{"", "", append([]byte("a"), slices.Repeat([]byte(",t=1"), MaxParts+1)...), http.StatusRequestEntityTooLarge},
	} {
		if code, text := ask(one.query, one.coding, one.body); code != one.want {
			t.Errorf("%s %s of %d bytes is answered with %d %s, want %d", one.query, one.coding, len(one.body), code, text, one.want)
		}
	}
}
