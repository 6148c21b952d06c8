package config

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parseNode parses the next document. At the end of the text n is left as it is.
// If the parser panics, which has happened on hostile input, that is an error.
func parseNode(dec *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the parser failed: %v", r)
		}
	}()
	if err := dec.Decode(n); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// checkText refuses bytes that are not text, with their place, which the YAML
// parser does not give.
func checkText(src *source, text []byte) bool {
	line, col := 1, 1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		bad := ""
		switch {
		case r == utf8.RuneError && size <= 1:
			bad = "is not valid UTF-8"
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7f:
			bad = "is a control character"
		}
		if bad != "" {
			src.fault(Origin{kind: fromFile, name: src.file, line: line, col: col}, "the byte 0x%02x %s; a configuration is plain text", text[i], bad)
			return false
		}
		i, col = i+size, col+1
		if r == '\n' {
			line, col = line+1, 1
		}
	}
	return true
}

// syntaxFault reports text that the YAML parser did not understand. The parser's
// line numbers are those of the surrounding block, or missing; ours is the first
// line with which the text can no longer be parsed.
func syntaxFault(src *source, err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.HasPrefix(message, "line ") {
		if _, after, found := strings.Cut(message, ": "); found {
			message = after
		}
	}
	line := syntaxLine(src.lines, err)
	text := src.lines[line-1]
	indent := len(text) - len(strings.TrimLeft(text, " \t\r"))
	at := Origin{kind: fromFile, name: src.file, line: line, col: indent + 1}
	switch {
	case strings.Contains(text[:indent], "\t"):
		at.col = strings.IndexByte(text, '\t') + 1
		src.fault(at, "a tab cannot indent YAML; use spaces")
	case strings.Contains(message, "mapping values are not allowed"):
		src.fault(at, "not valid YAML: a second %q, or a wrong indent; quote a value that holds \": \", or align the line with its neighbours", ": ")
	case strings.Contains(message, "unexpected end of stream"):
		src.fault(at, "not valid YAML: a quote that opens here is never closed")
	case strings.Contains(message, "did not find expected key"):
		src.fault(at, "not valid YAML: the indent does not match the lines above")
	default:
		src.fault(at, "not valid YAML: %s", message)
	}
}

// searchLines is the longest file in which the place of a syntax error is searched
// by parsing shorter and shorter parts of it.
const searchLines = 1000

// syntaxLine finds the line, counted from 1, on which the text stops being YAML.
func syntaxLine(lines []string, err error) int {
	if len(lines) > searchLines {
		var line int
		if _, e := fmt.Sscanf(err.Error(), "yaml: line %d:", &line); e != nil {
			return 1
		}
		return min(max(line, 1), len(lines))
	}
	for n := len(lines) - 1; n > 0; n-- {
		dec := yaml.NewDecoder(strings.NewReader(strings.Join(lines[:n], "\n")))
		ok := true
		for ok {
			var node yaml.Node
			ok = parseNode(dec, &node) == nil
			if ok && node.Kind == 0 {
				return n + 1
			}
		}
	}
	return 1
}
