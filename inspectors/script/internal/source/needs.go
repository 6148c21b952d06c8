package source

import (
	"go/ast"
	"regexp"
	"strings"

	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// connects returns a pattern for the names of a package that make connections, or nil if it
// has none. A script that selects one must say //vedette:needs net.
func connects(path string) *regexp.Regexp {
	switch path {
	case "net":
		return regexp.MustCompile(`^(Dial.*|Lookup.*|Resolve.*|Resolver|DefaultResolver)$`)
	case "net/http":
		return regexp.MustCompile(`^(Get|Head|Post|PostForm|Client|DefaultClient|Transport|DefaultTransport)$`)
	case "crypto/tls":
		return regexp.MustCompile(`^Dial.*$`)
	case "net/textproto":
		return regexp.MustCompile(`^Dial$`)
	}
	return nil
}

// needOfHost records calls of inspectors.Exec or inspectors.Nagios in a script whose needs
// name no program, of inspectors.Secret if they name no secret, and of inspectors.NewTail
// if they name no file. The exact name may be known only at run time.
func (s *Source) needOfHost(p symbols.Package, name string, members []*ast.SelectorExpr) {
	if p.Path != inspectorsPath {
		return
	}
	said, err := s.Script.Directives()
	if err != nil {
		return
	}
	add := func(word string) string {
		return "write //vedette:needs " + strings.TrimSpace(said.Needs.String()+" "+word) + " above the first line of code"
	}
	for _, sel := range members {
		switch used := sel.Sel.Name; {
		case (used == "Exec" || used == "Nagios") && len(said.Needs.Programs) == 0:
			s.fault(sel.Pos(), name+"."+used+" runs a program, and the script does not say that it needs any", add("exec:/path/of/the/program"))
			return
		case used == "Secret" && len(said.Needs.Secrets) == 0:
			s.fault(sel.Pos(), name+".Secret gets a secret of the host, and the script does not say that it needs any", add("secret:NAME"))
			return
		case used == "NewTail" && len(said.Needs.Files) == 0:
			s.fault(sel.Pos(), name+".NewTail reads a log, and the script does not say that it needs any file", add("fs:/folder/of/the/log"))
			return
		}
	}
}

// needNet records names that are selected from a package without the script having declared
// the need. The kernel refuses them as well; here the author learns it before the script
// runs.
func (s *Source) needNet(p symbols.Package, name string, members []*ast.SelectorExpr) {
	pattern := connects(p.Path)
	if pattern == nil {
		return
	}
	said, err := s.Script.Directives()
	if err != nil || said.Needs.Connects() {
		return // faults of the directives are reported elsewhere
	}
	add := strings.TrimSpace("net " + said.Needs.String())
	for _, sel := range members {
		if pattern.MatchString(sel.Sel.Name) {
			s.fault(sel.Pos(), name+"."+sel.Sel.Name+" makes connections, and the script does not say that it needs them",
				"write //vedette:needs "+add+" above the first line of code")
			return // once for each package is enough
		}
	}
}
