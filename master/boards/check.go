package boards

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Bounds of a board.
const (
	columns       = 12
	maxRows       = 2000 // of the grid
	maxHeight     = 40   // rows of one panel
	maxPanels     = 100
	maxVariables  = 10
	maxQueries    = 8
	maxQueryBytes = 4 << 10
	maxTextBytes  = 10 << 10
	maxTitle      = 100 // characters
	maxMessage    = 1000
	maxBytes      = 256 << 10 // of all of it
)

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	variableForm = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,62}$`)
)

// check finds the fault of a board.
func check(name string, c *wire.BoardContent, message string) error {
	switch {
	case !nameForm.MatchString(name):
		return invalid("%q is not a name of a board: use up to 63 small letters, digits, \".\", \"_\" and \"-\", and begin with a letter or a digit", name)
	case c.Title == "" || !isTitle(c.Title):
		return invalid("title: give a line of 1 to %d printable characters", maxTitle)
	case len(c.Panels) > maxPanels:
		return invalid("panels: there are %d; a board has %d at most", len(c.Panels), maxPanels)
	case len(c.Variables) > maxVariables:
		return invalid("variables: there are %d; a board has %d at most", len(c.Variables), maxVariables)
	}
	if err := checkMessage(message); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for i, v := range c.Variables {
		switch {
		case !variableForm.MatchString(v.Name):
			return invalid("variables[%d]: %q is not a name; use letters, digits and \"_\", and begin with a letter", i, v.Name)
		case seen[v.Name]:
			return invalid("variables[%d]: there are two called %q", i, v.Name)
		case !variableForm.MatchString(v.Label):
			return invalid("variables[%d]: %q is not the name of a label", i, v.Label)
		case !isText(v.Value) || len(v.Value) > maxQueryBytes:
			return invalid("variables[%d]: the value is not a text of at most %d bytes", i, maxQueryBytes)
		}
		seen[v.Name] = true
	}
	for i := range c.Panels {
		if err := checkPanel(&c.Panels[i]); err != nil {
			return invalid("panels[%d]: %v", i, err)
		}
	}
	if data, err := json.Marshal(c); err != nil || len(data) > maxBytes {
		return invalid("the board has %d bytes; %d are allowed", len(data), maxBytes)
	}
	if c.Panels == nil {
		c.Panels = []wire.BoardPanel{}
	}
	return nil
}

func checkPanel(p *wire.BoardPanel) error {
	switch {
	case !slices.Contains([]string{"chart", "number", "table", "text"}, p.Kind):
		return fmt.Errorf("there is no kind %q; use chart, number, table or text", p.Kind)
	case !isTitle(p.Title):
		return fmt.Errorf("title: give a line of at most %d printable characters", maxTitle)
	case p.W < 1 || p.H < 1 || p.X < 0 || p.Y < 0 || p.W > columns || p.X > columns-p.W:
		return fmt.Errorf("x %d, y %d, w %d, h %d do not lie in a grid of %d columns", p.X, p.Y, p.W, p.H, columns)
	case p.H > maxHeight || p.Y > maxRows:
		return fmt.Errorf("y %d, h %d: a panel is %d rows high at most, and begins at row %d at most", p.Y, p.H, maxHeight, maxRows)
	case (p.Kind == "text") != (len(p.Queries) == 0):
		return fmt.Errorf("a text has no queries, and every other kind has one at least")
	case p.Kind != "text" && p.Text != "":
		return fmt.Errorf("only the kind text has a text")
	case len(p.Queries) > maxQueries:
		return fmt.Errorf("there are %d queries; a panel has %d at most", len(p.Queries), maxQueries)
	case !isText(p.Text) || len(p.Text) > maxTextBytes:
		return fmt.Errorf("text: give at most %d bytes of plain text", maxTextBytes)
	}
	for i, q := range p.Queries {
		if strings.TrimSpace(q) == "" || !isText(q) || len(q) > maxQueryBytes {
			return fmt.Errorf("queries[%d]: give 1 to %d bytes of text", i, maxQueryBytes)
		}
	}
	return nil
}

func checkMessage(message string) error {
	if !isText(message) || utf8.RuneCountInString(message) > maxMessage {
		return invalid("message: give at most %d printable characters", maxMessage)
	}
	return nil
}

// isTitle reports whether a text is one line of a bearable length.
func isTitle(text string) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxTitle && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// isText reports whether a text has nothing but printable characters, tabs and ends
// of lines.
func isText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' })
}

func invalid(format string, args ...any) error {
	return rpc.Errorf(rpc.CodeInvalidParams, format, args...)
}

//go:embed builtin/*.json
var files embed.FS

// builtIn returns the boards that come with the product.
func builtIn() map[string]wire.BoardContent {
	all := make(map[string]wire.BoardContent)
	for _, name := range []string{"fleet", "one-host"} {
		data, err := files.ReadFile("builtin/" + name + ".json")
		if err != nil {
			panic(fmt.Sprintf("cannot read the board %q: %v", name, err)) // it is part of the program
		}
		var c wire.BoardContent
		if err := json.Unmarshal(data, &c); err != nil {
			panic(fmt.Sprintf("cannot read the board %q: %v", name, err))
		}
		all[name] = c
	}
	return all
}
