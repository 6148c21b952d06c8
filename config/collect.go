package config

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// HTTPClient says how to make HTTP requests.
type HTTPClient struct {
	// User is the name for basic authentication.
	User string `yaml:"user"`
	// PasswordFile holds the password of that user and nothing else.
	PasswordFile string `yaml:"password_file" path:"true" private:"true"`
	// TokenFile holds a bearer token and nothing else. It is read for each request.
	TokenFile string `yaml:"token_file" path:"true" private:"true"`
	// CA is a PEM file of the authorities to trust.
	CA string `yaml:"ca" absent:"the authorities of the system" path:"true"`
	// Cert is a PEM file of the certificate to show.
	Cert string `yaml:"cert" path:"true"`
	// Key is a PEM file of the key of that certificate.
	Key string `yaml:"key" path:"true" private:"true"`
	// ServerName is the name in the certificate of the server.
	ServerName string `yaml:"server_name" absent:"the host of the address"`
	// Insecure trusts any certificate.
	Insecure bool `yaml:"insecure" default:"false"`
}

// Params say what a probe asks, and what it expects.
type Params struct {
	// Targets are the things to ask: for http addresses such as
	// https://example.org/, for tls-expiry and tcp host:port, for dns names, for
	// ping names and addresses.
	Targets []string `yaml:"targets"`
	// Method is the method of http requests, GET or HEAD.
	Method string `yaml:"method" absent:"GET"`
	// Status lists the statuses that http expects.
	Status []int `yaml:"status" absent:"any from 200 to 299"`
	// Body is a regular expression that must match the body of an http answer.
	Body string `yaml:"body"`
	// Server is the host:port of the name server that dns asks.
	Server string `yaml:"server" absent:"that of the system"`
	// Record is the type of record that dns asks for: A, AAAA, CNAME, MX, NS or
	// TXT.
	Record string `yaml:"record" absent:"the addresses"`
	// Send is the text that tcp sends, exactly as it is.
	Send string `yaml:"send"`
	// Expect is a regular expression that must match the answer of tcp.
	Expect string `yaml:"expect"`
	// Packets is how many packets ping sends, at most 20.
	Packets int `yaml:"packets" absent:"3"`
}

// params are those of a collector.
func (p Params) params() inspectors.Params {
	return inspectors.Params{
		Method: p.Method, Status: p.Status, Body: p.Body, Server: p.Server, Record: p.Record, Send: p.Send, Expect: p.Expect, Packets: p.Packets,
	}
}

// collector returns the collector that the agent runs for an inspector, or nil.
func (in *Inspector) collector() *inspectors.Collector {
	c := &inspectors.Collector{
		Labels: in.Labels, HonorLabels: in.HonorLabels, TargetFiles: in.FileSD, Client: inspectors.Client(in.Client),
	}
	switch {
	case in.Scrape != "" || len(in.FileSD) > 0:
		c.Kind = inspectors.CollectScrape
		if in.Scrape != "" {
			c.Targets = []string{in.Scrape}
		}
	case in.StatsD != "":
		c.Kind, c.Targets = inspectors.CollectStatsD, []string{in.StatsD}
	case in.Probe != "":
		c.Kind, c.Targets, c.Params = in.Probe, in.Params.Targets, in.Params.params()
	default:
		return nil
	}
	return c
}

// collectors checks the fields of an inspector that are for collectors alone.
func (l *loader) collectors(at string, in Inspector, files bool) {
	c := in.collector()
	if c == nil {
		l.only(at, "scrape, statsd and probe have", "labels")
		l.only(at, "scrape and probe have", "client")
		l.only(at, "scrape has", "honor_labels")
		l.only(at, "probe has", "params")
		return
	}
	switch c.Kind {
	case inspectors.CollectScrape:
		l.only(at, "probe has", "params")
	case inspectors.CollectStatsD:
		l.only(at, "probe has", "params")
		l.only(at, "scrape has", "honor_labels")
		l.only(at, "scrape and the probe http have", "client")
		err := inspectors.ValidateListen(in.StatsD)
		l.check(err != nil, l.child(at, "statsd"), "%v", err)
	default:
		l.probe(at, c)
	}
	if in.Scrape != "" {
		l.address(l.child(at, "scrape"), in.Scrape)
	}
	labels := l.child(at, "labels")
	for _, name := range slices.Sorted(maps.Keys(in.Labels)) {
		if err := (inspectors.Labels{{Name: name, Value: in.Labels[name]}}).Validate(); err != nil {
			l.fault(l.atKey(l.entry(labels, name)), "%s: %v", labels, err)
		}
	}
	client := l.child(at, "client")
	if err := c.Client.Validate(); err != nil {
		l.check(true, client, "%s", inOneLine(err))
	}
	l.check(in.Isolation != "", l.child(at, "isolation"), "%s runs in the agent itself; remove it", c.Kind)
	for _, field := range []string{"heap", "cpu"} {
		_, given := l.origins[l.child(l.child(at, "budget"), field)]
		l.check(given, l.child(l.child(at, "budget"), field), "the %s of %s is not measured, because the agent itself runs it; remove it", field, c.Kind)
	}
	if files {
		l.clientFiles(client, in.Client)
	}
}

// only refuses fields that the kind of the inspector does not use.
func (l *loader) only(at, who string, fields ...string) {
	for _, field := range fields {
		_, given := l.origins[l.child(at, field)]
		l.check(given, l.child(at, field), "only %s this; remove it", who)
	}
}

// probe checks the params of a probe.
func (l *loader) probe(at string, c *inspectors.Collector) {
	l.only(at, "scrape has", "honor_labels")
	params := l.child(at, "params")
	if !slices.Contains(inspectors.Probes(), c.Kind) {
		return // the setting itself reports that fault
	}
	targets := l.child(params, "targets")
	sound := *c
	sound.Targets = nil
	for i, target := range c.Targets {
		if err := c.ValidateTarget(target); err != nil {
			l.check(true, l.entry(targets, i), "%v", err)
			continue
		}
		sound.Targets = append(sound.Targets, target)
	}
	if len(c.Targets) > 0 && len(sound.Targets) == 0 {
		sound.Targets = []string{c.Example()} // the rest is checked in any case
	}
	sound.Labels, sound.Client = nil, inspectors.Client{}
	if err := sound.Validate(); err != nil {
		l.check(true, params, "%s", inOneLine(err))
	}
	if c.Kind != inspectors.ProbeHTTP {
		l.only(at, "scrape and the probe http have", "client")
	}
}

// inOneLine is the text of several faults at one place.
func inOneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// address checks an HTTP address. If it has a password, its line is not shown.
func (l *loader) address(at, text string) {
	err := inspectors.ValidateURL(text)
	if err != nil && strings.Contains(text, "@") {
		l.faults = append(l.faults, Fault{Origin: l.at(at), Message: at + ": " + err.Error()})
		return
	}
	l.check(err != nil, at, "%v", err)
}

// clientFiles checks the files that requests need.
func (l *loader) clientFiles(at string, c HTTPClient) {
	for field, path := range map[string]string{"password_file": c.PasswordFile, "token_file": c.TokenFile, "key": c.Key} {
		if path == "" {
			continue
		}
		if _, err := readSecret(path, maxKeyBytes); err != nil {
			l.check(true, l.child(at, field), "%v", err)
		}
	}
	for field, path := range map[string]string{"ca": c.CA, "cert": c.Cert} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			l.check(true, l.child(at, field), "%v", fileError(path, err))
		}
	}
}
