package config

import (
	"os"
	"path/filepath"
)

// Private lists the files and folders that belong to master and agent alone, as
// absolute paths: the configuration, where tokens, keys and secrets are, and the data.
// No script has any business there. Not all of them need be there.
func (c *Config) Private() []string {
	paths := []string{dotEnvName, c.Agent.TokenFile, c.Agent.Data, c.Master.Data, c.Master.TLS.Key}
	for _, in := range c.Inspectors {
		paths = append(paths, in.Client.PasswordFile, in.Client.TokenFile, in.Client.Key)
	}
	if c.src != nil {
		paths = append(paths, c.src.file)
	}
	for _, s := range c.Agent.Secrets {
		paths = append(paths, s.File)
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); filepath.IsAbs(dir) {
		paths = append(paths, dir)
	}
	var list []string
	for _, path := range paths {
		if path == "" {
			continue
		}
		if abs, err := filepath.Abs(path); err == nil {
			list = append(list, abs)
		}
	}
	return list
}
