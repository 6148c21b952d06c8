package config

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// HTTPClient is how requests of HTTP are made.
type HTTPClient struct {
	// User is the name for basic authentication.
	User string `yaml:"user"`
	// PasswordFile holds the password of that user and nothing else.
	PasswordFile string `yaml:"password_file" path:"true"`
	// TokenFile holds a bearer token and nothing else. It is read for each request.
	TokenFile string `yaml:"token_file" path:"true"`
	// CA is a PEM file of the authorities to trust.
	CA string `yaml:"ca" absent:"the authorities of the system" path:"true"`
	// Cert is a PEM file of the certificate to show.
	Cert string `yaml:"cert" path:"true"`
	// Key is a PEM file of the key of that certificate.
	Key string `yaml:"key" path:"true"`
	// ServerName is the name in the certificate of the server.
	ServerName string `yaml:"server_name" absent:"the host of the address"`
	// Insecure trusts any certificate.
	Insecure bool `yaml:"insecure" default:"false"`
}

// collector returns what the agent does itself for an inspector, or nil.
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
	default:
		return nil
	}
	return c
}

// collectors checks what stands in an inspector for collectors alone.
func (l *loader) collectors(at string, in Inspector, files bool) {
	c := in.collector()
	if c == nil {
		for _, field := range []string{"labels", "honor_labels", "client"} {
			_, given := l.origins[l.child(at, field)]
			l.check(given, l.child(at, field), "only scrape has this; remove it")
		}
		return
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
		for fault := range strings.SplitSeq(err.Error(), "\n") {
			l.check(true, client, "%s", fault)
		}
	}
	l.check(in.Isolation != "", l.child(at, "isolation"), "a %s runs in the agent itself; remove it", c.Kind)
	for _, field := range []string{"heap", "cpu"} {
		_, given := l.origins[l.child(l.child(at, "budget"), field)]
		l.check(given, l.child(l.child(at, "budget"), field), "the %s of a %s is not measured; remove it", field, c.Kind)
	}
	if files {
		l.clientFiles(client, in.Client)
	}
}

// address checks an address of HTTP. The line of one with a password is not shown.
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
