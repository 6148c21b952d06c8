package master

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// attack is one way in that must be shut. It returns the answer of the master to what
// the attacker sends last.
type attack struct {
	p *provider
	m *Master
	s *surfer
	// spare is a key that is not the provider's.
	spare *rsa.PrivateKey
}

// one picks one of several.
func one[T any](of ...T) T { return of[mathrand.IntN(len(of))] }

// text is random text.
func text() string { return rand.Text()[:1+mathrand.IntN(20)] }

// finish asks the master for an address.
func (a *attack) finish(at *url.URL) *http.Response {
	response, _, _ := a.s.get(at.String())
	return response
}

// with logs in somebody with other claims than alice's.
func (a *attack) with(claims jwt.MapClaims) *http.Response {
	who := alice("sre")
	for name, value := range claims {
		who[name] = value
	}
	a.p.as(who)
	return a.finish(a.s.goOut(""))
}

// changed logs alice in, with other values in what the provider answers.
func (a *attack) changed(values map[string]string) *http.Response {
	a.p.as(alice("sre"))
	at := a.s.goOut("")
	q := at.Query()
	for name, value := range values {
		q.Set(name, value)
	}
	at.RawQuery = q.Encode()
	return a.finish(at)
}

// forged logs alice in, with an ID token that was made by forge.
func (a *attack) forged(forge func(sent jwt.MapClaims, id string) string) *http.Response {
	a.p.as(alice("sre"))
	at := a.s.goOut("")
	a.p.forging(forge)
	defer a.p.forging(nil)
	return a.finish(at)
}

// signed makes an ID token.
func signed(method jwt.SigningMethod, key any, kid any, claims jwt.MapClaims) string {
	token := jwt.NewWithClaims(method, claims)
	if kid != nil {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		return err.Error()
	}
	return text
}

// kidOf is the name of the key in the head of a token.
func kidOf(id string) any {
	head, _, _ := strings.Cut(id, ".")
	data, _ := base64.RawURLEncoding.DecodeString(head)
	var h map[string]any
	_ = json.Unmarshal(data, &h)
	return h["kid"]
}

// flipped changes one bit of a part of a token.
func flipped(id string, part int) string {
	parts := strings.Split(id, ".")
	data, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil || len(data) == 0 {
		return id + "x"
	}
	data[mathrand.IntN(len(data))] ^= 1 << mathrand.IntN(8)
	parts[part] = base64.RawURLEncoding.EncodeToString(data)
	return strings.Join(parts, ".")
}

// attacks are the ways in. Each chooses its input at random.
func attacks() map[string]func(a *attack) *http.Response {
	return map[string]func(a *attack) *http.Response{
		"forged state": func(a *attack) *http.Response { return a.changed(map[string]string{"state": one("", text(), "null")}) },
		"forged code":  func(a *attack) *http.Response { return a.changed(map[string]string{"code": text()}) },
		"mix-up": func(a *attack) *http.Response {
			return a.changed(map[string]string{"iss": one("https://evil.example", a.p.Issuer()+"/", text())})
		},
		"error": func(a *attack) *http.Response {
			return a.changed(map[string]string{"error": one("access_denied", text())})
		},
		"no cookie": func(a *attack) *http.Response { at := a.begun(); a.s = newSurfer(a.s.t, a.m); return a.finish(at) },
		"other browser": func(a *attack) *http.Response {
			at := a.begun()
			a.s = newSurfer(a.s.t, a.m)
			a.begun()
			return a.finish(at)
		},
		"replay": func(a *attack) *http.Response {
			at := a.begun()
			kept := a.s.Jar.Cookies(at)
			a.finish(at)
			a.s.Jar.SetCookies(at, kept)
			return a.finish(at)
		},
		"changed cookie": func(a *attack) *http.Response {
			at := a.begun()
			kept := a.s.Jar.Cookies(at)
			for _, c := range kept {
				value := []byte(c.Value)
				value[mathrand.IntN(len(value)-1)] ^= 1 + byte(mathrand.IntN(3))
				c.Value = string(value)
			}
			a.s.Jar.SetCookies(at, kept)
			return a.finish(at)
		},
		"nonce": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"nonce": one[any](nil, text(), mathrand.IntN(9), []string{text()})})
		},
		"audience": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"aud": one[any](nil, text(), []string{}, []string{text(), "Vedette"}, []string{"vedette", text()}, 5)})
		},
		"party": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"azp": one[any](text(), "", 7, []string{"vedette"})})
		},
		"issuer": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"iss": one[any](nil, text(), a.p.Issuer()+"/", strings.ToUpper(a.p.Issuer()), 3)})
		},
		"expired": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"exp": one[any](nil, 0, time.Now().Unix()-1-mathrand.Int64N(1e9), text())})
		},
		"too soon": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"nbf": time.Now().Unix() + 600 + mathrand.Int64N(1e9)})
		},
		"unverified": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"email_verified": one[any](nil, false, "false", "", 1, "TRUE ", []any{true})})
		},
		"domain": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"email": one("a@evil.example", "a@example.org.evil.example", "a@evilexample.org", "a@example.org@evil.example",
				"a@sub.example.org", "example.org", "a@", "@example.org", "a@example.org.", text()+"@"+text())})
		},
		"groups": func(a *attack) *http.Response {
			odd := one[any](mathrand.IntN(9), true, map[string]any{"sre": true}, []any{"sre", 1}, []any{[]any{"sre"}}, []any{nil, "sre"}, 1.5)
			return a.with(jwt.MapClaims{"groups": odd})
		},
		"no role": func(a *attack) *http.Response {
			groups := one[any](nil, "", []string{}, []string{text()}, "sre,dba", "SRE", []string{"sre "}, []string{"sre,staff"})
			return a.with(jwt.MapClaims{"groups": groups, "sub": text()})
		},
		"name": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"sub": text(), "email": one[any](nil, "", 5, "a b@example.org", "a\n@example.org", "<b>@example.org", "root@example.org",
				strings.Repeat("a", 200)+"@example.org", []string{"a@example.org"})})
		},
		"taken name": func(a *attack) *http.Response {
			return a.with(jwt.MapClaims{"sub": text() + "-2", "email": one("bob@example.org", "BOB@example.org")})
		},
		"no subject": func(a *attack) *http.Response { return a.with(jwt.MapClaims{"sub": one[any]("", nil)}) },
		"no ID token": func(a *attack) *http.Response {
			return a.forged(func(jwt.MapClaims, string) string { return one("", text(), "a.b.c", "..") })
		},
		"flipped bit": func(a *attack) *http.Response {
			return a.forged(func(_ jwt.MapClaims, id string) string { return flipped(id, mathrand.IntN(3)) })
		},
		"no signature": func(a *attack) *http.Response {
			return a.forged(func(_ jwt.MapClaims, id string) string { return id[:strings.LastIndexByte(id, '.')+1] })
		},
		"alg none": func(a *attack) *http.Response {
			return a.forged(func(sent jwt.MapClaims, id string) string {
				return signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, one(nil, kidOf(id)), sent)
			})
		},
		"alg HMAC": func(a *attack) *http.Response {
			return a.forged(func(sent jwt.MapClaims, id string) string {
				key := one([]byte(a.p.ClientSecret), a.p.Keypair.PublicKey.N.Bytes())
				return signed(one(jwt.SigningMethodHS256, jwt.SigningMethodHS512), key, one(nil, kidOf(id)), sent)
			})
		},
		"foreign key": func(a *attack) *http.Response {
			return a.forged(func(sent jwt.MapClaims, id string) string {
				return signed(one[jwt.SigningMethod](jwt.SigningMethodRS256, jwt.SigningMethodPS256), a.spare, one(nil, kidOf(id), any(text())), sent)
			})
		},
		"ID token of another log-in": func(a *attack) *http.Response {
			var old string
			a.forged(func(_ jwt.MapClaims, id string) string { old = id; return id })
			a.s = newSurfer(a.s.t, a.m)
			return a.forged(func(jwt.MapClaims, string) string { return old })
		},
	}
}

// begun begins alice's log-in, and returns where the provider sends her back.
func (a *attack) begun() *url.URL {
	a.p.as(alice("sre"))
	return a.s.goOut("")
}

// Nobody gets in by any of the attacks, in a random order and with random input: there
// is no session, and the audit log has a refusal. Between
// them people get in as ever.
func TestOIDCAttacks(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, func(cfg *config.Master) {
		cfg.Tokens = append(cfg.Tokens, token("root@example.org", "admin", ""))
	})
	bob := alice("staff")
	bob["sub"], bob["email"] = "bob-1", "bob@example.org"
	logInAs(t, m, p, bob)
	spare, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	all := attacks()
	var rounds []string
	for name := range all {
		rounds = append(rounds, name, name)
	}
	mathrand.Shuffle(len(rounds), func(i, j int) { rounds[i], rounds[j] = rounds[j], rounds[i] })
	for i, name := range rounds {
		a := &attack{p: p, m: m, s: newSurfer(t, m), spare: spare}
		response := all[name](a)
		if response.StatusCode != http.StatusForbidden || session(response) != nil || response.Header.Get("Location") != "" {
			t.Fatalf("%s: %s, %v", name, response.Status, response.Cookies())
		}
		if i%10 == 0 {
			logInAs(t, m, p, alice("sre"))
		}
	}
	reasons := make(map[string]bool)
	refusals := 0
	for _, e := range entries(t, m, "users.login") {
		if e.Outcome != "ok" {
			refusals++
			reasons[e.Outcome] = true
			if e.Who != "nobody" || !strings.HasPrefix(e.Outcome, "refused: ") {
				t.Errorf("the audit log says %+v", e)
			}
		}
	}
	if len(reasons) < 14 || refusals < len(reasons) {
		t.Errorf("the audit log knows %d reasons in %d refusals: %v", len(reasons), refusals, reasons)
	}
	boss := dial(t, m, nil, rpc.DialOptions{Header: bearer("boss")})
	for _, u := range call[wire.UsersResult](t, boss, wire.UsersList.Name, nil).Users {
		if !slices.Contains([]string{"alice@example.org", "bob@example.org"}, u.Name) {
			t.Errorf("there is a user %+v", u)
		}
	}
}

// What the browser and the audit log are told of a refusal has nothing that the provider,
// or a stranger, has sent.
func TestOIDCRefusalTellsNothing(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, nil)
	const mark = "<script>mark"
	for _, values := range []map[string]string{{"state": mark}, {"iss": mark}, {"error": mark, "error_description": mark}, {"code": mark}} {
		p.as(alice("sre"))
		s := newSurfer(t, m)
		at := s.goOut(mark)
		q := at.Query()
		for name, value := range values {
			q.Set(name, value)
		}
		at.RawQuery = q.Encode()
		response, text, _ := s.get(at.String())
		policy := response.Header.Get("Content-Security-Policy")
		if response.StatusCode != http.StatusForbidden || strings.Contains(text, "mark") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%v is answered with %s %s %v", values, response.Status, text, response.Header)
		}
	}
	for _, e := range entries(t, m, "users.login") {
		if strings.Contains(e.Outcome+e.Subject+e.Detail, "mark") {
			t.Errorf("the audit log says %+v", e)
		}
	}
}

// Wherever the link to log in says, the browser ends on the page of the master.
func TestOIDCNext(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, nil)
	pieces := []string{
		"/", "//", "\\", "evil.example", "https:", "https://evil.example", "..", "@", "%2f", "%5c", "\t", "\r\n", "?", "#", "javascript:", "hosts",
		"%00", ":", ".",
	}
	for range 40 {
		next := one("/", "//", "", "/\\")
		for range mathrand.IntN(6) {
			next += one(pieces...)
		}
		p.as(alice("staff"))
		s := newSurfer(t, m)
		response, _, to := s.get(s.goOut(next).String())
		if to == nil || to.Scheme+"://"+to.Host != m.URL() || session(response) == nil || len(response.Header.Values("Location")) != 1 {
			t.Errorf("next=%q: %s, to %v", next, response.Status, to)
		}
	}
	patience.Until(t, "the sessions in the list of users", func() bool { return len(m.users.List(time.Now())) == 1 })
}
