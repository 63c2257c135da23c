package idp

import (
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	whatwg "github.com/nlnwa/whatwg-url/url"
)

// S27: an address that may link accounts is one address, the same to every
// reader: no second one hides in it.
func FuzzValidEmail(f *testing.F) {
	for _, address := range []string{
		"ada@example.com", "a@b@example.com", "\"a b\"@example.com", "ada <ada@example.com>", "ada@[127.0.0.1]", "ada@example.com,bob@example.com", "a..b@example.com", ".a@example.com", "a@example..com", "a@", "@a",
		"ädä@example.com", "a@exämple.com", "a\x00@example.com", "a@example.com\r\nBcc: b@example.com", "a(comment)@example.com", "=?utf-8?q?a?=@example.com", "a@-example.com", strings.Repeat("a", 64) + "@" + strings.Repeat("b.", 94) + "c",
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if !ValidEmail(address) {
			return
		}
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || parsed.Name != "" {
			t.Errorf("%q is read as %v, %v", address, parsed, err)
		}
		list, err := mail.ParseAddressList(address)
		if err != nil || len(list) != 1 {
			t.Errorf("%q is %d addresses, %v", address, len(list), err)
		}
		if strings.Count(address, "@") != 1 || len(address) > 254 || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Errorf("%q is no plain address", address)
		}
	})
}

// S25: what a provider says of somebody is one line, and a picture is on the
// web, to a browser too.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{"Ada", " a\r\nb\x00\u0085 ", "https://img.example/a.png", "javascript:alert(1)", "http:///x", "https://user:p@img.example", "//img.example", "https://img.example/\u2028", "HTTPS://x", "\xff", "https://x\\@y/", "http://[::1%25x]/"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line := Line(text)
		if utf8.RuneCountInString(line) > maxLine || strings.ContainsAny(line, "\r\n\t\x00\x1b\u0085") || line != Line(line) {
			t.Errorf("%q is the line %q", text, line)
		}
		if address := WebURL(text); address != "" {
			u, err := url.Parse(address)
			if err != nil || len(address) > maxWebURL || address != text {
				t.Fatalf("%q: %q, %v", text, address, err)
			}
			if browser, err := whatwg.Parse(address); err == nil && (browser.Scheme() != "http" && browser.Scheme() != "https" || browser.Scheme() != u.Scheme) {
				t.Errorf("%q is %s to a browser", address, browser)
			}
		}
	})
}
