// Command vedette-snmp is an external plugin that asks switches, routers and other devices
// by SNMP: their interfaces, their system, and the objects that a configuration lists. It
// is a separate module, so that nothing else of Vedette needs the protocol.
//
// docs/snmp.md tells how to configure it.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/vedettehq/vedette/plugins"
)

const usage = `vedette-snmp is a plugin of a Vedette agent: it makes samples of what devices answer by SNMP.

    inspectors:
      snmp:
        plugin: /usr/lib/vedette/vedette-snmp
        args: [/etc/vedette/snmp.yaml]

To see what a configuration yields: vedette-snmp test /etc/vedette/snmp.yaml
`

func main() {
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "test":
		os.Exit(try(args[1], os.Stdout, os.Stderr))
	case len(args) == 1 && args[0] != "test" && args[0] != "help" && args[0] != "-h" && args[0] != "--help":
		s := &source{path: args[0]}
		defer s.close()
		plugins.Serve(plugins.Inspectors{"snmp": s.inspect})
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
}

// try asks all devices once, and prints what they yield. It returns the status to exit
// with.
func try(path string, out, faults io.Writer) int {
	s := &source{path: path}
	defer s.close()
	return plugins.Try("snmp", s.inspect, out, faults)
}
