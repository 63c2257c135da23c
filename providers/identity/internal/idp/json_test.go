package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// nested is that many levels of JSON, the innermost of which is empty.
func nested(levels int) string {
	return strings.Repeat(`{"a":[`, levels/2) + strings.Repeat("{}", levels%2) + strings.Repeat(`]}`, levels/2)
}

// S3, S26: two readers of one text must not see two people in it.
func TestCheckJSON(t *testing.T) {
	tests := []struct {
		text string
		want error
	}{
		{`{"sub":"1"}`, nil},
		{" {} \r\n\t", nil},
		{`[{"a":1},{"a":1}]`, nil},
		{`{"a":{"a":{"a":1}},"b":{"a":1}}`, nil},
		{`{"sub":"1","SUB":"2"}`, nil}, // two names, of which one is read
		{`"text"`, nil},
		{`null`, nil},
		{`1e999`, nil}, // a number in JSON's grammar
		{nested(32), nil},
		{nested(33), errTooDeep},
		{strings.Repeat("[", 1<<20), errTooDeep},
		{`{"sub":"1"}garbage`, errTrailing},
		{`{"sub":"1"}{"sub":"2"}`, errTrailing},
		{`{"sub":"1"} null`, errTrailing},
		{`{"sub":"1"}]`, errTrailing},
		{"{\"sub\":\"1\"}\x00", errTrailing},
		{`{"sub":"1","sub":"2"}`, errRepeated},
		{`{"sub":"1","sub":"1"}`, errRepeated},
		{`{"sub":"1","s\u0075b":"2"}`, errRepeated},
		{`{"a":[{"b":{"c":1,"c":1}}]}`, errRepeated},
		{`[{"primary":false,"primary":true}]`, errRepeated},
		{`{"":1,"":1}`, errRepeated},
		{"{\"sub\":\"1\xff\"}", errUTF8},
		{"{\"sub\":\"\xed\xa0\x80\"}", errUTF8}, // a surrogate
		{"{\"\xc0\xafsub\":\"1\"}", errUTF8},    // an overlong slash
		{"{}\xff", errUTF8},
		{"", errNotJSON},
		{" ", errNotJSON},
		{"\ufeff{}", errNotJSON},
		{`{"sub":"1"`, errNotJSON},
		{`{"sub":"1"]`, errNotJSON},
		{`{"sub":"1",}`, errNotJSON},
		{`{,"sub":"1"}`, errNotJSON},
		{`{"sub" "1"}`, errNotJSON},
		{`{"sub":"1" "aud":"2"}`, errNotJSON},
		{`{"sub"}`, errNotJSON},
		{`{sub:"1"}`, errNotJSON},
		{`{1:"1"}`, errNotJSON},
		{`{'sub':'1'}`, errNotJSON},
		{`[1,]`, errNotJSON},
		{`[,1]`, errNotJSON},
		{`[1 2]`, errNotJSON},
		{`[01]`, errNotJSON},
		{`[NaN]`, errNotJSON},
		{`["a` + "\n" + `"]`, errNotJSON},
		{`}`, errNotJSON},
		{`// {}`, errNotJSON},
	}
	for _, test := range tests {
		if err := CheckJSON([]byte(test.text)); !errors.Is(err, test.want) {
			t.Errorf("%.60q: %v, want %v", test.text, err, test.want)
		}
	}
}

func TestDecodeObject(t *testing.T) {
	got, err := DecodeObject([]byte(`{"sub":"1","SUB":"2","iat":1.5,"aud":["a",null],"_":{}} `))
	want := map[string]any{"sub": "1", "SUB": "2", "iat": 1.5, "aud": []any{"a", nil}, "_": map[string]any{}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if got, err := DecodeObject([]byte(`{}`)); err != nil || got == nil {
		t.Errorf("an empty object: %v, %v", got, err)
	}
	for text, want := range map[string]error{
		`null`: errNotObject, `[]`: errNotObject, `"{}"`: errNotObject, `1`: errNotObject, `{"n":1e999}`: errNotObject,
		`{}{}`: errTrailing, `{"a":1,"a":1}`: errRepeated, `{`: errNotJSON, "{\"\xff\":1}": errUTF8, nested(33): errTooDeep,
	} {
		if got, err := DecodeObject([]byte(text)); !errors.Is(err, want) || got != nil {
			t.Errorf("%.60q: %v, %v; want %v", text, got, err, want)
		}
	}
}

// S3, S26: what passes is JSON to encoding/json as well, and no member is lost
// when that reads it.
func FuzzCheckJSON(f *testing.F) {
	for _, text := range []string{
		`{"sub":"1","aud":["a",{"b":null}],"n":-1.5e3,"t":true}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{}{}`, `[1,]`, `{"a":}`, `[1 2]`, `{"\ud800":1,"\ud801":1}`,
		"\xff", "", `{"a":"\ud83d\ude00"}`, nested(32), nested(33),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if CheckJSON(text) != nil {
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Fatalf("%q is accepted", text)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var v any
		if err := decoder.Decode(&v); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		// Colons outside of strings are as many as members.
		colons, inString := 0, false
		for i := 0; i < len(text); i++ {
			switch {
			case inString && text[i] == '\\':
				i++
			case text[i] == '"':
				inString = !inString
			case text[i] == ':' && !inString:
				colons++
			}
		}
		if members := countMembers(v); members != colons {
			t.Errorf("%q has %d members, of which %d are read", text, colons, members)
		}
	})
}

func countMembers(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		n = len(v)
		for _, value := range v {
			n += countMembers(value)
		}
	case []any:
		for _, value := range v {
			n += countMembers(value)
		}
	}
	return n
}
