package ingest

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// remoteHost returns the host of a series from another system: its label "host", or the
// address in its label "instance", which may be a URL, or its job. Characters that the
// name of a host may not have become "-".
func remoteHost(labels map[string]string) string {
	for _, name := range []string{labelHost, labelInstance, labelJob} {
		value := labels[name]
		if name == labelInstance {
			value = cmp.Or(hostOfInstance(value), value)
		}
		if host := fitHost(value); host != "" {
			return host
		}
	}
	return ""
}

// hostOfInstance returns the host that was scraped, from host:port, [address]:port, or a
// URL such as that of a probe.
func hostOfInstance(instance string) string {
	if strings.Contains(instance, "://") {
		if u, err := url.Parse(instance); err == nil && u.Hostname() != "" {
			return u.Hostname()
		}
		_, instance, _ = strings.Cut(instance, "://")
	}
	if _, err := netip.ParseAddr(instance); err == nil {
		return instance // an address without a port
	}
	authority, _, _ := strings.Cut(instance, "/")
	if authority == "" {
		return instance // a path
	}
	if host, _, err := net.SplitHostPort(authority); err == nil && host != "" {
		return host
	}
	return strings.Trim(authority, "[]")
}

// fitHost makes the name of a host from a text; "" if nothing is left.
func fitHost(text string) string {
	if inspectors.ValidateHost(text) == nil {
		return text
	}
	prefix := ""
	if address, err := netip.ParseAddr(text); err == nil && address.Is6() {
		prefix = "ip6-" // ::1 is ip6---1
	}
	fit := prefix + strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, strings.TrimPrefix(text, "/"))
	// Without its beginning, a name could be that of another host: "../web-1" is not web-1.
	if text != "" && (fit == "" || len(fit) > inspectors.MaxHostBytes || fit != strings.TrimLeft(fit, "-_.")) {
		return inspectors.Digested(text, inspectors.MaxSegmentBytes, "-")
	}
	return fit
}
