// Command vedette-sql is an external plugin that asks databases: queries that a
// configuration lists, whose rows become samples. It is a separate module, so that
// nothing else of Vedette needs the drivers.
//
// docs/sql.md tells how to configure it.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/vedettehq/vedette/plugins"
)

const usage = `vedette-sql is a plugin of a Vedette agent: it makes samples of the rows that queries of databases return.

    inspectors:
      sql:
        plugin: /usr/lib/vedette/vedette-sql
        args: [/etc/vedette/sql.yaml]

To see what a configuration yields: vedette-sql test /etc/vedette/sql.yaml
`

func main() {
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "test":
		os.Exit(try(args[1], os.Stdout, os.Stderr))
	case len(args) == 1 && args[0] != "test" && args[0] != "help" && args[0] != "-h" && args[0] != "--help":
		s := &source{path: args[0]}
		defer s.close()
		plugins.Serve(plugins.Inspectors{"sql": s.inspect})
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
}

// try runs all queries once, and prints what they yield. It returns the status to exit
// with.
func try(path string, out, faults io.Writer) int {
	s := &source{path: path}
	defer s.close()
	return plugins.Try("sql", s.inspect, out, faults)
}
