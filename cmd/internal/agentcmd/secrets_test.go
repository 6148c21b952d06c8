package agentcmd

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/internal/signing/signingtest"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// outlets are script bodies, each with a way in which the value v could leave the script.
var outlets = map[string]string{
	"print":     `fmt.Println("it is", v)`,
	"quoted":    `fmt.Printf("%q %+q %#v\n", v, v, v)`,
	"log":       `log.Printf("connecting with %s", v)`,
	"built-in":  `println(v)`,
	"bytes":     `fmt.Println([]byte(v))`,
	"hex":       `fmt.Printf("%x\n", v)`,
	"split":     `fmt.Print(v[:2]); fmt.Println(v[2:])`,
	"unended":   `fmt.Print(v)`,
	"long":      `fmt.Println(strings.Repeat("x", 1021) + v)`,
	"base64":    `fmt.Println(base64.StdEncoding.EncodeToString([]byte("user:" + v)))`,
	"error":     `return errors.New("cannot log in as me:" + v + "@db")`,
	"wrapped":   `return fmt.Errorf("cannot log in: %w", fmt.Errorf("bad %q", v))`,
	"longError": `return errors.New(strings.Repeat("x", 8189) + v)`,
	"panic":     `panic("with " + v)`,
	"panicked":  `panic(errors.New(v))`,
	"number":    `if _, err := strconv.Atoi("x" + v); err != nil { return err }`,
	"parse":     `if _, err := time.ParseDuration("x" + v); err != nil { return err }`,
	"url":       `if _, err := url.Parse("http://me:" + v + "@[bad/"); err != nil { return err }; return errors.New(url.QueryEscape(v))`,
	"get":       `resp, err := http.Get("http://127.0.0.1:1/?token=" + url.QueryEscape(v)); if err != nil { return err }; return resp.Body.Close()`,
	"dial":      `c, err := net.Dial("tcp", v + ".invalid:1"); if err != nil { return err }; return c.Close()`,
	"json":      `if err := json.Unmarshal([]byte("{\"a\": " + strconv.Quote(v) + "}"), &struct{ A int }{}); err != nil { fmt.Println(v); return err }`,
	"exec":      `if _, err := inspectors.Exec(ctx, "/usr/bin/env", "sh", "-c", "printf 'bad %s' \"$0\" >&2 && exit 3", v); err != nil { return err }`,
	"execTail":  `if _, err := inspectors.Exec(ctx, "/usr/bin/env", "sh", "-c", "printf '%s%01018d' \"$0\" 0 >&2 && exit 3", v); err != nil { return err }`,
	"label":     `r.Gauge("x", 1, "password", v)`,
	"labelName": `r.Gauge("x", 1, v, "password")`,
	"longLabel": `r.Gauge("x", 1, "password", strings.Repeat("x", 70) + v + strings.Repeat("x", 2000))`,
	"sample":    `r.Gauge("of-" + v, 1)`,
	"twice":     `r.Gauge("x", 1, "a", v); r.Gauge("x", 1, "a", v)`,
}

// outletScript is the script of an outlet.
func outletScript(name, body string) wire.Code {
	var imports strings.Builder
	for path, used := range map[string]string{
		"fmt": "fmt.", "log": "log.", "errors": "errors.", "strings": "strings.", "strconv": "strconv.", "time": "time.", "net/url": "url.",
		"net/http": "http.", "net": "net.", "encoding/json": "json.", "encoding/base64": "base64.",
	} {
		if strings.Contains(body, used) {
			fmt.Fprintf(&imports, "\t%q\n", path)
		}
	}
	return wire.Code{Name: "out/" + name, File: name + ".go", IntervalMS: 60_000, TimeoutMS: 50_000, Source: `//vedette:needs secret:pw net net:127.0.0.1:1 exec:/usr/bin/env
package out

import (
	"context"
	"github.com/vedettehq/vedette/inspectors"
` + imports.String() + `)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	v, err := inspectors.Secret(ctx, "pw")
	if err != nil {
		return err
	}
	r.Gauge("length", float64(len(v)))
	` + strings.ReplaceAll(body, "; ", "\n\t") + `
	return nil
}
`}
}

// heard is everything that an agent sent or wrote, as texts.
type heard struct {
	mu    sync.Mutex
	texts []string
}

func (h *heard) Write(line []byte) (int, error) {
	h.add(line)
	return len(line), nil
}

// add adds all strings of a value, as JSON has them.
func (h *heard) add(raw []byte) {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		value = string(raw)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case string:
			h.texts = append(h.texts, v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for name, e := range v {
				h.texts = append(h.texts, name)
				walk(e)
			}
		}
	}
	walk(value)
}

// folder adds the content of all files below a folder.
func (h *heard) folder(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		h.add(text)
		h.mu.Lock()
		h.texts = append(h.texts, string(text))
		h.mu.Unlock()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// listening is a handler that records every request.
type listening struct {
	*rpc.Mux
	heard *heard
}

func (l listening) ServeRPC(ctx context.Context, req *rpc.Request) (any, error) {
	var params any
	if err := req.Decode(&params); err == nil {
		raw, err := json.Marshal(params)
		if err != nil {
			return nil, err
		}
		l.heard.add(raw)
	}
	return l.Mux.ServeRPC(ctx, req)
}

func randomSecret(r *rand.Rand) string {
	letters := []rune("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789 -_./+=%&?<>\"'\\`$#@!é漢")
	var b strings.Builder
	for n := 6 + r.IntN(60); b.Len() < n; {
		b.WriteRune(letters[r.IntN(len(letters))])
	}
	return "Q7" + b.String() + "z9Z" // some outlets trim spaces
}

// secretAgent runs an agent whose secret pw is in a file, and pushes code to it.
func secretAgent(t *testing.T, p *pusher, h *heard, data, rule string) (file string, stop func()) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "password")
	path := filepath.Join(t.TempDir(), "c.yaml")
	text := "agent:\n  host: web-1\n  library: none\n  accept_pushed_inspectors: true\n  data: " + data + "\n  master: '" + p.server.URL + "'\n" +
		"  policy: { net: true, connect: ['127.0.0.1:1'], exec: [/usr/bin/env] }\n" +
		"  secrets:\n    pw: { file: " + file + ", " + rule + " }\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.LoadOptions{Path: path, Dir: t.TempDir(), Environ: []string{}, For: config.PartAgent})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	log := slog.New(slog.NewJSONHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() { ended <- Run(ctx, c, log, nil, nil) }()
	stop = sync.OnceFunc(func() {
		cancel()
		patience.Return(t, "the end of the agent", func() {
			if err := <-ended; err != nil {
				t.Errorf("Run gave %v", err)
			}
		})
	})
	t.Cleanup(stop)
	return file, stop
}

func writeSecret(t *testing.T, file, value string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// TestNoSecretLeavesTheHost sends a random secret through every outlet of a script. The
// secret must be in nothing that the agent tells the master, logs or writes.
func TestNoSecretLeavesTheHost(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	secret := randomSecret(rand.New(rand.NewPCG(seed, 0)))
	h := &heard{}
	p := newPusher(t)
	defer p.close()
	p.rpc.Handler = listening{p.rpc.Handler.(*rpc.Mux), h}
	data := t.TempDir()
	file, stop := secretAgent(t, p, h, data, "for: ['out/*']")
	writeSecret(t, file, secret)
	var codes []wire.Code
	for name, body := range outlets {
		codes = append(codes, outletScript(name, body))
	}
	p.push(codes...)
	for _, code := range codes {
		name := strings.TrimPrefix(code.Name, "out/")
		p.await("the end of "+name, func() bool {
			r := p.receipts[code.Name]
			return r.State == wire.ReceiptHealthy || r.State == wire.ReceiptFailed || r.State == wire.ReceiptRefused
		})
		if _, measured := p.samples[code.Name+"/length"]; !measured {
			p.await("the length of "+name, func() bool { return p.samples[code.Name+"/length"] == float64(len(secret)) })
		}
	}
	for _, code := range codes {
		var printed wire.LogsResult
		if err := p.peer.Call(patience.Context(t), wire.AgentLogs.Name, wire.AgentLogsParams{Inspector: code.Name, Limit: 1000}, &printed); err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(printed)
		if err != nil {
			t.Fatal(err)
		}
		h.add(raw)
	}
	stop()
	h.folder(t, data)
	forms := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), fmt.Sprintf("%q", secret), fmt.Sprintf("%+q", secret), fmt.Sprintf("%x", secret),
		fmt.Sprint([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("user:" + secret)), secret[:6], secret[len(secret)-6:],
	}
	masked := 0
	for _, text := range h.texts {
		masked += strings.Count(text, "[secret pw]")
		for _, form := range forms {
			if strings.Contains(text, strings.Trim(form, `"`)) {
				t.Errorf("%q, as %q, is in %.2000q", secret, form, text)
			}
		}
	}
	if masked < len(outlets) {
		t.Errorf("%d texts have a mask; there are %d outlets", masked, len(outlets))
	}
}

// secretLength is a script that yields the length of the secret.
func secretLength(name string) wire.Code {
	return wire.Code{Name: name, File: "len.go", IntervalMS: 2000, TimeoutMS: 2000, Source: `//vedette:needs secret:pw
package length

import (
	"context"
	"fmt"
	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context) (float64, error) {
	v, err := inspectors.Secret(ctx, "pw")
	fmt.Println(v)
	return float64(len(v)), err
}
`}
}

// Only the inspectors that the host names may read a secret, and its value follows the
// file.
func TestSecretsAreForThoseWhoAreNamed(t *testing.T) {
	t.Parallel()
	p, h := newPusher(t), &heard{}
	defer p.close()
	file, stop := secretAgent(t, p, h, t.TempDir(), "for: [named, 'some/*']")
	defer stop()
	named, below, other, deep := secretLength("named"), secretLength("some/thing"), secretLength("other"), secretLength("some/thing/else")
	p.push(named, below, other, deep)
	for _, code := range []wire.Code{other, deep} {
		r, want := p.awaitReceipt(code, wire.ReceiptRefused), "agent.secrets.pw.for in the host's configuration does not name inspector "+code.Name
		if !strings.Contains(r.Reason, want) {
			t.Errorf("the receipt is %+v", r)
		}
	}
	for _, code := range []wire.Code{named, below} { // the file does not exist yet
		if r := p.awaitReceipt(code, wire.ReceiptFailed); !strings.Contains(r.Reason, `cannot get secret "pw": there is no file `) {
			t.Errorf("the receipt is %+v", r)
		}
	}
	for _, value := range []string{"first value", "a second value", "the third value"} {
		writeSecret(t, file, value)
		for _, code := range []wire.Code{named, below} {
			p.await("the length of "+value, func() bool { return p.samples[code.Name] == float64(len(value)) })
		}
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	p.await("a refusal of a file that all can read", func() bool {
		return strings.Contains(p.receipts["named"].Reason, "every user of this machine can read")
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, text := range h.texts {
		if strings.Contains(text, "value") && !strings.Contains(text, "[secret") {
			t.Errorf("logged: %q", text)
		}
	}
}

// If a secret is bound to a signer, the name of the inspector is not enough; the signature
// may come later.
func TestSecretsAreForThoseWhoHaveSigned(t *testing.T) {
	key, stranger := signingtest.Key(t), signingtest.Key(t)
	p, h := newPusher(t), &heard{}
	defer p.close()
	file, stop := secretAgent(t, p, h, t.TempDir(), "for: [pg], signers: ['"+key.Public().String()+"']")
	defer stop()
	writeSecret(t, file, "the only value")
	code := secretLength("pg")
	p.push(code)
	r, want := p.awaitReceipt(code, wire.ReceiptRefused), "agent.secrets.pw.signers in the host's configuration wants a signature by "+key.Public().ID()
	if !strings.Contains(r.Reason, want) {
		t.Errorf("the receipt is %+v", r)
	}
	signed := func(keys ...signing.PrivateKey) wire.Assigned {
		item := wire.Assigned{Revision: wire.RevisionOf(code), Code: code}
		for _, k := range keys {
			item.Signatures = append(item.Signatures, wire.Signature{Key: k.Public().ID(), Signature: k.Sign(item.Revision)})
		}
		return item
	}
	forged := signed(stranger)
	forged.Signatures[0].Key = key.Public().ID()
	for _, item := range []wire.Assigned{signed(stranger), forged} {
		p.mu.Change(func() { p.receipts = map[string]wire.Receipt{} })
		p.assign(item)
		p.awaitReceipt(code, wire.ReceiptRefused)
	}
	p.assign(signed(stranger, key))
	p.awaitReceipt(code, wire.ReceiptHealthy)
}

// Running code loses a secret when the key that opened it is revoked, and gets it back when
// the remaining key signs the code.
func TestSecretsAreTakenBackWithTheirKey(t *testing.T) {
	key, next, other := signingtest.Key(t), signingtest.Key(t), signingtest.Key(t)
	p, h := newPusher(t), &heard{}
	defer p.close()
	file, stop := secretAgent(t, p, h, t.TempDir(), "for: [pg, keeps], signers: ['"+key.Public().String()+"', '"+other.Public().String()+"']")
	defer stop()
	writeSecret(t, file, "the only value")
	signed := func(code wire.Code, keys ...signing.PrivateKey) wire.Assigned {
		item := wire.Assigned{Revision: wire.RevisionOf(code), Code: code}
		for _, k := range keys {
			item.Signatures = append(item.Signatures, wire.Sign(k, item.Revision, signing.Statement{Use: signing.UseRun, Number: 1}))
		}
		return item
	}
	loses, keeps := secretLength("pg"), secretLength("keeps")
	p.assign(signed(loses, key), signed(keeps, key, other))
	p.awaitReceipt(loses, wire.ReceiptHealthy)
	p.awaitReceipt(keeps, wire.ReceiptHealthy)
	line := &signing.Line{}
	follows, err := key.Follow(line, next, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	revokes, err := next.Revoke(line, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	said := wire.KeyLines{Lines: []wire.KeyLine{{Statements: []wire.KeyStatement{wire.SaidOf(follows), wire.SaidOf(revokes)}}}}
	if err := p.peer.Call(patience.Context(t), wire.AgentKeys.Name, said, &wire.KeysResult{}); err != nil {
		t.Fatal(err)
	}
	r := p.awaitReceipt(loses, wire.ReceiptRefused)
	if want := "agent.secrets.pw.signers in the host's configuration wants a signature by"; !strings.Contains(r.Reason, want) || r.Running != "" {
		t.Errorf("the receipt is %+v", r)
	}
	p.mu.Change(func() { delete(p.samples, keeps.Name) })
	p.await("more samples of what another key has signed too", func() bool { return p.samples[keeps.Name] != 0 })
	p.assign(signed(loses, key, next), signed(keeps, key, other))
	p.awaitReceipt(loses, wire.ReceiptHealthy)
}
