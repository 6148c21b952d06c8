// Package mask keeps the values of secrets out of texts. It knows the forms in
// which a value gets into a text by accident, and replaces them by the name of the
// secret. It cannot help against code that takes a value apart on purpose.
package mask

import (
	"slices"
	"strings"
	"sync"
)

const (
	// MinBytes is the length of the shortest secret: shorter texts occur in places
	// that have nothing to do with a secret.
	MinBytes = 4
	// MaxBytes is the length of the longest secret.
	MaxBytes = 8 << 10
	// kept is how many values of one secret are known at a time: code may still
	// hold one that has changed meanwhile.
	kept = 8
	// gram is the length of the pieces by which a part of a form is found, and run
	// the length of the shortest part of a longer form that is masked.
	gram = 8
	run  = 2*gram - 1
)

// Mask knows values of secrets. Its zero value knows none, and neither does a nil
// one. It is safe for use from many goroutines.
type Mask struct {
	mu      sync.RWMutex
	values  map[string][]string // by secret, the newest last
	forms   []form
	byFirst [256][]int // of the forms that are masked as a whole, by their first byte
	grams   map[string][]place
}

// form is one text in which a value can appear.
type form struct {
	secret string
	text   string
}

// place is the place of a gram in a form.
type place struct{ form, at int }

// Learn adds a value of a secret, and reports whether it is new.
func (m *Mask) Learn(secret, value string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.values[secret]
	if slices.Contains(known, value) || len(value) < MinBytes {
		return false
	}
	if m.values == nil {
		m.values = make(map[string][]string)
	}
	known = append(known, value)
	m.values[secret] = known[max(0, len(known)-kept):]
	m.indexLocked()
	return true
}

// indexLocked rebuilds the forms of all values.
func (m *Mask) indexLocked() {
	m.forms, m.byFirst, m.grams = nil, [256][]int{}, make(map[string][]place)
	for secret, values := range m.values {
		for _, value := range values {
			for _, text := range formsOf(value) {
				m.forms = append(m.forms, form{secret, text})
			}
		}
	}
	for i, f := range m.forms {
		m.byFirst[f.text[0]] = append(m.byFirst[f.text[0]], i)
		for at := 0; len(f.text) > run && at+gram <= len(f.text); at += gram {
			piece := f.text[at : at+gram]
			m.grams[piece] = append(m.grams[piece], place{i, at})
		}
	}
}

// span is a part of a text to be masked.
type span struct {
	from, to int
	secret   string
}

// spansLocked finds the parts to be masked, in order and without overlaps.
func (m *Mask) spansLocked(text string) []span {
	var found []span
	done := 0 // everything before this is done
	for at := 0; at+MinBytes <= len(text); at++ {
		for _, i := range m.byFirst[text[at]] {
			if f := &m.forms[i]; strings.HasPrefix(text[at:], f.text) {
				found = append(found, span{at, at + len(f.text), f.secret})
			}
		}
		if at+gram > len(text) || at < done {
			continue
		}
		for _, p := range m.grams[text[at:at+gram]] {
			if s := m.extendLocked(text, at, p); s.to-s.from >= run {
				found = append(found, s)
				done = max(done, s.to-gram)
			}
		}
	}
	slices.SortFunc(found, func(a, b span) int { return a.from - b.from })
	var merged []span
	for _, s := range found {
		last := len(merged) - 1
		if last < 0 || s.from >= merged[last].to {
			merged = append(merged, s)
			continue
		}
		if s.to > merged[last].to {
			merged[last].to = s.to
		}
	}
	return merged
}

// extendLocked returns the longest part of a form that the text has around one of
// its grams.
func (m *Mask) extendLocked(text string, at int, p place) span {
	f := m.forms[p.form].text
	from, to := at, at+gram
	for back := p.at; from > 0 && back > 0 && text[from-1] == f[back-1]; {
		from, back = from-1, back-1
	}
	for ahead := p.at + gram; to < len(text) && ahead < len(f) && text[to] == f[ahead]; {
		to, ahead = to+1, ahead+1
	}
	return span{from, to, m.forms[p.form].secret}
}

// Text returns the text with secrets masked.
func (m *Mask) Text(text string) string { return m.Cut(text, len(text)) }

// Cut returns the first most bytes of the text with secrets masked. A secret that
// begins before the cut is masked even if it ends after it.
func (m *Mask) Cut(text string, most int) string {
	most = min(most, len(text))
	if m == nil {
		return text[:most]
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.forms) == 0 {
		return text[:most]
	}
	spans := m.spansLocked(text)
	if len(spans) == 0 {
		return text[:most]
	}
	var b strings.Builder
	at := 0
	for _, s := range spans {
		if s.from >= most {
			break
		}
		b.WriteString(text[at:s.from])
		b.WriteString("[secret " + s.secret + "]")
		at = s.to
	}
	if at < most {
		b.WriteString(text[at:most])
	}
	return b.String()
}

// Tail returns the end of a text whose beginning has been cut off, with secrets
// masked, including the rest of a secret through which the cut went.
func (m *Mask) Tail(text string) string {
	if m == nil {
		return text
	}
	m.mu.RLock()
	longest, secret := 0, ""
	for _, f := range m.forms {
		for n := min(len(f.text)-1, len(text)); n > longest && n >= MinBytes-1; n-- {
			if strings.HasPrefix(text, f.text[len(f.text)-n:]) {
				longest, secret = n, f.secret
			}
		}
	}
	m.mu.RUnlock()
	if longest == 0 {
		return m.Text(text)
	}
	return "[secret " + secret + "]" + m.Text(text[longest:])
}

// Find returns the name of a secret that the text holds, or "".
func (m *Mask) Find(text string) string {
	if m == nil {
		return ""
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.forms) == 0 {
		return ""
	}
	if spans := m.spansLocked(text); len(spans) > 0 {
		return spans[0].secret
	}
	return ""
}

// Reach is how far a text must continue after a cut, so that no part of a secret
// is left before the cut.
func (m *Mask) Reach() int {
	if m == nil {
		return 0
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	most := 0
	for _, f := range m.forms {
		most = max(most, len(f.text))
	}
	return most
}
