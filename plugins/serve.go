package plugins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins/internal/executor"
	"github.com/vedettehq/vedette/plugins/internal/link"
	"github.com/vedettehq/vedette/plugins/internal/server"
)

// Inspectors are the inspectors of an external plugin, by the names under which
// configurations ask for them. Each is one of
//
//	func() (float64, error)
//	func(ctx context.Context) (float64, error)
//	func(ctx context.Context, r *inspectors.Report) error
//	an inspectors.Inspector
//	a Script, whose Inspect is one of them
//
// The names obey inspectors.ValidateKey.
type Inspectors map[string]any

// Script is an inspector that runs programs by inspectors.Exec, like a script.
type Script struct {
	Inspect any
	// Needs has the words of its directive needs. The script runs the programs
	// that they name, with the rights of the plugin; the other words have no
	// effect here.
	Needs string
}

// build makes an inspector of the script.
func (s Script) build() (inspectors.Inspector, error) {
	needs, err := inspectors.ParseNeeds(s.Needs)
	if err != nil {
		return nil, err
	}
	inspector, err := adapt(s.Inspect)
	if err != nil {
		return nil, err
	}
	return inspectors.Func(func(ctx context.Context, r *inspectors.Report) error {
		return inspector.Inspect(inspectors.WithExec(ctx, needs.Programs, executor.Native), r)
	}), nil
}

// Serve is the main function of an external plugin in Go:
//
//	func main() {
//		plugins.Serve(plugins.Inspectors{"gpu": gpu.Inspect})
//	}
//
// It returns when the agent has no more use for the plugin. It ends the process
// with a message if an inspector has none of the accepted shapes (status 2), or if
// the program was not started by an agent (status 1). A panic in an inspector is
// an error of that run; a panic in a goroutine that an inspector started ends the
// process.
func Serve(i Inspectors) {
	offered, err := i.build()
	if err != nil {
		fmt.Fprintf(os.Stderr, "cannot serve this plugin: %v\n", err)
		os.Exit(2)
	}
	handshake := link.Handshake()
	if os.Getenv(handshake.MagicCookieKey) != handshake.MagicCookieValue {
		explain(os.Stderr, os.Args[0], slices.Sorted(maps.Keys(offered)))
		os.Exit(1)
	}
	var warnings []string
	if err := link.HoldLifeline(); err != nil {
		warnings = append(warnings, err.Error())
	}
	marker, err := link.OpenMarker()
	if err != nil {
		warnings = append(warnings, err.Error())
	}
	server.Serve(server.New(server.Options{
		Offered:  offered,
		Marker:   marker,
		Warnings: func() []string { return warnings },
	}), func() {})
}

// build turns the functions into inspectors. It reports all that it cannot turn
// into one.
func (i Inspectors) build() (map[string]inspectors.Inspector, error) {
	if len(i) == 0 {
		return nil, errors.New("it offers no inspector")
	}
	var faults []error
	built := make(map[string]inspectors.Inspector, len(i))
	for _, name := range slices.Sorted(maps.Keys(i)) {
		inspector, err := adapt(i[name])
		if err == nil {
			err = inspectors.ValidateKey(name)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("inspector %q: %w", name, err))
			continue
		}
		built[name] = inspector
	}
	return built, errors.Join(faults...)
}

// adapt makes an inspector from what an author wrote.
func adapt(v any) (inspectors.Inspector, error) {
	switch f := v.(type) {
	case inspectors.Inspector:
		if f != nil {
			return f, nil
		}
	case Script:
		return f.build()
	case func(context.Context, *inspectors.Report) error:
		if f != nil {
			return inspectors.Func(f), nil
		}
	case func(context.Context) (float64, error):
		if f != nil {
			return inspectors.Value(f), nil
		}
	case func() (float64, error):
		if f != nil {
			return inspectors.Value(func(context.Context) (float64, error) { return f() }), nil
		}
	default:
		return nil, fmt.Errorf("%T is not an inspector; write func() (float64, error), "+
			"func(context.Context) (float64, error) or func(context.Context, *inspectors.Report) error", v)
	}
	return nil, errors.New("the function is nil")
}

// explain tells a person who ran the plugin by hand what it is.
func explain(w io.Writer, program string, names []string) {
	fmt.Fprintf(w, `This is a Vedette plugin. It offers: %s

A Vedette agent starts it by itself. Name it in the agent's configuration:

    inspectors:
`, strings.Join(names, ", "))
	for _, name := range names {
		fmt.Fprintf(w, "      %s: { plugin: %s, interval: 10s }\n", name, program)
	}
}
