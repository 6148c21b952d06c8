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
// whenever its state changes. What it has said then is also the label text of the series
// said_seconds while the state is not OK. The script's alerts have it as their summary.
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
	return fmt.Sprintf(checkSource, words[0], strings.Join(quoted, ", "), checkSummary), nil
}

// checkSummary is the summary of the alerts of a check: the text of the state that began
// last. A text is no part of an alert's labels, or each would be another alert.
const checkSummary = `{{ with printf "topk(1, {key=%q, host=%q})" (reReplaceAll "/status$" "/said_seconds" $labels.key) $labels.host | query }}` +
	`{{ (. | first).Labels.text }}{{ else }}the status is {{ $value }}{{ end }}`

const checkSource = `// Package check runs a Nagios check.
//
//vedette:needs exec:%[1]s
//vedette:alert warning warning status == 1 for 1m "%[3]s"
//vedette:alert critical critical status == 2 for 1m "%[3]s"
//vedette:alert unknown warning status == 3 for 1m "%[3]s"
package check

import (
	"context"
	"log"
	"strings"
	"time"
	"unicode"

	"github.com/vedettehq/vedette/inspectors"
)

// last is the state of the last run, said is what the check has said when that state
// began, since when; lastFaults is how many faults were printed.
var last, lastFaults int
var said string
var since float64

// longest is how many bytes of a text are kept.
const longest = 500

func Inspect(ctx context.Context, r *inspectors.Report) error {
	result, err := inspectors.Nagios(ctx, r, %[2]s)
	if result.State != last {
		last, said, since = result.State, short(result.Text), float64(time.Now().Unix())
		if err == nil {
			log.Printf("status %%d: %%s", result.State, result.Text)
		}
	}
	if last != 0 {
		r.Gauge("said_seconds", since, "text", said)
	}
	if err != nil {
		return err
	}
	if len(result.Faults) != lastFaults {
		lastFaults = len(result.Faults)
		for _, fault := range result.Faults {
			log.Printf("performance data left out: %%s", fault)
		}
	}
	return nil
}

// short makes a text fit for a label.
func short(text string) string {
	if text == "" {
		return "the check said nothing"
	}
	text = strings.Map(plain, text)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "")
	}
	return text
}

// plain returns a character that a label can hold, in place of any.
func plain(r rune) rune {
	switch {
	case r == '<':
		return '('
	case r == '>':
		return ')'
	case r == '\\':
		return '/'
	case r < ' ', r > '~' && !unicode.IsLetter(r):
		return ' '
	}
	return r
}
`

// checkProgram checks the program of a command line.
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
	begun bool // there is a word, which may be empty
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

// before reports whether a character follows. A word such as ~:10 is a range of a check,
// not a folder.
func (s *splitter) before(r rune) bool { return s.at < len(s.line) && s.line[s.at] == r }

// next reads one character, or a quoted text.
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
