package wire

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func newSite(t testing.TB, address string) *Site {
	t.Helper()
	site, err := NewSite(address, "")
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func newPolicy(t testing.TB, entries ...string) *NextPolicy {
	t.Helper()
	n, err := NewNextPolicy(newSite(t, "https://app.example.com"), true, entries...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// newRequest makes a request to app.example.com; headers are "Name: value", and
// a name may come again.
func newRequest(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, http.NoBody)
	r.Host = "app.example.com"
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}
