package authapi

import (
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Ruling 31 and contract 1.1.
func TestWriteJSON(t *testing.T) {
	h := build(t)
	w := httptest.NewRecorder()
	h.writeJSON(w, request("GET", "/"), object{
		"z": nil, "a": map[string]any{"y": []any{1, true}, "b": "é€\U0001F600\u007f"}, "m": "<a href='?x=1&y=2'>\n\"\\", "bad": "\xff",
	})
	const expected = `{"a":{"b":"\u00e9\u20ac\ud83d\ude00` + "\x7f" + `","y":[1,true]},"bad":"\ufffd","m":"<a href='?x=1&y=2'>\n\"\\","z":null}`
	if w.Body.String() != expected || w.Code != http.StatusOK {
		t.Errorf("got  %s\nwant %s", w.Body, expected)
	}
	if w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", w.Header())
	}
	w = httptest.NewRecorder()
	h.writeJSON(w, request("GET", "/"), object{"x": math.NaN()})
	want(t, w, http.StatusInternalServerError, "")
	wantBody(t, w, `"code":"internal"`, "!NaN")
}

func TestAcceptsJSON(t *testing.T) {
	for accept, accepted := range map[string]bool{
		"": false, "*/*": false, "text/html": false, "application/xhtml+xml": false, "application/*": false,
		"application/json": true, "text/html, application/json;q=0.5": true, "Application/JSON": true, "application/problem+json": true,
		"application/json;q=0": false, "application/json; q=0.0, text/html": false, "application/json;q=0, application/problem+json": true,
	} {
		if got := acceptsJSON(request("GET", "/", "Accept: "+accept)); got != accepted {
			t.Errorf("%q: %v", accept, got)
		}
	}
}
