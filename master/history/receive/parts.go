package receive

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// MaxParts bounds the parts of one request: its samples or points, their labels or
// attributes, their buckets, and the messages that contain them. Each takes far more
// memory than it has bytes.
const MaxParts = 1_000_000

var errParts = fmt.Errorf("it has more than %d parts; send smaller batches", MaxParts)

// field describes a field of a message: it has messages of another kind, or a list of
// numbers, or neither.
type field[M any] func(of M, number protowire.Number) (sub M, isMessage, isPacked bool)

// checkParts counts the messages in a message, and approximately the numbers of lists,
// from its bytes alone, before memory is allocated for them.
func checkParts[M any](text []byte, of M, fieldOf field[M]) error {
	if len(text) < MaxParts {
		return nil // none is so short; a faulty one is found out later
	}
	parts := 0
	return countParts(text, of, fieldOf, &parts, protowire.DefaultRecursionLimit)
}

// countParts adds to parts. deep is how deep messages may be nested.
func countParts[M any](text []byte, of M, fieldOf field[M], parts *int, deep int) error {
	if deep == 0 {
		return errors.New("it is nested too deep")
	}
	numbers := 0 // of lists, one by one
	for len(text) > 0 {
		number, kind, n := protowire.ConsumeTag(text)
		if n < 0 {
			return protowire.ParseError(n)
		}
		text = text[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, text); n < 0 {
				return protowire.ParseError(n)
			}
			text = text[n:]
			if _, _, isPacked := fieldOf(of, number); isPacked {
				numbers++
				if *parts += numbers / 8; *parts > MaxParts {
					return errParts
				}
				numbers %= 8
			}
			continue
		}
		value, n := protowire.ConsumeBytes(text)
		if n < 0 {
			return protowire.ParseError(n)
		}
		text = text[n:]
		sub, isMessage, isPacked := fieldOf(of, number)
		*parts++
		if isPacked {
			*parts += len(value) / 8
		}
		if *parts > MaxParts {
			return errParts
		}
		if isMessage {
			if err := countParts(value, sub, fieldOf, parts, deep-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// describedField is the field of a message whose description comes with its type.
func describedField(of protoreflect.MessageDescriptor, number protowire.Number) (sub protoreflect.MessageDescriptor, isMessage, isPacked bool) {
	f := of.Fields().ByNumber(number)
	switch {
	case f == nil:
		return nil, false, false
	case f.Kind() == protoreflect.MessageKind:
		return f.Message(), true, false
	}
	return nil, false, f.IsPacked()
}

// remoteMessage is a kind of message of remote write, whose types bring no description.
type remoteMessage uint8

const (
	remoteRequest remoteMessage = iota
	remoteTimeSeries
	remoteExemplar
	remoteHistogram
	remoteFlat // it holds no messages
)

// remoteField is the field of a message of remote write 1.0.
func remoteField(of remoteMessage, number protowire.Number) (sub remoteMessage, isMessage, isPacked bool) {
	switch of {
	case remoteRequest:
		switch number {
		case 1:
			return remoteTimeSeries, true, false
		case 3: // metadata
			return remoteFlat, true, false
		}
	case remoteTimeSeries:
		switch number {
		case 1, 2: // labels, samples
			return remoteFlat, true, false
		case 3:
			return remoteExemplar, true, false
		case 4:
			return remoteHistogram, true, false
		}
	case remoteExemplar:
		return remoteFlat, number == 1, false // labels
	case remoteHistogram:
		switch number {
		case 8, 11: // spans
			return remoteFlat, true, false
		case 9, 10, 12, 13, 16: // buckets
			return remoteFlat, false, true
		}
	}
	return remoteFlat, false, false
}
