package inspectors

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Kinds of collectors.
const (
	// CollectScrape scrapes Prometheus exporters.
	CollectScrape = "scrape"
	// CollectStatsD counts StatsD packets that programs send.
	CollectStatsD = "statsd"
)

// Collector is an inspector that the agent runs itself, without an author's code.
// It comes only from the host's own configuration.
type Collector struct {
	// Kind is CollectScrape, CollectStatsD, or one of Probes.
	Kind string
	// Targets are the URLs of exporters, the targets of a probe, or the address on which
	// StatsD is received.
	Targets []string `json:",omitempty"`
	// TargetFiles are files of further targets of a scrape, or patterns of such
	// files, in the form of Prometheus' file_sd_configs.
	TargetFiles []string `json:",omitempty"`
	// Labels are added to every series that it yields.
	Labels map[string]string `json:",omitempty"`
	// HonorLabels keeps the labels of a scraped series if the target has labels of
	// the same names; otherwise they are renamed with exported_ in front.
	HonorLabels bool `json:",omitempty"`
	// Client says how HTTP requests are made.
	Client Client `json:",omitzero"`
	// Params are the parameters of a probe.
	Params Params `json:",omitzero"`
}

// Client says how HTTP requests are made.
type Client struct {
	// User and PasswordFile are for basic authentication.
	User         string `json:",omitempty"`
	PasswordFile string `json:",omitempty"`
	// TokenFile holds a bearer token.
	TokenFile string `json:",omitempty"`
	// CA is a PEM file of the authorities to trust.
	CA string `json:",omitempty"`
	// Cert and Key are PEM files of the certificate to show.
	Cert string `json:",omitempty"`
	Key  string `json:",omitempty"`
	// ServerName is the name in the certificate of the server, if that is not the
	// one in the address.
	ServerName string `json:",omitempty"`
	// Insecure trusts any certificate.
	Insecure bool `json:",omitempty"`
}

// MaxTargets is how many targets one collector may have.
const MaxTargets = 1000

// Validate reports every fault in the collector.
func (c *Collector) Validate() error {
	var faults []error
	switch c.Kind {
	case CollectScrape:
		if len(c.Targets)+len(c.TargetFiles) == 0 {
			faults = append(faults, errors.New("a scrape needs an address"))
		}
		for _, target := range c.Targets {
			faults = append(faults, ValidateURL(target))
		}
	case CollectStatsD:
		if len(c.Targets) != 1 {
			faults = append(faults, errors.New("statsd needs one address"))
		}
		for _, target := range c.Targets {
			faults = append(faults, ValidateListen(target))
		}
	case ProbeHTTP, ProbeTLS, ProbeDNS, ProbeTCP, ProbePing:
		faults = append(faults, c.validateProbe()...)
	default:
		faults = append(faults, fmt.Errorf("there is no collector of kind %s", Quote(c.Kind)))
	}
	if len(c.Targets) > MaxTargets {
		faults = append(faults, fmt.Errorf("%d targets; at most %d are allowed", len(c.Targets), MaxTargets))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		faults = append(faults, Labels{{Name: name, Value: c.Labels[name]}}.Validate())
	}
	faults = append(faults, c.Client.Validate())
	return errors.Join(faults...)
}

// Validate reports every fault in the client.
func (c *Client) Validate() error {
	var faults []error
	check := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	check((c.User == "") != (c.PasswordFile == ""), "user and password_file belong together")
	check(c.TokenFile != "" && c.User != "", "token_file and user are two ways to log in; give one of them")
	check((c.Cert == "") != (c.Key == ""), "cert and key belong together")
	check(c.Insecure && c.CA != "", "insecure trusts every certificate, so ca has no effect; remove one of them")
	return errors.Join(faults...)
}

// ValidateListen checks the address on which packets are received.
func ValidateListen(text string) error {
	const example = "write it as :8125, which is on loopback, or as the path of a socket such as /run/statsd.sock"
	if strings.HasPrefix(text, "/") {
		if len(text) > maxSocketBytes || path.Clean(text) != text {
			return fmt.Errorf("%s is not a plain path of at most %d bytes; %s", Quote(text), maxSocketBytes, example)
		}
		return nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("%s is not an address; %s", Quote(text), example)
	}
	if _, err := netip.ParseAddr(host); host != "" && err != nil {
		return fmt.Errorf("%s is not an address of this host; %s", Quote(host), example)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("the port of %s is not a number from 1 to 65535; %s", Quote(text), example)
	}
	return nil
}

// maxSocketBytes is how long the path of a socket may be.
const maxSocketBytes = 107

// ValidateURL checks the address of an exporter.
func ValidateURL(text string) error { return validateURL(text, "http://127.0.0.1:9100/metrics") }

// validateURL checks an HTTP address.
func validateURL(text, example string) error {
	u, err := url.Parse(text)
	example = "write it as " + example
	switch {
	case strings.Contains(text, "@") && (err != nil || u.User != nil):
		return errors.New("a name or password in the address is shown to everybody who sees the errors of the inspector; use client.user and client.password_file")
	case err != nil:
		return fmt.Errorf("%s is not an address; %s", Quote(text), example)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%s does not start with http:// or https://; %s", Quote(text), example)
	case u.Hostname() == "":
		return fmt.Errorf("%s names no host; %s", Quote(text), example)
	case u.Fragment != "":
		return fmt.Errorf("%s has a part after #, which no server sees; remove it", Quote(text))
	}
	return nil
}

// or fills in the zero fields of a collector's budget, because the answers of exporters are
// longer than the output of a script.
func (c *Collector) or(b Budget) Budget { return b.Or(Budget{Output: MaxOutputBudget}) }
