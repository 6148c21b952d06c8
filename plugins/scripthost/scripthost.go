// Package scripthost is the child process of an agent that interprets scripts. It
// is the agent's own binary, run again with one argument, and speaks the contract
// of package plugins like any external plugin.
//
// It is separate from package plugins so that a plugin in Go does not link the
// interpreter.
package scripthost

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script"
	"github.com/vedettehq/vedette/internal/lean"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/plugins/internal/executor"
	"github.com/vedettehq/vedette/plugins/internal/link"
	"github.com/vedettehq/vedette/plugins/internal/sandbox"
	"github.com/vedettehq/vedette/plugins/internal/server"
)

// Command is the argument with which the agent runs its own binary again.
const Command = "script-host"

// Main is the main function of the script host. It serves the agent that started
// the process until that closes the connection or dies, and returns the exit
// status: 0, or 1 if the process was not started by an agent. If the agent asks
// for it, the process is the keeper of one program instead; see package executor.
func Main() int {
	if executor.Asked() {
		return executor.Keep()
	}
	handshake := link.Handshake()
	if os.Getenv(handshake.MagicCookieKey) != handshake.MagicCookieValue {
		fmt.Fprintln(os.Stderr, "script-host runs the scripts of a Vedette agent, which starts it by itself")
		return 1
	}
	if err := sandbox.Enter(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var warnings []string
	var isolation sandbox.Report
	var settings sandbox.Settings
	warn := func(err error) {
		if err != nil {
			warnings = append(warnings, err.Error())
		}
	}
	script.SeparateClients()
	warn(link.HoldLifeline())
	marker, err := link.OpenMarker()
	warn(err)
	trimmer := lean.NewTrimmer(rest)
	var s *server.Server
	s = server.New(server.Options{
		Build: func(d inspectors.Definition, output io.Writer) (server.Program, error) {
			defer trimmer.Disturb()
			return build(d, output, &settings, s)
		},
		Marker:    marker,
		Warnings:  func() []string { return warnings },
		Isolation: func() sandbox.Report { return isolation },
	})
	server.Serve(s, func() {
		for _, err := range confine() {
			warn(err)
		}
		isolation, settings = sandbox.Seal()
		warnings = append(warnings, isolation.Faults...)
	})
	return 0
}

// rest is how long after the last build the process releases the memory that
// building took.
const rest = 10 * time.Second

// build builds a script that may read the files in the settings of its sandbox,
// and gets its programs and secrets by way of the server.
func build(d inspectors.Definition, output io.Writer, s *sandbox.Settings, by *server.Server) (server.Program, error) {
	options := script.Options{Output: output, Files: append([]string{}, s.Read...), Private: s.Private, Exec: by.Exec, Secret: by.Secret}
	program, err := options.Load(d)
	if err != nil {
		return nil, err
	}
	return program, nil
}

// confine sets the limits that a process sets for itself. It is called when the
// socket is open: no foreign code has run yet, and go-plugin's start is complete.
// Every limit that cannot be set is a separate error; the others are set in any
// case.
func confine() []error {
	var limits plugins.Limits
	if err := json.Unmarshal([]byte(os.Getenv(link.EnvLimits)), &limits); err != nil {
		return []error{fmt.Errorf("cannot read the limits in %s, none are set: %w", link.EnvLimits, err)}
	}
	if limits.StackBytes > 0 {
		debug.SetMaxStack(int(limits.StackBytes))
	}
	return confineSystem(limits)
}
