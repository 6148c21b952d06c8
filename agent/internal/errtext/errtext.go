// Package errtext makes the texts of errors that an agent stores, shows and sends.
package errtext

import "strings"

// maxBytes bounds a text.
const maxBytes = 4 << 10

// Of returns the text of an error, or "" for nil: valid UTF-8 of bounded length.
func Of(err error) string {
	if err == nil {
		return ""
	}
	text := strings.ToValidUTF8(err.Error(), "\uFFFD")
	if len(text) > maxBytes {
		text = strings.ToValidUTF8(text[:maxBytes], "") + " …"
	}
	return text
}
