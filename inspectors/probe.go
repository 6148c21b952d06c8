package inspectors

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Kinds of collectors that ask a service whether it is well.
const (
	ProbeHTTP = "http"
	ProbeTLS  = "tls-expiry"
	ProbeDNS  = "dns"
	ProbeTCP  = "tcp"
	ProbePing = "ping"
)

// Probes lists the kinds of probes.
func Probes() []string { return []string{ProbeHTTP, ProbeTLS, ProbeDNS, ProbeTCP, ProbePing} }

// Params say what a probe asks, and what it expects. Each field applies only to some kinds.
type Params struct {
	// Method is that of the requests of http; "" is GET.
	Method string `json:",omitempty"`
	// Status lists the statuses that http expects; none is any from 200 to 299.
	Status []int `json:",omitempty"`
	// Body is a regular expression that the answer of http must contain.
	Body string `json:",omitempty"`
	// Server is the name server that dns asks, host:port; "" is the system's.
	Server string `json:",omitempty"`
	// Record is what dns asks for; "" is the addresses, A and AAAA.
	Record string `json:",omitempty"`
	// Send is the text that tcp sends, and Expect a regular expression that the answer must
	// contain.
	Send   string `json:",omitempty"`
	Expect string `json:",omitempty"`
	// Packets is how many packets ping sends; 0 is three.
	Packets int `json:",omitempty"`
}

// MaxPackets is how many packets a ping may send.
const MaxPackets = 20

// records are what dns can ask for.
func records() []string { return []string{"A", "AAAA", "CNAME", "MX", "NS", "TXT"} }

// methods are those of http that change nothing.
func methods() []string { return []string{http.MethodGet, http.MethodHead} }

// validateProbe reports every fault of a probe.
func (c *Collector) validateProbe() (faults []error) {
	if len(c.Targets) == 0 {
		faults = append(faults, fmt.Errorf("a probe needs params.targets, such as %s", c.Example()))
	}
	for _, target := range c.Targets {
		faults = append(faults, c.ValidateTarget(target))
	}
	only := func(given bool, field string, kinds ...string) {
		if given && !slices.Contains(kinds, c.Kind) {
			faults = append(faults, fmt.Errorf("params.%s is for %s, not for %s; remove it", field, strings.Join(kinds, " and "), c.Kind))
		}
	}
	p := &c.Params
	only(p.Method != "", "method", ProbeHTTP)
	only(len(p.Status) > 0, "status", ProbeHTTP)
	only(p.Body != "", "body", ProbeHTTP)
	only(p.Server != "", "server", ProbeDNS)
	only(p.Record != "", "record", ProbeDNS)
	only(p.Send != "", "send", ProbeTCP)
	only(p.Expect != "", "expect", ProbeTCP)
	only(p.Packets != 0, "packets", ProbePing)
	only(c.Client != Client{}, "client", ProbeHTTP)
	return append(faults, p.validate()...)
}

// validate reports every fault of the values.
func (p *Params) validate() (faults []error) {
	check := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(p.Method != "" && !slices.Contains(methods(), p.Method), "params.method %s is not one of %s", Quote(p.Method), strings.Join(methods(), ", "))
	for _, status := range p.Status {
		check(status < 100 || status > 599, "params.status %d is not between 100 and 599", status)
	}
	for field, text := range map[string]string{"body": p.Body, "expect": p.Expect} {
		_, err := regexp.Compile(text)
		check(err != nil, "params.%s is not a regular expression: %v", field, err)
	}
	check(p.Server != "" && validateHostPort(p.Server) != nil, "params.server: %v", validateHostPort(p.Server))
	check(p.Record != "" && !slices.Contains(records(), p.Record), "params.record %s is not one of %s", Quote(p.Record), strings.Join(records(), ", "))
	check(p.Packets < 0 || p.Packets > MaxPackets, "params.packets %d is not between 1 and %d", p.Packets, MaxPackets)
	return faults
}

// ValidateTarget checks a target of a probe.
func (c *Collector) ValidateTarget(target string) error {
	switch c.Kind {
	case ProbeHTTP:
		return validateURL(target, c.Example())
	case ProbeTLS, ProbeTCP:
		return validateHostPort(target)
	}
	if _, err := netip.ParseAddr(target); err == nil && c.Kind == ProbePing {
		return nil
	}
	if err := validateDNSName(target); err != nil {
		return fmt.Errorf("%w; write it as %s", err, c.Example())
	}
	return nil
}

// Example is a target of the kind.
func (c *Collector) Example() string {
	switch c.Kind {
	case ProbeHTTP:
		return "https://example.org/"
	case ProbeTLS, ProbeTCP:
		return "example.org:443"
	}
	return "example.org"
}

func validateHostPort(text string) error {
	const example = "write it as example.org:443"
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("%s is not a host with a port; %s", Quote(text), example)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("the port of %s is not a number from 1 to 65535; %s", Quote(text), example)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	return validateDNSName(host)
}

// validateDNSName checks the name of a host, with "_" as services have it.
func validateDNSName(name string) error {
	if name == "" {
		return errors.New("the name of the host is empty")
	}
	for _, r := range name {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.') {
			return fmt.Errorf("%s is not the name of a host: it has %q", Quote(name), r)
		}
	}
	if len(name) > MaxHostBytes {
		return fmt.Errorf("%s is longer than %d bytes", Quote(name), MaxHostBytes)
	}
	return nil
}
