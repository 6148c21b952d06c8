package cli

import (
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/config"
)

// Settings are the flags of a command that override settings of the configuration.
type Settings struct {
	file      string
	overrides []config.Override
}

// FileFlag adds --config.
func (s *Settings) FileFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.file, "config", "", "read the configuration `FILE` (default $"+config.VariableConfig+", or none)")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
}

// Flag adds a flag for the setting at a path of the configuration.
func (s *Settings) Flag(cmd *cobra.Command, name, path, usage string) {
	cmd.Flags().Func(name, usage, func(value string) error {
		s.Set(path, value, name)
		return nil
	})
}

// Set sets a setting as a flag does.
func (s *Settings) Set(path, value, flag string) {
	s.overrides = append(s.overrides, config.Override{Path: path, Value: value, Flag: flag})
}

// StaticFlag adds --static.
func (s *Settings) StaticFlag(cmd *cobra.Command) {
	usage := "serve a folder at a URL path, such as `/master/app=DIR`; may be repeated"
	cmd.Flags().Func("static", usage, func(value string) error {
		url, folder, found := strings.Cut(value, "=")
		if !found || url == "" || folder == "" {
			return errors.New("write it as URLPATH=DIR, such as /master/app=./app")
		}
		s.Set("master.static["+url+"]", folder, "static")
		return nil
	})
}

// Load reads the configuration with the settings of the flags.
func (s *Settings) Load(parts config.Part, library []string) (*config.Config, error) {
	return config.Load(config.LoadOptions{Path: s.path(), Overrides: s.overrides, For: parts, Library: library})
}

// LoadClient is Load for a client of a master.
func (s *Settings) LoadClient() (*config.Config, error) {
	return config.Load(config.LoadOptions{Path: s.path(), Overrides: s.overrides, Client: true})
}

func (s *Settings) path() string {
	if s.file != "" {
		return s.file
	}
	return os.Getenv(config.VariableConfig)
}

// Logger makes the logger of a command, on its standard error, and logs the warnings of the
// configuration.
func Logger(cmd *cobra.Command, c *config.Config) *slog.Logger {
	log := config.NewLogger(c.Log, cmd.ErrOrStderr())
	for _, warning := range c.Warnings {
		log.Warn(warning, config.ComponentKey, "config")
	}
	return log
}
