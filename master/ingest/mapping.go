package ingest

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
)

// remoteHost returns the host that a series of another system is of: its label
// "host", or the address in its label "instance", which may be a URL, or its job.
// What the name of a host may not hold becomes "-".
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

// hostOfInstance returns the host of what was scraped: host:port, [address]:port, or
// a URL, as of a probe.
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

// fitHost makes the name of a host of a text, "" where nothing is left.
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
	}, text)
	fit = strings.TrimLeft(fit, "-_.")
	if fit == "" || len(fit) > inspectors.MaxHostBytes {
		if text == "" {
			return ""
		}
		return history.Digested(text, inspectors.MaxSegmentBytes, "-")
	}
	return fit
}

// isMetricName reports whether a name is one of Prometheus' classic form.
func isMetricName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == ':'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// remoteKey makes a key of the name of a metric, with its own chart. A name that is
// longer than a segment may be is divided at its underscores. One that is no key even
// so becomes letters, and ends in a digest of the whole.
func remoteKey(name string) string {
	const most = inspectors.MaxSegmentBytes
	var segments []string
	rest := name
	for isMetricName(name) && len(rest) > most {
		cut := strings.LastIndexByte(rest[:most], '_')
		if cut <= 0 {
			break
		}
		segments = append(segments, rest[:cut])
		rest = rest[cut+1:]
	}
	key := strings.Join(append(segments, rest), "/")
	if !isMetricName(name) || inspectors.ValidateKey(key) != nil {
		return history.Digested(name, most, "-")
	}
	return key
}
