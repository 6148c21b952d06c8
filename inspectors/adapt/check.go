package adapt

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// Check returns the script that runs a Nagios check, given as a command line such
// as `/usr/lib/nagios/plugins/check_disk -w 10% -p /`. The words are those of
// Words; the first is the program, by its absolute path.
//
// The script reports what inspectors.Nagios does, and prints what the check says
// whenever its state changes.
func Check(commandLine string) (source string, err error) {
	words, err := Words(commandLine)
	if err != nil {
		return "", err
	}
	if err := checkProgram(words[0]); err != nil {
		return "", err
	}
	size := 0
	quoted := make([]string, len(words))
	for i, word := range words {
		size += len(word) + 1
		quoted[i] = strconv.QuoteToASCII(word)
	}
	if size > inspectors.MaxExecArgBytes {
		return "", fmt.Errorf("the command line is %d bytes long; at most %d are allowed", size, inspectors.MaxExecArgBytes)
	}
	return fmt.Sprintf(checkSource, words[0], strings.Join(quoted, ", ")), nil
}

const checkSource = `// Package check runs a Nagios check.
//
//vedette:needs exec:%s
package check

import (
	"context"
	"log"

	"github.com/vedettehq/vedette/inspectors"
)

// last is the state that was printed, and lastFaults how many faults.
var last, lastFaults int

func Inspect(ctx context.Context, r *inspectors.Report) error {
	result, err := inspectors.Nagios(ctx, r, %s)
	if err != nil {
		return err
	}
	if result.State != last {
		last = result.State
		log.Printf("status %%d: %%s", result.State, result.Text)
	}
	if len(result.Faults) != lastFaults {
		lastFaults = len(result.Faults)
		for _, fault := range result.Faults {
			log.Printf("performance data left out: %%s", fault)
		}
	}
	return nil
}
`

// checkProgram says what is wrong with the program of a command line.
func checkProgram(program string) error {
	switch {
	case !path.IsAbs(program):
		return fmt.Errorf("the program %q is not absolute, and programs are not looked for; write it as /usr/lib/nagios/plugins/%s", program, path.Base(program))
	case path.Clean(program) != program || program == "/":
		return fmt.Errorf("the program %q is not a plain path; write it as %s", program, path.Clean(program))
	}
	for _, r := range program {
		if r <= ' ' || r == 0x7f || r > '~' {
			return fmt.Errorf("the program %q has %q in its path, and no script can name it; give it another name, such as by a link", program, r)
		}
	}
	return nil
}

// Words splits a command line at its blanks. Single and double quotes, and a
// backslash, hold together what they do in a shell, but nothing is expanded: what
// only a shell understands is an error.
func Words(line string) ([]string, error) {
	s := splitter{line: []rune(line)}
	for s.at < len(s.line) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	s.end()
	if len(s.words) == 0 {
		return nil, errors.New("the command line is empty")
	}
	return s.words, nil
}

type splitter struct {
	line  []rune
	at    int
	words []string
	word  strings.Builder
	begun bool // whether there is a word, which may be empty
}

func (s *splitter) end() {
	if s.begun {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.begun = false
}

func (s *splitter) add(r rune) {
	s.word.WriteRune(r)
	s.begun = true
}

// before reports whether a character follows. A word such as ~:10 is a range of a
// check, and no folder.
func (s *splitter) before(r rune) bool { return s.at < len(s.line) && s.line[s.at] == r }

// next reads one character, or what is between quotes.
func (s *splitter) next() error {
	r := s.line[s.at]
	s.at++
	switch {
	case r == ' ' || r == '\t' || r == '\n' || r == '\r':
		s.end()
	case r == 0:
		return errors.New("the command line holds a zero byte")
	case r == '\'' || r == '"':
		return s.quoted(r)
	case r == '\\':
		if s.at == len(s.line) {
			return errors.New(`nothing follows the last \`)
		}
		s.add(s.line[s.at])
		s.at++
	case strings.ContainsRune("|&;<>()$`*?[]", r), !s.begun && (r == '#' || r == '~' && !s.before(':')):
		return fmt.Errorf("%q at character %d is for a shell, and there is none; put the word into single quotes, or name a script of the shell", r, s.at)
	default:
		s.add(r)
	}
	return nil
}

// quoted reads up to the closing quote.
func (s *splitter) quoted(quote rune) error {
	from := s.at
	s.begun = true
	for ; s.at < len(s.line); s.at++ {
		switch r := s.line[s.at]; {
		case r == quote:
			s.at++
			return nil
		case r == 0:
			return errors.New("the command line holds a zero byte")
		case quote == '"' && (r == '$' || r == '`'):
			return fmt.Errorf("%q at character %d is for a shell, and there is none; put the word into single quotes", r, s.at+1)
		case quote == '"' && r == '\\' && s.at+1 < len(s.line) && strings.ContainsRune("\\\"$`", s.line[s.at+1]):
			s.at++
			s.add(s.line[s.at])
		default:
			s.add(r)
		}
	}
	return fmt.Errorf("the quote %q at character %d is not closed", quote, from)
}
