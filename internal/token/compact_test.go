package token

import (
	"encoding/base64"
	"strings"
	"testing"
)

// S3: each part has one spelling only.
func TestDecodePart(t *testing.T) {
	tests := []struct {
		name, part string
		want       string
		ok         bool
	}{
		{"three bytes", "YWJj", "abc", true},
		{"two bytes", "YWI", "ab", true},
		{"one byte", "YQ", "a", true},
		{"the alphabet of base64url", "-_-_", "\xfb\xff\xbf", true},
		{"empty", "", "", false},
		{"padding", "YQ==", "", false},
		{"half the padding", "YQ=", "", false},
		{"one character too many", "YWJjY", "", false},
		{"the alphabet of base64", "+/+/", "", false},
		{"stray bits after one byte", "YR", "", false},
		{"stray bits after two bytes", "YWJ", "", false},
		{"line feed within", "YW\nJj", "", false},
		{"line feed after", "YWJj\n", "", false},
		{"carriage return", "\rYWJj", "", false},
		{"blank", "YW Jj", "", false},
		{"percent", "YW%4a", "", false},
		{"NUL", "YWJj\x00", "", false},
		{"not ASCII", "YWJé", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := decodePart(test.part)
			if ok != test.ok || ok && string(got) != test.want {
				t.Errorf("got %q, %v, want %q, %v", got, ok, test.want, test.ok)
			}
			if ok && base64.RawURLEncoding.EncodeToString(got) != test.part {
				t.Errorf("%q is not how %q is written", test.part, got)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		name, raw string
		ok        bool
	}{
		{"three parts", "a.b.c", true},
		{"empty parts are for others to refuse", "..", true},
		{"nothing", "", false},
		{"one part", "a", false},
		{"two parts", "a.b", false},
		{"four parts", "a.b.c.", false},
		{"five parts", "a.b.c.d.e", false},
		{"8 KiB", "a.b." + strings.Repeat("c", maxToken-4), true},
		{"over 8 KiB", "a.b." + strings.Repeat("c", maxToken-3), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			first, second, third, ok := split(test.raw)
			if ok != test.ok {
				t.Fatalf("got %v, want %v", ok, test.ok)
			}
			if ok && first+"."+second+"."+third != test.raw {
				t.Errorf("got %q, %q, %q", first, second, third)
			}
		})
	}
}
