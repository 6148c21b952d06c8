package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/childenv"
	"github.com/vedettehq/vedette/internal/mask"
	"github.com/vedettehq/vedette/internal/signing"
)

// Read returns the present value of the secret of this name.
func (s Secret) Read(name string) (string, error) {
	value, from := "", "the variable "+s.Env
	if s.Env != "" {
		var there bool
		if value, there = os.LookupEnv(s.Env); !there {
			return "", fmt.Errorf("%s of the agent's environment is not set", from)
		}
	} else {
		file := s.File
		if file == "" {
			dir := os.Getenv("CREDENTIALS_DIRECTORY")
			if !filepath.IsAbs(dir) {
				return "", fmt.Errorf("agent.secrets.%s has neither file nor env, and systemd passes on no credentials; give one of them, or LoadCredential=%s:PATH",
					name, name)
			}
			file = filepath.Join(dir, name)
		}
		from = quote(file)
		text, err := readSecret(file, mask.MaxBytes+2)
		if err != nil {
			return "", err
		}
		value = string(text)
	}
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if err := checkSecretValue(value); err != nil {
		return "", fmt.Errorf("%s %w", from, err)
	}
	return value, nil
}

// checkSecretValue returns the fault of a value, without the value.
func checkSecretValue(value string) error {
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }
	switch {
	case len(value) < mask.MinBytes:
		return fmt.Errorf("has %d bytes; a secret needs at least %d, or it could not be kept out of the output of scripts", len(value), mask.MinBytes)
	case len(value) > mask.MaxBytes:
		return fmt.Errorf("has more than %d bytes, which is the most for a secret", mask.MaxBytes)
	case !utf8.ValidString(value):
		return errors.New("is not text in UTF-8; keep the value in base64 and decode it in the script")
	case strings.ContainsFunc(value, control):
		return errors.New("has control characters; keep the value in base64 and decode it in the script")
	}
	return nil
}

// ReadSecret returns the value of a secret of this host.
func (a *Agent) ReadSecret(name string) (string, error) {
	s, known := a.Secrets[name]
	if !known {
		return "", errors.New("agent.secrets of the host's configuration has no secret of that name")
	}
	return s.Read(name)
}

// SecretRules returns who may read the secrets, in the form of package inspectors.
func (a *Agent) SecretRules() map[string]inspectors.SecretRule {
	rules := make(map[string]inspectors.SecretRule, len(a.Secrets))
	for name, s := range a.Secrets {
		rule := inspectors.SecretRule{For: s.For}
		for _, text := range s.Signers {
			if key, err := signing.ParsePublic(text); err == nil { // it was checked
				rule.Signers = append(rule.Signers, key.ID())
			}
		}
		rules[name] = rule
	}
	return rules
}

// secrets checks agent.secrets.
func (l *loader) secrets() {
	for _, name := range slices.Sorted(maps.Keys(l.c.Agent.Secrets)) {
		s, at := l.c.Agent.Secrets[name], l.entry("agent.secrets", name)
		if err := inspectors.ValidateSecretName(name); err != nil {
			l.fault(l.atKey(at), "agent.secrets: %v", err)
			continue
		}
		l.check(s.File != "" && s.Env != "", at, "file and env are given; give one of them")
		l.check(s.Env != "" && strings.ContainsAny(s.Env, "= \t\n"), l.child(at, "env"), "%s is not the name of a variable", quote(s.Env))
		l.check(childenv.Passes(s.Env), l.child(at, "env"), "scripts see the variable %s anyway; choose another", s.Env)
		l.check(len(s.For) == 0 && len(s.Signers) == 0, at, "no script may read it; name inspectors in for, or keys in signers")
		for i, pattern := range s.For {
			_, err := path.Match(pattern, "")
			l.check(err != nil || pattern == "", l.entry(l.child(at, "for"), i),
				"%s is neither the name of an inspector nor a pattern; write it as pg/* or disk", quote(pattern))
		}
		l.publicKeys(l.child(at, "signers"), s.Signers)
	}
}
