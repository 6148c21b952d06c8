package master

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/alone"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// floodEnv names a master that a process opens floodSize connections to.
const (
	floodEnv  = "VEDETTE_TEST_FLOOD"
	floodSize = 3000
)

// flood opens connections, whatever becomes of them, and holds them until its
// input ends.
func flood(address string) {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
	var held []net.Conn
	for n := range floodSize {
		c, err := net.DialTimeout("tcp", address, patience.Limit)
		if err != nil {
			fmt.Println("cannot connect:", err)
			continue
		}
		held = append(held, c)
		if n%3 == 0 {
			_, _ = c.Write([]byte("GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
		}
	}
	fmt.Println("opened", len(held))
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	for _, c := range held {
		_ = c.Close()
	}
}

// A master that may hold 1,024 descriptors stays on the air while somebody opens
// three times as many connections, and goes on writing its history.
func TestFewDescriptors(t *testing.T) { alone.Test(t, testFewDescriptors) }

func testFewDescriptors(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max < floodSize+100 {
		t.Skipf("nobody may open %d connections here", floodSize)
	}
	limit.Cur = 1024
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	m := start(t, config.Master{Data: t.TempDir(), Tokens: []config.Token{token("web-1", "agent", "web-1"), token("wall", "viewer", "")}})
	agent := dial(t, m, nil, rpc.DialOptions{Header: bearer("web-1")})
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello("web-1"))

	flooder := exec.CommandContext(t.Context(), os.Args[0])
	flooder.Env = append(os.Environ(), floodEnv+"="+m.Addr().String())
	stdin, err := flooder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := flooder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := flooder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = flooder.Wait()
	})
	said := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(stdout).ReadString('\n')
		said <- text
	}()
	if text := patience.Receive(t, "the flood to be there", said); text != fmt.Sprintf("opened %d\n", floodSize) {
		t.Fatalf("the flood: %s", text)
	}

	for n := range uint64(20) {
		result := call[wire.ReportResult](t, agent, wire.MasterReport.Name, wire.ReportParams{
			BootID: "boot", Seq: n + 1, Series: []wire.Series{{ID: 1, Key: "load/average-1"}},
			Columns: wire.Columns{T: []int64{time.Now().UnixMilli() + int64(n)}, S: []uint32{1}, V: []float64{float64(n)}},
		})
		if result.Refused != 0 {
			t.Errorf("report %d: %+v", n, result)
		}
	}
	if status, body := fetch(t, m, loadQuery, "Authorization", "Bearer secret-wall"); status != http.StatusOK || !strings.Contains(body, "web-1") {
		t.Errorf("a viewer got %d %s", status, body)
	}
	for n := range 100 { // as a compaction does
		f, err := os.Create(fmt.Sprintf("%s/%d", t.TempDir(), n))
		if err != nil {
			t.Fatalf("only %d more files can be opened: %v", n, err)
		}
		defer f.Close()
	}
	if open, cut := m.table.Plain(); open > m.table.Limits().Plain || cut < floodSize/2 {
		t.Errorf("%d connections are open, %d were cut", open, cut)
	}
}

// A browser says of each request which page it is for. What no page of ours has
// asked for is refused everywhere, also where it is a plain GET without an
// Origin, whatever a credential it has.
func TestRequestsOfOtherSites(t *testing.T) {
	m := guarded(t)
	for site, want := range map[string]int{
		"": http.StatusOK, "none": http.StatusOK, "same-origin": http.StatusOK,
		"cross-site": http.StatusForbidden, "same-site": http.StatusForbidden, "Same-Origin": http.StatusForbidden, "x": http.StatusForbidden,
	} {
		header := []string{"Authorization", "Bearer secret-wall"}
		if site != "" {
			header = append(header, "Sec-Fetch-Site", site)
		}
		for _, path := range []string{
			"/metrics", "/api/v1/query?query=1", "/api/v1/query_range?query=1&start=1&end=2&step=1", "/api/v1/labels",
			"/api/v1/label/host/values", "/api/v1/series?match[]=x", "/api/v1/status/buildinfo",
		} {
			if status, body := fetch(t, m, path, header...); status != want {
				t.Errorf("%s of %q: %d %.100s, want %d", path, site, status, body, want)
			} else if want == http.StatusForbidden && !strings.Contains(body, "Sec-Fetch-Site: "+site) {
				t.Errorf("%s of %q does not say why: %s", path, site, body)
			}
		}
		if want == http.StatusForbidden {
			if _, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Header: http.Header{
				"Authorization":  {"Bearer secret-wall"},
				"Sec-Fetch-Site": {site},
			}}); err == nil {
				t.Errorf("a WebSocket of %q is opened", site)
			}
		}
	}
}
