package inspectors

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// MaxSecretNameBytes is the longest name of a secret.
const MaxSecretNameBytes = 64

// Secret returns the value of a secret of the host, such as a password. The script
// must name it in its needs:
//
//	//vedette:needs secret:pg-password
//
// and agent.secrets of the host's configuration has to have it, and to name the
// inspector or a key that has signed it. The value is read again for each call, so it
// follows a change on the host; a new line at its end is left out.
//
// Where the value occurs in what the inspector prints or in its errors, its name is
// written instead, and a sample that has it in a label or its name is refused. Ctx is
// that of Inspect or one that was made of it.
func Secret(ctx context.Context, name string) (string, error) {
	g, given := ctx.Value(secretsKey{}).(*secretsGrant)
	switch {
	case !given:
		return "", fmt.Errorf("cannot get secret %s: the context is not that of a run of a script that says //vedette:needs secret:%s", Quote(name), name)
	case !slices.Contains(g.names, name):
		return "", fmt.Errorf("cannot get secret %s: the script does not say //vedette:needs secret:%s", Quote(name), name)
	}
	value, err := g.source(ctx, name)
	if err != nil {
		return "", fmt.Errorf("cannot get secret %s: %w", Quote(name), err)
	}
	return value, nil
}

// SecretSource returns the value of a secret to somebody who may have it. Its errors
// do not name the secret. It heeds ctx, and may be called from any goroutine.
type SecretSource func(ctx context.Context, name string) (string, error)

// WithSecrets returns a context in which Secret asks the source, for the secrets that
// are named and no others. It is for runtimes.
func WithSecrets(ctx context.Context, names []string, source SecretSource) context.Context {
	return context.WithValue(ctx, secretsKey{}, &secretsGrant{names, source})
}

// secretsGrant says which secrets a run may know; it is in the run's context.
type secretsGrant struct {
	names  []string
	source SecretSource
}

type secretsKey struct{}

// ValidateSecretName checks the name of a secret: it has lower-case letters, digits, "-",
// "_" and ".", and begins with a letter or a digit.
func ValidateSecretName(name string) error {
	switch {
	case name == "":
		return errors.New("secret: has no name; write it as secret:pg-password")
	case len(name) > MaxSecretNameBytes:
		return fmt.Errorf("the name of secret %s is %d bytes long; at most %d are allowed", Quote(name), len(name), MaxSecretNameBytes)
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || strings.ContainsAny(name[:1], "-_."):
		return fmt.Errorf("%s is not the name of a secret; use lower-case letters, digits, \"-\", \"_\" and \".\", with a letter or digit first", Quote(name))
	}
	return nil
}

// SecretRule says who may have a secret. An inspector must meet both of its halves,
// where they are given.
type SecretRule struct {
	// For are names of inspectors, or patterns such as pg/*, as path.Match reads them.
	For []string
	// Signers are the ids of keys; one of them must have signed the code. The host's own
	// inspectors need no signature.
	Signers []string
}

// CheckSecrets refuses the secrets that an inspector needs and may not have. What the
// definition says of signatures must have been verified.
func (p Policy) CheckSecrets(n Needs, d *Definition) error {
	name := d.Name
	if d.DraftOf != "" {
		name = d.DraftOf
	}
	var faults []error
	for _, need := range n.Secrets {
		rule, known := p.Secrets[need]
		setting := "agent.secrets." + need
		switch {
		case !known:
			faults = append(faults, refused("secret:"+need, "agent.secrets of the host's configuration has no secret of that name"))
		case len(rule.For) == 0 && len(rule.Signers) == 0:
			faults = append(faults, refused("secret:"+need, setting+" in the host's configuration is for nobody"))
		case len(rule.For) > 0 && !matchesAny(rule.For, name):
			faults = append(faults, refused("secret:"+need, fmt.Sprintf("%s.for in the host's configuration does not name inspector %s", setting, name)))
		case len(rule.Signers) > 0 && d.Pushed && !slices.ContainsFunc(rule.Signers, func(key string) bool { return slices.Contains(d.SignedBy, key) }):
			faults = append(faults, refused("secret:"+need, fmt.Sprintf("%s.signers in the host's configuration wants a signature by %s",
				setting, strings.Join(rule.Signers, " or "))))
		}
	}
	return errors.Join(faults...)
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}
