package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A command that speaks with a master runs in any folder, and the owner of the
// folder may have written its .env. So such a command takes a token only from the
// place that gives the address of the master. A .env cannot name an address to
// which the token of the user's environment is sent, nor a file elsewhere as the
// token, nor the authorities to trust with a token from another place. The command
// reads nothing from a .env but these settings, and a .env that it cannot read is
// no fault.

// addressVariables are the variables by which a client finds its master.
func addressVariables() []string { return []string{"MASTER_IP", "MASTER_PORT", "VEDETTE_MASTER"} }

// credentialVariables are the variables that have to come from the same place as
// the address.
func credentialVariables() []string {
	return []string{"VEDETTE_TOKEN", "VEDETTE_TOKEN_FILE", "VEDETTE_CA"}
}

// clientLayers applies .env, the environment and the command line for a client of
// a master.
func (l *loader) clientLayers(o LoadOptions, environ []string) {
	file, fault := readDotEnv(o.Dir)
	if fault != "" && file.ours {
		l.warn("%s: nothing is taken from it, as VEDETTE_MASTER: %s", file.at.place(), fault)
	}
	theirs := addressOf(file.values, environ, o.Overrides)
	values := make(map[string]string)
	for name, value := range file.values {
		switch {
		case theirs && (slices.Contains(addressVariables(), name) || slices.Contains(credentialVariables(), name)):
			values[name] = value
		case value != "" && slices.Contains(credentialVariables(), name):
			l.warn("%s is not used: the address of the master comes from elsewhere; write VEDETTE_MASTER beside it", file.origin(name))
		case strings.HasPrefix(name, "VEDETTE_") && !slices.ContainsFunc(variables(), func(v variable) bool { return v.name == name }):
			values[name] = value // the user will be told that there is no such setting
		}
	}
	if theirs {
		environ = l.withhold(environ, values)
	}
	l.variables(values, file.origin)
	if theirs {
		l.tokenFileInside(o.Dir)
	}
	l.environment(environ)
	for _, override := range o.Overrides {
		at := Origin{kind: fromFlag, name: override.Flag}
		if theirs && override.Path == "agent.token_file" {
			l.fault(at, "the address of the master comes from %s, and a token is sent only to where it was meant for; give --master too", l.at("agent.master"))
			continue
		}
		l.set(override.Path, override.Value, at)
	}
}

// addressOf reports whether a .env gives the address of the master, or part of it.
func addressOf(dotEnv map[string]string, environ []string, overrides []Override) bool {
	given := slices.ContainsFunc(addressVariables(), func(name string) bool { return dotEnv[name] != "" })
	has := func(name string) bool {
		return slices.ContainsFunc(environ, func(e string) bool {
			value, is := strings.CutPrefix(e, name+"=")
			return is && value != ""
		})
	}
	whole := has("VEDETTE_MASTER") || has("MASTER_IP") && has("MASTER_PORT") ||
		slices.ContainsFunc(overrides, func(o Override) bool { return o.Path == "agent.master" })
	return given && !whole
}

// withhold drops tokens from the environment and the configuration file if the
// address comes from a .env. The trusted authorities may come from anywhere: fewer
// of them are no danger.
func (l *loader) withhold(environ []string, dotEnv map[string]string) []string {
	token := l.c.Agent.TokenFile != ""
	l.c.Agent.TokenFile = ""
	delete(l.origins, "agent.token_file")
	kept := slices.DeleteFunc(slices.Clone(environ), func(e string) bool {
		name, value, _ := strings.Cut(e, "=")
		secret := name == "VEDETTE_TOKEN" || name == "VEDETTE_TOKEN_FILE"
		token = token || secret && value != ""
		return secret
	})
	if token {
		given := slices.DeleteFunc(addressVariables(), func(name string) bool { return dotEnv[name] == "" })
		l.warn("the address of the master comes from %s in %s, so the token that VEDETTE_TOKEN or the configuration gives is not sent there; give --master too",
			strings.Join(given, ", "), dotEnvName)
	}
	return kept
}

// tokenFileInside refuses a token file in a .env that is not in the same folder:
// it would be a user's secret that a stranger names.
func (l *loader) tokenFileInside(dir string) {
	file := l.c.Agent.TokenFile
	if file == "" {
		return
	}
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err == nil {
		defer root.Close()
		var found os.FileInfo
		if found, err = root.Stat(file); err == nil {
			var named os.FileInfo // relative to the current directory, like the file itself
			if named, err = os.Stat(file); err == nil && os.SameFile(found, named) {
				return
			}
		}
	}
	l.fault(l.at("agent.token_file"), "the token file %s is not in the folder of %s, %s; give it with --token-file and --master", quote(file), dotEnvName,
		quote(filepath.Clean(dir)))
	l.c.Agent.TokenFile = ""
}

func (l *loader) warn(format string, args ...any) {
	l.c.Warnings = append(l.c.Warnings, fmt.Sprintf(format, args...))
}
