package gate

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/datahq/auth-gateway/internal/wire"
)

// S11: the absolute form of a request is good for our own host alone.
func TestRequestTarget(t *testing.T) {
	h := newHouse(t)
	for target, good := range map[string]bool{
		"/page": true, "https://app.example.com/page": true, "http://app.example.com/page": true, "https://APP.example.com:443/page": true,
		"https://evil.example/page": false, "https://app.example.com.evil.example/page": false, "https://app.example.com:8443/page": false,
		"https://evil.example@app.example.com.evil.example/page": false, "ftp://app.example.com/page": false,
		"https://ada@app.example.com/page": false, "https://ada:secret@app.example.com/page": false, "//ada@/page": false, "file:///page": false,
	} {
		r := newRequest(http.MethodGet, "/page")
		var err error
		if r.URL, err = url.Parse(target); err != nil {
			t.Fatal(err)
		}
		p := admit(r, new(State), h.gate(identify))
		if (p == nil) != good || p != nil && p.Code != wire.CodeBadPath {
			t.Errorf("%s: %+v", target, p)
		}
	}
}
