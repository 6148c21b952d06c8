package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// othersMayRead are the permission bits of a file that any user can read.
const othersMayRead fs.FileMode = 0o004

// readSecret reads a file that contains a secret. If every user of the machine can
// read it, it is refused, because it is not secret. A group may read it, as is
// usual for a service.
func readSecret(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", quote(path))
	case info.Mode().Perm()&othersMayRead != 0:
		return nil, fmt.Errorf("every user of this machine can read %s (mode %04o); run: chmod 600 %s", quote(path), info.Mode().Perm(), shellWord(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fileError(path, err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("the file %s is longer than %d bytes", quote(path), most)
	}
	return text, nil
}

// ReadSecret reads a file with a key. If every user of the machine can read it, it
// is refused.
func ReadSecret(path string) ([]byte, error) { return readSecret(path, maxKeyBytes) }

// fileError describes a problem with a file in uniform words.
func fileError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &unreadable{"there is no file " + quote(path), err}
	}
	return &unreadable{fmt.Sprintf("cannot read %s: %v", quote(path), unwrapPath(err)), err}
}

// unreadable is a file system error in our words.
type unreadable struct {
	text string
	err  error
}

func (e *unreadable) Error() string { return e.text }
func (e *unreadable) Unwrap() error { return e.err }

// shellWord quotes a path if a shell would not take it as it is.
func shellWord(path string) string {
	for _, r := range path {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '/' || r == '.' || r == '-' || r == '_') {
			return fmt.Sprintf("%q", path)
		}
	}
	return path
}

// masterFiles checks the files that the master will need.
func (l *loader) masterFiles() {
	m := l.c.Master
	if m.TLS.Cert != "" && m.TLS.Key != "" {
		l.tlsFiles()
	}
	l.remoteWriteFiles()
	l.auditFiles()
	l.oidcFiles()
	for _, at := range slices.Sorted(maps.Keys(m.Static)) {
		folder := m.Static[at]
		if folder == "" {
			continue
		}
		p := l.entry("master.static", at)
		info, err := os.Stat(folder)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			l.check(true, p, "there is no folder %s", quote(folder))
		case err != nil:
			l.check(true, p, "cannot read %s: %v", quote(folder), unwrapPath(err))
		default:
			l.check(!info.IsDir(), p, "%s is not a folder", quote(folder))
		}
	}
}

const maxKeyBytes = 1 << 20

func (l *loader) tlsFiles() {
	t := l.c.Master.TLS
	if info, err := os.Stat(t.Cert); err != nil {
		l.check(true, "master.tls.cert", "%v", fileError(t.Cert, err))
		return
	} else if !info.Mode().IsRegular() {
		l.check(true, "master.tls.cert", "%s is not a file", quote(t.Cert))
		return
	}
	if _, err := readSecret(t.Key, maxKeyBytes); err != nil {
		l.check(true, "master.tls.key", "%v", err)
		return
	}
	err := checkTLS(t)
	l.check(err != nil, "master.tls.cert", "the certificate and its key cannot be used: %v", err)
}

// agentFiles checks the files that the agent will need.
func (l *loader) agentFiles() {
	l.authorities("agent.ca", l.c.Agent.CA)
}

// authorities checks a file of certificates, unless none is named.
func (l *loader) authorities(p, file string) {
	if file == "" {
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		l.check(true, p, "%v", fileError(file, err))
		return
	}
	l.check(!x509.NewCertPool().AppendCertsFromPEM(text), p, "the file %s holds no PEM certificate", quote(file))
}

// inspectorFiles checks the files of one inspector of the configuration.
func (l *loader) inspectorFiles(at string, in Inspector) {
	field, path := "file", in.File
	if in.Plugin != "" {
		field, path = "plugin", in.Plugin
	}
	if path == "" {
		return
	}
	p := l.child(at, field)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		l.check(true, p, "%v", fileError(path, err))
	case !info.Mode().IsRegular():
		l.check(true, p, "%s is not a file", quote(path))
	case field == "plugin" && info.Mode().Perm()&0o111 == 0:
		l.check(true, p, "%s is not executable; run: chmod +x %s", quote(path), shellWord(path))
	}
}
