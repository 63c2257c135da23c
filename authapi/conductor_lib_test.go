package authapi

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
)

// Contract 1.2: /user/lib, of exactly that type, speaks to the address that is
// configured.
func TestConductorLib(t *testing.T) {
	h := conducted(t)
	w := h.conduct(request(http.MethodGet, "/user/lib?_=1511000000000")) // jQuery's getScript
	want(t, w, http.StatusOK, "")
	header := w.Header()
	if header.Get("Content-Type") != "text/javascript" || header.Get("X-Content-Type-Options") != "nosniff" ||
		header.Get("ETag") == "" || !slices.Equal(header["Vary"], []string{"Origin"}) {
		t.Errorf("headers %v", header)
	}
	wantBody(t, w, `var base = "https://app.example.com";`, "authClient.services", "!{ORIGIN}")
	// The type says no charset.
	if i := bytes.IndexFunc(w.Body.Bytes(), func(r rune) bool { return r >= 0x80 || r < ' ' && r != '\n' }); i >= 0 {
		t.Errorf("not ASCII at %d", i)
	}
	again := h.conduct(request(http.MethodGet, "/user/lib", "If-None-Match: "+header.Get("ETag")))
	want(t, again, http.StatusNotModified, "")
	local := conducted(t, func(c *Config) { c.Site = site(t, "http://localhost:8080") })
	wantBody(t, local.conduct(request(http.MethodGet, "http://localhost:8080/user/lib")), `var base = "http://localhost:8080";`)
}
