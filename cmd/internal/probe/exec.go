package probe

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// ExecFlag adds the flag that replaces agent.policy.exec if there is no configuration.
func ExecFlag(cmd *cobra.Command, programs *[]string) {
	cmd.Flags().StringArrayVar(programs, "allow-exec", nil, "let the script run the program `PATH`; may be repeated")
	_ = cmd.MarkFlagFilename("allow-exec")
}

// CheckPrograms checks the values of that flag.
func CheckPrograms(programs []string) error {
	for _, path := range programs {
		if _, err := inspectors.ParseNeeds("exec:" + path); err != nil || strings.ContainsAny(path, " \t\n") {
			return cli.Usagef("--allow-exec %q is not a program that a script can name; write its absolute and plain path, such as /usr/bin/uptime", path)
		}
	}
	return nil
}

// allowExec lets a pool run the programs.
func allowExec(programs []string) func(*plugins.PoolOptions) {
	return func(o *plugins.PoolOptions) { o.Policy.Programs = programs }
}

// secretFlag adds the flag that replaces agent.secrets if there is no configuration.
func secretFlag(cmd *cobra.Command, secrets *[]string) {
	cmd.Flags().StringArrayVar(secrets, "secret", nil, "give the script the secret `NAME=FILE` that it needs; may be repeated")
}

// parseSecrets parses the values of that flag. Each file must be one that an agent would
// accept.
func parseSecrets(texts []string) (map[string]config.Secret, error) {
	secrets := make(map[string]config.Secret)
	for _, text := range texts {
		name, file, ok := strings.Cut(text, "=")
		if !ok || file == "" {
			return nil, cli.Usagef("--secret %q is not NAME=FILE; write it as pg-password=./password", text)
		}
		if err := inspectors.ValidateSecretName(name); err != nil {
			return nil, cli.Usagef("--secret %q: %v", text, err)
		}
		secrets[name] = config.Secret{File: file}
		if _, err := secrets[name].Read(name); err != nil {
			return nil, fmt.Errorf("cannot read secret %q: %w", name, err)
		}
	}
	return secrets, nil
}

// allowSecrets lets a pool give the secrets to one inspector.
func allowSecrets(inspector string, secrets map[string]config.Secret) func(*plugins.PoolOptions) {
	return func(o *plugins.PoolOptions) {
		o.Policy.Secrets = make(map[string]inspectors.SecretRule)
		for name, s := range secrets {
			o.Policy.Secrets[name] = inspectors.SecretRule{For: []string{inspector}}
			if file, err := filepath.Abs(s.File); err == nil {
				o.Sandbox.Private = append(o.Sandbox.Private, file)
			}
		}
		o.Secret = func(name string) (string, error) { return secrets[name].Read(name) }
	}
}

// explainPolicy adds the flags to an error that names settings of a configuration.
func explainPolicy(err error) error {
	if !errors.Is(err, inspectors.ErrPolicy) {
		return err
	}
	if text := err.Error(); strings.Contains(text, "needs secret:") {
		if strings.Contains(text, "needs exec:") {
			return fmt.Errorf("%w; here, give a secret with --secret NAME=FILE, and name a program with --allow-exec", err)
		}
		return fmt.Errorf("%w; here, give it with --secret NAME=FILE", err)
	}
	return fmt.Errorf("%w; here, name it with --allow-exec", err)
}
