package core

import (
	"encoding/json"
	"fmt"

	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// Format prints the value as its type says, or as what it is made of.
func (o Object) Format(s fmt.State, verb rune) {
	switch {
	case o.T.format != nil:
		lent, end := symbols.LendState(s)
		defer end()
		o.T.format(o.V, lent, verb)
		return
	case verb == 'T':
		fmt.Fprint(s, o.T.name)
		return
	case verb == 'v' && s.Flag('#') && o.T.goText != nil:
		fmt.Fprint(s, o.T.goText(o.V))
		return
	case verb == 'v' && s.Flag('#'):
	case verb == 'v' || verb == 's' || verb == 'x' || verb == 'X' || verb == 'q':
		if o.T.errorText != nil {
			fmt.Fprintf(s, fmt.FormatString(s, stringVerb(verb)), o.T.errorText(o.V))
			return
		}
		if o.T.text != nil {
			fmt.Fprintf(s, fmt.FormatString(s, stringVerb(verb)), o.T.text(o.V))
			return
		}
	}
	fmt.Fprintf(s, fmt.FormatString(s, verb), o.V)
}

// stringVerb is the verb by which a text is printed that stands for a value.
func stringVerb(verb rune) rune {
	if verb == 'v' {
		return 's'
	}
	return verb
}

// MarshalJSON writes the value as its type says, or as what it is made of.
func (o Object) MarshalJSON() ([]byte, error) {
	if o.T.json != nil {
		return o.T.json(o.V)
	}
	if o.T.marshalText != nil {
		text, err := o.T.marshalText(o.V)
		if err != nil {
			return nil, err
		}
		return json.Marshal(string(text))
	}
	return json.Marshal(o.V)
}
