package inspectors

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]string{
		"db-1:5432": "db-1:5432", "DB-1.Example.:443": "db-1.example:443", "10.0.0.5:*": "10.0.0.5:*", "10.0.0.0/8": "10.0.0.0/8:*",
		"10.0.0.0/8:443": "10.0.0.0/8:443", "[::1]:8080": "[::1]:8080", "[fd00::/8]:443": "[fd00::/8]:443", "fd00::/8": "[fd00::/8]:*",
		"[::ffff:10.0.0.5]:1": "10.0.0.5:1", "_x.y:1": "_x.y:1",

		"": "", "db-1": "", "db-1:": "", "db-1:0": "", "db-1:65536": "", "db-1:http": "", ":80": "", "10.1.0.0/8:1": "", "10.0.0.0/33:1": "",
		"127.1:80": "", "0x7f000001:80": "", "2130706433:80": "", "a..b:1": "", "-a:1": "", "fe80::1%eth0:1": "", "[fe80::1%eth0]:1": "", "::1:80": "",
		"[::ffff:10.0.0.0/104]:1": "", "a b:1": "", "a/b:1": "", "*:80": "",
	} {
		e, err := ParseEndpoint(text)
		if got := e.String(); err == nil && got != want || (err == nil) != (want != "") {
			t.Errorf("ParseEndpoint(%q) = %q, %v, want %q", text, got, err, want)
		}
		if err != nil {
			continue
		}
		if again, err := ParseEndpoint(e.String()); err != nil || again != e {
			t.Errorf("%q is read back as %v, %v", e.String(), again, err)
		}
		if n, err := ParseNeeds("net:" + text); err != nil || n.String() != "net:"+e.String() {
			t.Errorf("net:%s is the need %q, %v", text, n, err)
		}
	}
}

// TestNearIsNamed checks with random addresses that near ones are reached only through
// endpoints that are entirely near.
func TestNearIsNamed(t *testing.T) {
	for _, text := range []string{
		"127.0.0.1", "127.255.0.1", "0.0.0.0", "0.1.2.3", "::", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1", "fe80::1%lo", "febf::1",
		"ff02::1", "224.0.0.251", "255.255.255.255", "fd00:ec2::254", "100.100.100.200", "192.0.0.192",
	} {
		if !Near(netip.MustParseAddr(text)) {
			t.Errorf("%s is not near", text)
		}
	}
	for _, text := range []string{"10.0.0.1", "128.0.0.1", "1.0.0.0", "169.253.0.1", "::2", "fec0::1", "2001:db8::1", "fd00::1"} {
		if Near(netip.MustParseAddr(text)) {
			t.Errorf("%s is near", text)
		}
	}
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	addr := func() netip.Addr {
		if random.IntN(2) == 0 {
			starts := []byte{0, 127, 169, 10, 224, 255, byte(random.Uint32())}
			second := []byte{254, byte(random.Uint32())}
			return netip.AddrFrom4([4]byte{starts[random.IntN(len(starts))], second[random.IntN(2)], byte(random.IntN(2)), byte(random.Uint32())})
		}
		var a [16]byte
		for i := range a {
			a[i] = byte(random.Uint32()) * byte(random.IntN(2))
		}
		if random.IntN(3) == 0 {
			copy(a[:], []byte{0xfe, 0x80})
		}
		return netip.AddrFrom16(a)
	}
	none := func(string) []netip.Addr { return nil }
	for range 20_000 {
		a, port := addr(), uint16(1+random.IntN(3))
		e := Endpoint{Prefix: netip.PrefixFrom(a.Unmap(), random.IntN(a.Unmap().BitLen()+1)).Masked(), Port: uint16(random.IntN(4))}
		to := netip.AddrPortFrom(a, port)
		inside := e.Prefix.Contains(a.Unmap()) && (e.Port == 0 || e.Port == port)
		if want := inside && (!Near(a) || e.Near()); e.Allows(to, none) != want {
			t.Fatalf("%v allows %v: %v, want %v", e, to, !want, want)
		}
		named := Endpoint{Name: "h", Port: e.Port}
		of := func(string) []netip.Addr { return []netip.Addr{a} }
		if want := !Near(a) && (e.Port == 0 || e.Port == port); named.Allows(to, of) != want {
			t.Fatalf("a name that stands for %v allows it: %v, want %v", a, !want, want)
		}
		// An endpoint that covers another allows everything that the other allows.
		wider := Endpoint{Prefix: netip.PrefixFrom(e.Prefix.Addr(), random.IntN(e.Prefix.Bits()+1)).Masked(), Port: []uint16{0, e.Port}[random.IntN(2)]}
		if wider.covers(e) && e.Allows(to, none) && !wider.Allows(to, none) {
			t.Fatalf("%v covers %v and does not allow %v", wider, e, to)
		}
	}
}

func TestPolicyOfEndpoints(t *testing.T) {
	for _, c := range []struct {
		policy  Policy
		needs   string
		allowed bool
	}{
		{Policy{Net: true}, "net net:10.0.0.1:80 net:db-1:5432 net:0.0.0.0/0", true},
		{Policy{Net: true}, "net:127.0.0.1:80", false},
		{Policy{Net: true}, "net:localhost:80", false},
		{Policy{Net: true}, "net:169.254.169.254:80", false},
		{Policy{Net: true, Endpoints: []string{"127.0.0.0/8:80"}}, "net net:127.0.0.1:80", true},
		{Policy{Endpoints: []string{"127.0.0.0/8:80"}}, "net:127.0.0.1:81", false},
		{Policy{Endpoints: []string{"0.0.0.0/0"}}, "net:127.0.0.1:80", false},
		{Policy{Endpoints: []string{"0.0.0.0/0"}}, "net:10.0.0.1:80", true},
		{Policy{Endpoints: []string{"0.0.0.0/0", "::/0"}}, "net", false},
		{Policy{Endpoints: []string{"10.0.0.0/8:443"}}, "net:10.0.0.0/8", false},
		{Policy{Endpoints: []string{"10.0.0.0/8:443"}}, "net:10.0.0.0/7:443", false},
		{Policy{Endpoints: []string{"db-1:*"}}, "net:DB-1:5432", true},
		{Policy{Endpoints: []string{"db-1:5432"}}, "net:db-2:5432", false},
		{Policy{Endpoints: []string{"10.0.0.0/8"}}, "net:db-1:5432", false},
		{Policy{Net: true, Files: []string{"/run"}}, "unix:/run/app.sock", false},
		{Policy{Sockets: []string{"/run/app"}}, "unix:/run/app/a.sock unix:/run/app", true},
		{Policy{Sockets: []string{"/run/app"}}, "unix:/run/app2", false},
	} {
		n, err := ParseNeeds(c.needs)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.policy.Check(n); (err == nil) != c.allowed {
			t.Errorf("%+v of %q: %v", c.policy, c.needs, err)
		}
	}
}
