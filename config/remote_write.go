package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// RemoteWrite is a store to which the master sends every sample that it takes, by
// Prometheus remote write.
type RemoteWrite struct {
	// URL is the address for remote write, for example
	// http://prometheus:9090/api/v1/write.
	URL string `yaml:"url" required:"true"`
	// TokenFile holds a bearer token and nothing else. A file that every user
	// of the machine can read is refused.
	TokenFile string `yaml:"token_file" path:"true" private:"true"`
	// Token is the content of TokenFile.
	Token string `yaml:"-"`
	// Labels are added to every series that does not have them, for example site:
	// berlin.
	Labels map[string]string `yaml:"labels"`
	// MaxBytes bounds the queue on disk; the oldest samples are dropped first.
	MaxBytes Bytes `yaml:"max_bytes" default:"0" min:"64MiB" zero:"1GiB"`
}

const maxRemoteWrite = 10

// eachRemoteWrite calls do with each entry and its path.
func (l *loader) eachRemoteWrite(do func(path string, r *RemoteWrite)) {
	for i := range l.c.Master.RemoteWrite {
		do(l.entry("master.remote_write", i), &l.c.Master.RemoteWrite[i])
	}
}

// remoteWrite checks the entries.
func (l *loader) remoteWrite() {
	l.check(len(l.c.Master.RemoteWrite) > maxRemoteWrite, "master.remote_write", "%d stores are named; at most %d are allowed", len(l.c.Master.RemoteWrite),
		maxRemoteWrite)
	seen := make(map[string]bool)
	l.eachRemoteWrite(func(path string, r *RemoteWrite) {
		p := l.child(path, "url")
		u, err := url.Parse(r.URL)
		switch {
		case r.URL == "":
			l.check(!l.broken[path], path, "the url is missing; write it as http://prometheus:9090/api/v1/write")
		case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
			l.check(true, p, "%s is not an address; write it as http://prometheus:9090/api/v1/write", quote(r.URL))
		case u.User != nil:
			// The address is not shown: it contains a secret.
			l.faults = append(l.faults, Fault{
				Origin:  l.at(p),
				Message: p + ": a name or password in the address is not used; put a token into a file and name that in token_file",
			})
		case seen[r.URL]:
			l.check(true, p, "%s is given twice", quote(r.URL))
		case r.TokenFile != "" && !isTLS(u) && !IsLoopback(u.Hostname()):
			l.check(true, p, "the token would cross the network in clear to %s; write https://, or remove token_file", quote(r.URL))
		}
		seen[r.URL] = true
		names := make([]string, 0, len(r.Labels))
		for name := range r.Labels {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if _, err := inspectors.LabelsFromMap(map[string]string{name: r.Labels[name]}); err != nil {
				l.fault(l.atKey(l.entry(l.child(path, "labels"), name)), "%s: %v", l.child(path, "labels"), err)
			}
		}
	})
}

// remoteWriteFiles reads the tokens.
func (l *loader) remoteWriteFiles() {
	l.eachRemoteWrite(func(path string, r *RemoteWrite) {
		if r.TokenFile == "" {
			return
		}
		r.Token = l.token(l.child(path, "token_file"), r.TokenFile)
	})
}

// token reads a bearer token from a file.
func (l *loader) token(p, file string) string {
	text, err := readSecret(file, maxTokenBytes)
	token := strings.TrimSpace(string(text))
	switch {
	case err != nil:
		l.check(true, p, "%v", err)
	case token == "":
		l.check(true, p, "the file %s is empty; it must hold the token", quote(file))
	case strings.ContainsAny(token, " \t\r\n"):
		l.check(true, p, "the file %s holds more than one word; it must hold the token alone", quote(file))
	}
	return token
}
