package core

import (
	"io"
	"math/rand"
)

type (
	stringWriter func(string) (int, error)
	readerFrom   func(io.Reader) (int64, error)
	writerTo     func(io.Writer) (int64, error)
	closer       func() error
	uint64er     func() uint64
	runeScanner  struct {
		read   func() (rune, int, error)
		unread func() error
	}
)

func (f stringWriter) WriteString(s string) (int, error)      { return f(s) }
func (f readerFrom) ReadFrom(r io.Reader) (int64, error)      { return f(r) }
func (f writerTo) WriteTo(w io.Writer) (int64, error)         { return f(w) }
func (f uint64er) Uint64() uint64                             { return f() }
func (f closer) Close() error                                 { return f() }
func (s runeScanner) ReadRune() (r rune, size int, err error) { return s.read() }
func (s runeScanner) UnreadRune() error                       { return s.unread() }

// The methods that os.IsTimeout and the errors of package net call on an error that they
// wrap.
type (
	timeouter struct {
		t *Type
		v any
	}
	temporarily struct {
		t *Type
		v any
	}
)

// Timeout reports what the script's method does.
func (o timeouter) Timeout() bool { return o.t.timeout(o.v) }

// Temporary reports what the script's method does.
func (o temporarily) Temporary() bool { return o.t.temporary(o.v) }

// boxError is Box of an error.
func boxError(o Object) any {
	t, v := o.T, o.V
	switch {
	case t.unwrapAll != nil:
		return ErrorsObject{o}
	case t.timeout != nil && t.temporary != nil:
		return struct {
			ErrorObject
			timeouter
			temporarily
		}{ErrorObject{o}, timeouter{t, v}, temporarily{t, v}}
	case t.timeout != nil:
		return struct {
			ErrorObject
			timeouter
		}{ErrorObject{o}, timeouter{t, v}}
	case t.temporary != nil:
		return struct {
			ErrorObject
			temporarily
		}{ErrorObject{o}, temporarily{t, v}}
	}
	return ErrorObject{o}
}

// withOptional adds the optional methods that a value has to its wrapper: a reader, a
// writer, or a source of random numbers.
func withOptional(wrapper, object any, methods map[string]any) any {
	if s, ok := wrapper.(rand.Source); ok {
		next, _ := methods["Uint64"].(func() uint64)
		return struct {
			IValue any
			rand.Source
			uint64er
		}{object, s, next}
	}
	w, isWriter := wrapper.(io.Writer)
	if isWriter {
		s, hasString := methods["WriteString"].(func(string) (int, error))
		f, hasFrom := methods["ReadFrom"].(func(io.Reader) (int64, error))
		return writerWith(object, w, s, f, hasString, hasFrom)
	}
	r, isReader := wrapper.(io.Reader)
	if !isReader {
		return wrapper
	}
	to, hasTo := methods["WriteTo"].(func(io.Writer) (int64, error))
	c, hasClose := methods["Close"].(func() error)
	read, hasRune := methods["ReadRune"].(func() (rune, int, error))
	unread, _ := methods["UnreadRune"].(func() error)
	return readerWith(object, r, to, c, runeScanner{read, unread}, hasTo, hasClose, hasRune)
}

func writerWith(object any, w io.Writer, s stringWriter, f readerFrom, hasString, hasFrom bool) any {
	switch {
	case hasString && hasFrom:
		return struct {
			IValue any
			io.Writer
			io.StringWriter
			io.ReaderFrom
		}{object, w, s, f}
	case hasString:
		return struct {
			IValue any
			io.Writer
			io.StringWriter
		}{object, w, s}
	case hasFrom:
		return struct {
			IValue any
			io.Writer
			io.ReaderFrom
		}{object, w, f}
	}
	return w
}

func readerWith(object any, r io.Reader, to writerTo, c closer, s runeScanner, hasTo, hasClose, hasRune bool) any {
	if hasClose {
		rc := struct {
			io.Reader
			io.Closer
		}{r, c}
		switch {
		case hasTo && hasRune:
			return struct {
				IValue any
				io.ReadCloser
				io.WriterTo
				io.RuneScanner
			}{object, rc, to, s}
		case hasTo:
			return struct {
				IValue any
				io.ReadCloser
				io.WriterTo
			}{object, rc, to}
		case hasRune:
			return struct {
				IValue any
				io.ReadCloser
				io.RuneScanner
			}{object, rc, s}
		}
		return struct {
			IValue any
			io.ReadCloser
		}{object, rc}
	}
	switch {
	case hasTo && hasRune:
		return struct {
			IValue any
			io.Reader
			io.WriterTo
			io.RuneScanner
		}{object, r, to, s}
	case hasTo:
		return struct {
			IValue any
			io.Reader
			io.WriterTo
		}{object, r, to}
	case hasRune:
		return struct {
			IValue any
			io.Reader
			io.RuneScanner
		}{object, r, s}
	}
	return r
}
