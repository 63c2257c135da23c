package authapi

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Contract 1.1: query first, then form; "&" alone separates; broken escapes
// stay text; JSON is not read.
func TestParameters(t *testing.T) {
	for _, c := range []struct {
		query, contentType, body string
		want                     []string
	}{
		{"", "", "", nil},
		{"a=1&a=2", "", "", []string{"1", "2"}},
		{"a", "", "", []string{""}},
		{"a=%zz", "", "", []string{"%zz"}},
		{"a=x+y%20z", "", "", []string{"x y z"}},
		{"b=1;a=2", "", "", nil},
		{"a=1", "application/x-www-form-urlencoded; charset=utf-8", "a=2&b=3", []string{"1", "2"}},
		{"", "application/x-www-form-urlencoded", strings.Repeat("b=1&", 100) + "a=2", nil}, // S38
		{"", "application/json", `{"a":"1"}`, nil},
		{"", "text/plain", "a=1", nil},
		{"", "multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B--\r\n", []string{"1"}},
		{"", "multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-da", nil},
		{"a=1", "multipart/form-data", "x", []string{"1"}},
		{"a=1", ";;", "a=2", []string{"1"}},
	} {
		r := httptest.NewRequest("POST", "/?"+c.query, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		p, err := readParameters(r)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		if got := p.all("a"); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
