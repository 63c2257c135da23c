package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may be nested, the outermost
// included.
const maxDepth = 32

// What is wrong with a JSON text. Nothing of the text is told (S25).
var (
	errNotJSON   = errors.New("it is not JSON")
	errNotObject = errors.New("it is not a JSON object")
	errTrailing  = errors.New("there is something behind it")
	errUTF8      = errors.New("it is not valid UTF-8")
	errRepeated  = errors.New("a member is given twice")
	errTooDeep   = errors.New("it is nested too deeply")
)

// CheckJSON reports what is wrong with an answer or a part of a token that
// should be one JSON value (RFC 8259) with nothing behind it, in valid UTF-8,
// with no member twice in any object and at most 32 levels deep (S3, S26).
//
// encoding/json takes the last of repeated members, repairs broken UTF-8 and
// nests 10,000 deep, and its Decoder stops at the end of the first value. Two
// readers that differ in such a thing see two different people in one text.
func CheckJSON(text []byte) error {
	if !utf8.Valid(text) {
		return errUTF8
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := checkValue(decoder, maxDepth); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

// DecodeObject returns the members of a text that CheckJSON finds nothing wrong
// with and that is an object. Values are as encoding/json decodes them into an
// any, numbers as float64. Names are as they are written: a struct would also
// take "SUB" for "sub".
func DecodeObject(text []byte) (map[string]any, error) {
	if err := CheckJSON(text); err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil || members == nil { // null gives no error
		return nil, errNotObject
	}
	return members, nil
}

// checkValue reads one value, in which depth levels may be opened.
func checkValue(decoder *json.Decoder, depth int) error {
	token, err := decoder.Token()
	if err != nil {
		return errNotJSON
	}
	bracket, opens := token.(json.Delim)
	if !opens {
		return nil
	}
	if depth == 0 {
		return errTooDeep
	}
	seen := make(map[json.Token]bool)
	for decoder.More() {
		if bracket == '{' {
			name, err := decoder.Token()
			if err != nil {
				return errNotJSON
			}
			if seen[name] {
				return errRepeated
			}
			seen[name] = true
		}
		if err := checkValue(decoder, depth-1); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil { // the end
		return errNotJSON
	}
	return nil
}
