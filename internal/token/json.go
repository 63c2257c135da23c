package token

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// What is wrong with a piece of JSON. encoding/json is not used to read tokens:
// it takes the last of repeated members, matches names without regard to case,
// repairs broken UTF-8 and lone surrogates, and nests 10,000 deep. Two readers
// that differ in such a thing can be made to see two different tokens (S3).
var (
	errNotObject = errors.New("not a JSON object")
	errSyntax    = errors.New("not JSON")
	errTrailing  = errors.New("text after the JSON object")
	errUTF8      = errors.New("not valid UTF-8")
	errRepeated  = errors.New("a member is given twice")
	errDepth     = errors.New("nested too deeply")
	errNumber    = errors.New("a number is out of range")
)

// parseObject reads data, which is one JSON object (RFC 8259) and nothing
// before or after it, as I-JSON (RFC 7493): valid UTF-8, no lone surrogates, no
// member twice at any depth, numbers that fit a float64. depth is how many
// objects and arrays may be nested, the outermost included. Values are as
// encoding/json decodes them into an any.
func parseObject(data []byte, depth int) (map[string]any, error) {
	s := scanner{data: data, depth: depth, build: true}
	if err := s.begin(); err != nil {
		return nil, err
	}
	object, err := s.object()
	if err != nil {
		return nil, err
	}
	if s.pos != len(data) {
		return nil, errTrailing
	}
	return object, nil
}

// scanner reads JSON text from data[pos:].
type scanner struct {
	data  []byte
	pos   int
	depth int  // how many more levels may be opened
	build bool // whether values are wanted; else they are only checked, without regard to repeated members
}

// begin checks what can be checked before reading.
func (s *scanner) begin() error {
	if !utf8.Valid(s.data) {
		return errUTF8
	}
	if len(s.data) == 0 || s.data[0] != '{' {
		return errNotObject
	}
	return nil
}

// space skips white space.
func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// take skips c if it is next, and reports whether it was.
func (s *scanner) take(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// open enters an object or array, close leaves it.
func (s *scanner) open() error {
	if s.depth == 0 {
		return errDepth
	}
	s.depth--
	s.pos++
	s.space()
	return nil
}

func (s *scanner) close() { s.depth++ }

// value reads any value.
func (s *scanner) value() (any, error) {
	if s.pos == len(s.data) {
		return nil, errSyntax
	}
	switch s.data[s.pos] {
	case '{':
		return s.object()
	case '[':
		return s.array()
	case '"':
		raw, escaped, err := s.literal()
		if err != nil || !s.build {
			return nil, err
		}
		return unquote(raw, escaped), nil
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return nil, s.word("null")
	default:
		return s.number()
	}
}

// object reads an object; nil if values are not wanted.
func (s *scanner) object() (map[string]any, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	defer s.close()
	var members map[string]any
	if s.build {
		members = make(map[string]any)
	}
	if s.take('}') {
		return members, nil
	}
	for {
		raw, escaped, err := s.name()
		if err != nil {
			return nil, err
		}
		value, err := s.value()
		if err != nil {
			return nil, err
		}
		if s.build {
			name := unquote(raw, escaped)
			if _, ok := members[name]; ok {
				return nil, errRepeated
			}
			members[name] = value
		}
		if more, err := s.next('}'); !more || err != nil {
			return members, err
		}
	}
}

// name reads a member's name and the colon after it, up to the value.
func (s *scanner) name() (raw []byte, escaped bool, err error) {
	raw, escaped, err = s.literal()
	if err != nil {
		return nil, false, err
	}
	s.space()
	if !s.take(':') {
		return nil, false, errSyntax
	}
	s.space()
	return raw, escaped, nil
}

// next reads what follows an element: a comma, and there is more, or the end.
func (s *scanner) next(end byte) (more bool, err error) {
	s.space()
	if s.take(end) {
		return false, nil
	}
	if !s.take(',') {
		return false, errSyntax
	}
	s.space()
	return true, nil
}

// array reads an array; nil if values are not wanted.
func (s *scanner) array() ([]any, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	defer s.close()
	var elements []any
	if s.build {
		elements = []any{}
	}
	if s.take(']') {
		return elements, nil
	}
	for {
		value, err := s.value()
		if err != nil {
			return nil, err
		}
		if s.build {
			elements = append(elements, value)
		}
		if more, err := s.next(']'); !more || err != nil {
			return elements, err
		}
	}
}

// word reads one of JSON's three words.
func (s *scanner) word(word string) error {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return errSyntax
	}
	s.pos += len(word)
	return nil
}

// number reads a number as a float64, as encoding/json does.
func (s *scanner) number() (any, error) {
	start := s.pos
	s.take('-')
	if !s.take('0') && !s.digits() {
		return nil, errSyntax
	}
	if s.take('.') && !s.digits() {
		return nil, errSyntax
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if !s.digits() {
			return nil, errSyntax
		}
	}
	if !s.build {
		return nil, nil
	}
	number, err := strconv.ParseFloat(string(s.data[start:s.pos]), 64)
	if err != nil {
		return nil, errNumber
	}
	return number, nil
}

// digits skips digits and reports whether there were any.
func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}
