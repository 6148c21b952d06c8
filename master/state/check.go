package state

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkKey checks a key; see Store.
func checkKey(key string) error {
	if err := checkPrefix(key); err != nil {
		return err
	}
	if key == "" || strings.HasSuffix(key, "/") || !strings.Contains(key, "/") {
		return fmt.Errorf("%w: the key %q is not of the form kind/name", ErrInvalid, key)
	}
	return nil
}

// checkPrefix checks the beginning of a key.
func checkPrefix(prefix string) error {
	if len(prefix) > MaxKeyBytes {
		return fmt.Errorf("%w: the key %.40q… is %d bytes long; at most %d are allowed", ErrInvalid, prefix, len(prefix), MaxKeyBytes)
	}
	first := true // of its segment
	for i := range len(prefix) {
		c := prefix[i]
		switch {
		case isAlphanumeric(c) || c == '_':
			first = false
		case first:
			return fmt.Errorf("%w: in the key %q a segment is empty or starts with %q; start it with a letter, a digit or \"_\"", ErrInvalid, prefix, runeAt(prefix, i))
		case c == '/':
			first = true
		case c != '-' && c != '.' && c != ':':
			return fmt.Errorf("%w: the key %q has %q; use letters, digits, \"_\", \"-\", \".\", \":\" and \"/\"", ErrInvalid, prefix, runeAt(prefix, i))
		}
	}
	return nil
}

// checkLog checks the name of a log, which is one segment of a key.
func checkLog(log string) error {
	if log == "" || strings.Contains(log, "/") || checkPrefix(log) != nil {
		return fmt.Errorf("%w: the name of a log is one segment of letters, digits, \"_\", \"-\", \".\" and \":\", not %.40q", ErrInvalid, log)
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func runeAt(s string, i int) rune {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return r
}

// checkVersion checks the version that a caller says it has seen.
func checkVersion(v Version) error {
	if v == None {
		return nil
	}
	if b, err := hex.DecodeString(string(v)); err != nil || len(b) != sumBytes || hex.EncodeToString(b) != string(v) {
		return fmt.Errorf("%w: %.80q is not a version", ErrInvalid, v)
	}
	return nil
}

// check checks one change by itself.
func (c *Change) check() error {
	most := MaxValueBytes
	var err error
	switch c.Op {
	case OpAppend:
		most, err = MaxRecordBytes, checkLog(c.Name)
	case OpTrim:
		if err = checkLog(c.Name); err == nil && len(c.Value) != 8 {
			err = fmt.Errorf("%w: a trim of the log %q does not say from where", ErrInvalid, c.Name)
		}
	case OpPut, OpCheck, OpDelete:
		if err = checkKey(c.Name); err == nil {
			err = checkVersion(c.Want)
		}
	default:
		err = fmt.Errorf("%w: there is no change of kind %d", ErrInvalid, c.Op)
	}
	switch {
	case err != nil:
		return err
	case c.Op == OpDelete && c.Want == None:
		return fmt.Errorf("%w: to delete %q, the version is needed that was seen", ErrInvalid, c.Name)
	case len(c.Value) > most:
		return fmt.Errorf("%w: what is to be written to %q has %d bytes; at most %d are allowed", ErrInvalid, c.Name, len(c.Value), most)
	}
	return nil
}

// checkChanges checks the changes of one Apply.
func checkChanges(changes []Change) error {
	if len(changes) > MaxChanges {
		return fmt.Errorf("%w: %d changes at once; at most %d are allowed", ErrInvalid, len(changes), MaxChanges)
	}
	size, seen := 0, make(map[string]bool, len(changes))
	for i := range changes {
		c := &changes[i]
		if err := c.check(); err != nil {
			return err
		}
		if size += len(c.Value); size > MaxValueBytes {
			return fmt.Errorf("%w: the changes have more than %d bytes together", ErrInvalid, MaxValueBytes)
		}
		if c.Op == OpAppend || c.Op == OpTrim {
			continue
		}
		if seen[c.Name] {
			return fmt.Errorf("%w: %q is in the changes twice", ErrInvalid, c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}
