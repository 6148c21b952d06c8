package master

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
)

// Lines of InfluxDB's protocol end up in the history: of the host that they name, or of
// the one that the token stands for.
func TestInfluxLines(t *testing.T) {
	write := func(m *Master, path, name, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if name != "" {
			r.Header.Set("Authorization", "Bearer secret-"+name)
		}
		return send(t, r)
	}
	open := start(t, config.Master{})
	patience.Closed(t, "the history", open.history.Ready())
	if status, body := write(open, "/write?db=telegraf", "", "cpu,host=web-1,cpu=cpu0 usage_idle=99.5,note=\"x\"\n"); status != http.StatusNoContent {
		t.Errorf("answered %d %s", status, body)
	}
	want := `"metric":{"__name__":"cpu_usage_idle","cpu":"cpu0","host":"web-1","key":"cpu_usage_idle"}`
	if _, body := fetch(t, open, "/api/v1/query?query=cpu_usage_idle"); !strings.Contains(body, want) {
		t.Errorf("the history has %s, want %s", body, want)
	}

	guarded := start(t, config.Master{Tokens: []config.Token{token("web-2", "agent", "web-2"), token("eyes", "viewer", "")}})
	patience.Closed(t, "the history", guarded.history.Ready())
	for name, want := range map[string]int{"": http.StatusUnauthorized, "eyes": http.StatusForbidden, "web-2": http.StatusNoContent} {
		if status, body := write(guarded, "/api/v2/write?bucket=b&precision=s", name, "mem,host=web-2 used=5\n"); status != want {
			t.Errorf("by %q answered %d %s, want %d", name, status, body, want)
		}
	}
	if status, _ := write(guarded, "/write", "web-2", "mem,host=other used=7\n"); status != http.StatusNoContent {
		t.Errorf("a line of another host is answered with %d", status)
	}
	_, body := fetch(t, guarded, "/api/v1/query?query=mem_used", "Authorization", "Bearer secret-eyes")
	for _, want := range []string{
		`"metric":{"__name__":"mem_used","host":"web-2","key":"mem_used"}`, `"exported_host":"other","host":"web-2"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the history has %s, want %s", body, want)
		}
	}
}

// Of lines that are refused for different reasons, in any order, the answer explains the
// first.
func TestInfluxFirstRefusal(t *testing.T) {
	m := start(t, config.Master{})
	patience.Closed(t, "the history", m.history.Ready())
	kinds := []struct{ line, want string }{
		{`cpu,host=web-1,n=%d note="two` + "\n" + `lines",v=1`, ""},
		{"cpu,host=web-1,n=%d v=1", ""},
		{"cpu,n=%d v=1", "host name is empty"},
		{"cpu,host=web-1,n=%d", "a field: it is empty"},
		{"cpu,host=web-1,n=%d,twice=1,twice=2 v=1", "is given twice"},
	}
	for range 60 {
		var body strings.Builder
		want := ""
		for line, left := 1, 1+rand.IntN(12); left > 0; left-- {
			kind := kinds[rand.IntN(len(kinds))]
			text := fmt.Sprintf(kind.line, rand.Int())
			body.WriteString(text + "\n")
			if want == "" && kind.want != "" {
				want = fmt.Sprintf("the first: line %d: ", line)
			}
			line += 1 + strings.Count(text, "\n")
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL()+"/write", strings.NewReader(body.String()))
		if err != nil {
			t.Fatal(err)
		}
		status, answer := send(t, r)
		if (status == http.StatusNoContent) != (want == "") || !strings.Contains(answer, want) {
			t.Fatalf("%s\nis answered with %d %s, want %s", body.String(), status, answer, want)
		}
	}
}
