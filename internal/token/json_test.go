package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseObject(t *testing.T) {
	tests := []struct {
		name, text string
		want       map[string]any
	}{
		{"empty", `{}`, map[string]any{}},
		{"white space within", "{ \t\r\n}", map[string]any{}},
		{"all kinds of values", `{"a":"x","b":1.5,"c":true,"d":false,"e":null,"f":[],"g":{},"h":[1,"2",[3]]}`, map[string]any{
			"a": "x", "b": 1.5, "c": true, "d": false, "e": nil,
			"f": []any{}, "g": map[string]any{}, "h": []any{1.0, "2", []any{3.0}},
		}},
		{"white space everywhere", "{ \"a\" : [ 1 , { \"b\" : 2 } ] , \"c\" : \"d\" }", map[string]any{
			"a": []any{1.0, map[string]any{"b": 2.0}}, "c": "d",
		}},
		{"numbers", `{"a":0,"b":-0.5,"c":10,"d":1e3,"e":1E+2,"f":2.5e-1,"g":1773500966}`, map[string]any{
			"a": 0.0, "b": -0.5, "c": 10.0, "d": 1000.0, "e": 100.0, "f": 0.25, "g": 1773500966.0,
		}},
		{"escapes", `{"\u0061":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000é"}`, map[string]any{
			"a": "\"\\/\b\f\n\r\té😀\x00é",
		}},
		{"a replacement character is a character", "{\"a\":\"\ufffd\\ufffd\"}", map[string]any{"a": "\ufffd\ufffd"}},
		{"names that differ in case only", `{"a":1,"A":2}`, map[string]any{"a": 1.0, "A": 2.0}},
		{"the same name at two levels", `{"a":{"a":{"a":1}}}`, map[string]any{"a": map[string]any{"a": map[string]any{"a": 1.0}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseObject([]byte(test.text), 4)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
		})
	}
}

// S3: unique members, valid UTF-8, bounded depth, no trailing text. Where
// encoding/json is laxer, two readers of one token could see two tokens.
func TestParseObjectRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		want       error
	}{
		{"nothing", ``, errNotObject},
		{"array", `[]`, errNotObject},
		{"string", `"a"`, errNotObject},
		{"null", `null`, errNotObject},
		{"white space before", ` {}`, errNotObject},
		{"byte order mark", "\ufeff{}", errNotObject},
		{"white space after", "{}\n", errTrailing},
		{"second object", `{}{}`, errTrailing},
		{"NUL after", "{}\x00", errTrailing},
		{"not closed", `{`, errSyntax},
		{"not closed after a member", `{"a":1`, errSyntax},
		{"closed by the wrong bracket", `{"a":1]`, errSyntax},
		{"array closed by the wrong bracket", `{"a":[1}}`, errSyntax},
		{"comma at the end", `{"a":1,}`, errSyntax},
		{"comma at the end of an array", `{"a":[1,]}`, errSyntax},
		{"comma at the start", `{,"a":1}`, errSyntax},
		{"no comma", `{"a":1 "b":2}`, errSyntax},
		{"no colon", `{"a" 1}`, errSyntax},
		{"no value", `{"a":}`, errSyntax},
		{"value ends the text", `{"a":`, errSyntax},
		{"no quotes", `{a:1}`, errSyntax},
		{"single quotes", `{'a':1}`, errSyntax},
		{"comment", `{/**/"a":1}`, errSyntax},
		{"NaN", `{"a":NaN}`, errSyntax},
		{"Infinity", `{"a":-Infinity}`, errSyntax},
		{"word cut off", `{"a":tru`, errSyntax},
		{"word in capitals", `{"a":TRUE}`, errSyntax},
		{"leading zero", `{"a":01}`, errSyntax},
		{"leading plus", `{"a":+1}`, errSyntax},
		{"point without digits", `{"a":1.}`, errSyntax},
		{"point without an integer", `{"a":.5}`, errSyntax},
		{"exponent without digits", `{"a":1e}`, errSyntax},
		{"hexadecimal", `{"a":0x10}`, errSyntax},
		{"minus alone", `{"a":-}`, errSyntax},
		{"number beyond float64", `{"a":1e999}`, errNumber},
		{"string not closed", `{"a":"b}`, errSyntax},
		{"name not closed", `{"a`, errSyntax},
		{"control character in a string", "{\"a\":\"\x1f\"}", errSyntax},
		{"line break in a string", "{\"a\":\"\n\"}", errSyntax},
		{"unknown escape", `{"a":"\x41"}`, errSyntax},
		{"escape cut off", `{"a":"\`, errSyntax},
		{"unicode escape cut off", `{"a":"\u00e`, errSyntax},
		{"unicode escape not hexadecimal", `{"a":"\u00g0"}`, errSyntax},
		{"high surrogate alone", `{"a":"\ud83d"}`, errSyntax},
		{"low surrogate alone", `{"a":"\ude00"}`, errSyntax},
		{"surrogates the wrong way", `{"a":"\ude00\ud83d"}`, errSyntax},
		{"high surrogate and a letter", `{"a":"\ud83d\u0061"}`, errSyntax},
		{"invalid UTF-8 in a value", "{\"a\":\"\xff\"}", errUTF8},
		{"invalid UTF-8 in a name", "{\"\xc3\":1}", errUTF8},
		{"surrogate as UTF-8", "{\"a\":\"\xed\xa0\x80\"}", errUTF8},
		{"overlong UTF-8", "{\"a\":\"\xc0\xaf\"}", errUTF8},
		{"member twice", `{"a":1,"a":1}`, errRepeated},
		{"member twice, once escaped", `{"a":1,"\u0061":1}`, errRepeated},
		{"member twice, far apart", `{"a":1,"b":2,"c":3,"a":4}`, errRepeated},
		{"member twice, deep", `{"x":{"y":[{"a":1,"a":2}]}}`, errRepeated},
		{"five objects", `{"a":{"a":{"a":{"a":{}}}}}`, errDepth},
		{"five levels of both", `{"a":[{"a":[[]]}]}`, errDepth},
		{"a thousand arrays", `{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, errDepth},
		{"a thousand arrays, not closed", `{"a":` + strings.Repeat("[", 1000), errDepth},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseObject([]byte(test.text), 4)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, error %v, want error %v", got, err, test.want)
			}
		})
	}
}

// Siblings do not count as depth.
func TestParseObjectDepthIsGivenBack(t *testing.T) {
	text := `{"x":[{}],"a":[[],[],{}],"b":{"c":[]},"d":{"e":{}}}`
	if _, err := parseObject([]byte(text), 3); err != nil {
		t.Errorf("three levels, many siblings: %v", err)
	}
	if _, err := parseObject([]byte(text), 2); !errors.Is(err, errDepth) {
		t.Errorf("got %v, want %v", err, errDepth)
	}
}

// What is accepted is what encoding/json makes of the same text, and what is
// refused is refused for one of the reasons for which this is not encoding/json.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":[1,2.5e3,-0,true,false,null,"\u00e9\ud83d\ude00"]}`, `{"a":1,"a":2}`, `{"a":{"b":{"c":[]}}}`, `{"a":"\ud83d"}`, "{\"a\":\"\xff\"}", `{} `, `{"a":01}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseObject(data, maxDepth)
		if err != nil {
			lone := bytes.Contains(bytes.ToLower(data), []byte(`\ud`))
			spaced := len(data) != len(bytes.TrimSpace(data))
			if errors.Is(err, errSyntax) && json.Valid(data) && !lone {
				t.Errorf("%q is JSON, but: %v", data, err)
			}
			if errors.Is(err, errTrailing) && json.Valid(data) && !spaced {
				t.Errorf("%q is JSON, but: %v", data, err)
			}
			_, reference := referenceObject(data, maxDepth)
			if reference == nil && json.Unmarshal(data, new(map[string]any)) == nil {
				t.Errorf("%q is refused: %v, and not by the reference", data, err)
			}
			return
		}
		if _, reference := referenceObject(data, maxDepth); definite(reference) != nil {
			t.Errorf("%q is accepted; the reference: %v", data, reference)
		}
		if !utf8.Valid(data) {
			t.Errorf("%q is not UTF-8", data)
		}
		var want map[string]any
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q is accepted, but encoding/json: %v", data, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %#v, encoding/json has %#v", data, got, want)
		}
	})
}
