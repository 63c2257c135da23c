package authapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// These tests go through contract 1.1 row by row, at the endpoints of both
// dialects. A row that rulings or security changes is tested as changed.

// contractCall is a call that is answered with 200 and JSON.
type contractCall struct{ method, path string }

func (c contractCall) conductor() bool { return strings.HasPrefix(c.path, "/user/") }

func (c contractCall) request(more string, headers ...string) *http.Request {
	return request(c.method, c.path+more, headers...)
}

// do sends a request to the dialect of its path.
func (c contractCall) do(h *house, r *http.Request) *httptest.ResponseRecorder {
	if c.conductor() {
		return h.conduct(r)
	}
	return h.do(r)
}

var contractCalls = []contractCall{
	{"GET", "/auth/check"},
	{"GET", "/auth/authorize"},
	{"POST", "/auth/update"},
	{"GET", "/auth/resolve"},
	{"GET", "/auth/get_profile"},
	{"GET", "/user/check"},
	{"GET", "/user/authorize"},
	{"POST", "/user/update"},
}

// Row "Prefix": no trailing slash, one doubled slash in front is served.
func TestContract11Prefix(t *testing.T) {
	for _, c := range contractCalls {
		h := conducted(t)
		for path, status := range map[string]int{
			c.path: 200, "/" + c.path: 200, c.path + "/": 404, "//" + c.path: 404, strings.ToUpper(c.path): 404,
		} {
			if got := c.do(h, request(c.method, path)).Code; got != status {
				t.Errorf("%s %s: %d, want %d", c.method, path, got, status)
			}
		}
	}
}

// Row "GET rules also answer HEAD and OPTIONS": and a wrong method is 405, an
// unknown path 404.
func TestContract11Methods(t *testing.T) {
	keys := []contractCall{{"GET", "/auth/public-key"}, {"GET", "/user/public-key"}, {"GET", "/user/lib"}, {"GET", "/auth/oauth_callback"}}
	for _, c := range append(keys, contractCalls...) {
		h := conducted(t)
		w := c.do(h, request(http.MethodOptions, c.path))
		allow := strings.Split(w.Header().Get("Allow"), ", ")
		slices.Sort(allow)
		expected := []string{"GET", "HEAD", "OPTIONS"}
		if c.method == http.MethodPost {
			expected = []string{"OPTIONS", "POST"}
		}
		if w.Code != http.StatusOK || w.Body.Len() > 0 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !slices.Equal(allow, expected) {
			t.Errorf("OPTIONS %s: %d %v %q", c.path, w.Code, w.Header(), w.Body)
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"} {
			w := c.do(h, request(method, c.path))
			if slices.Contains(expected, method) {
				if w.Code == http.StatusMethodNotAllowed {
					t.Errorf("%s %s: %d", method, c.path, w.Code)
				}
				continue
			}
			want(t, w, http.StatusMethodNotAllowed, "")
			wantBody(t, w, "405 Method Not Allowed") // frontend-functional-tests
			if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || w.Header().Get("Allow") == "" {
				t.Errorf("%s %s: %v", method, c.path, w.Header())
			}
		}
		if c.method == http.MethodGet {
			got, head := c.do(h, request(http.MethodGet, c.path)), c.do(h, request(http.MethodHead, c.path))
			sameLength := got.Header().Get("Content-Length") == head.Header().Get("Content-Length")
			if c.path != "/auth/oauth_callback" && (head.Code != http.StatusOK || !sameLength || head.Header().Get("Content-Type") != got.Header().Get("Content-Type")) {
				t.Errorf("HEAD %s: %d %v, GET has %v", c.path, head.Code, head.Header(), got.Header())
			}
		}
	}
	w := build(t).do(browse("/auth/nothing"))
	want(t, w, http.StatusNotFound, "")
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("404: %v", w.Header())
	}
}

// Row "Token": header, else query before form; the first of repeated ones; "&"
// alone separates; broken escapes stay text; no JSON. S32: no cookie from
// elsewhere.
func TestContract11Token(t *testing.T) {
	const good, bad = "jwt=" + adasToken, "jwt=forged"
	for _, c := range contractCalls {
		if strings.Contains(c.path, "/resolve") || strings.Contains(c.path, "/get_profile") {
			continue // they take none
		}
		for _, s := range []struct {
			name        string
			query       string
			headers     []string
			contentType string
			body        string
			known       bool // in the DataHQ dialect
			conductor   bool // in os-conductor's
		}{
			{"query", good, nil, "", "", true, true},
			{"header", "", []string{"Auth-Token: " + adasToken}, "", "", true, false},
			{"header, upper case", "", []string{"AUTH-TOKEN: " + adasToken}, "", "", true, false},
			{"header over query", good, []string{"Auth-Token: forged"}, "", "", false, true},
			{"query under a good header", bad, []string{"Auth-Token: " + adasToken}, "", "", true, false},
			{"empty header", good, []string{"Auth-Token: "}, "", "", true, true},
			{"form", "", nil, "application/x-www-form-urlencoded", good, true, true},
			{"multipart", "", nil, "multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=jwt\r\n\r\n" + adasToken + "\r\n--B--\r\n", true, true},
			{"query before form", good, nil, "application/x-www-form-urlencoded", bad, true, true},
			{"form behind a bad query", bad, nil, "application/x-www-form-urlencoded", good, false, false},
			{"empty query before form", "jwt=", nil, "application/x-www-form-urlencoded", good, false, false},
			{"first of repeated", good + "&" + bad, nil, "", "", true, true},
			{"bad first of repeated", bad + "&" + good, nil, "", "", false, false},
			{"encoded name", "j%77t=" + adasToken, nil, "", "", true, true},
			{"semicolon", "x=1;" + good, nil, "", "", false, false},
			{"broken escapes", "x=%zz&%=%&" + good, nil, "", "", true, true},
			{"broken escape in it", good + "%zz", nil, "", "", false, false},
			{"JSON", "", nil, "application/json", `{"jwt":"` + adasToken + `"}`, false, false},
			{"other cookie", "", []string{"Cookie: jwt=" + adasToken}, "", "", false, false},
			{"session cookie from elsewhere", "", []string{adasCookieLine, "Sec-Fetch-Site: cross-site"}, "", "", false, false},
			{"Bearer", "", []string{"Authorization: Bearer " + adasToken}, "", "", false, false},
		} {
			r := httptest.NewRequest(c.method, origin+c.path+"?service=storage&"+s.query, strings.NewReader(s.body))
			for _, line := range s.headers {
				name, value, _ := strings.Cut(line, ": ")
				r.Header.Add(name, value)
			}
			if s.contentType != "" {
				r.Header.Set("Content-Type", s.contentType)
			}
			w := c.do(conducted(t), r)
			known := s.known
			if c.conductor() {
				known = s.conductor
			}
			text := w.Body.String()
			got := strings.Contains(text, `"profile"`) || strings.Contains(text, `"token"`) || text == updated
			if w.Code != http.StatusOK || got != known {
				t.Errorf("%s, %s: %d %s", c.path, s.name, w.Code, text)
			}
		}
	}
}

// Row "JSON": as ruling 31 has it, sorted, compact, ASCII. Row "JSONP": off
// (S32). Row "Every answer sets session=": dropped (section 3).
func TestContract11Form(t *testing.T) {
	for _, c := range contractCalls {
		for _, more := range []string{"", "?callback=cb", "?username=ada&service=storage&jwt=" + adasToken, "?username=grace&callback=cb&jwt=" + adasToken} {
			w := c.do(conducted(t), c.request(more, "X-Requested-With: XMLHttpRequest"))
			text := w.Body.String()
			var value any
			if err := json.Unmarshal([]byte(text), &value); err != nil {
				t.Fatalf("%s: %v in %s", c.path+more, err, text)
			}
			again, err := json.Marshal(value) // sorts, and adds no blank
			if err != nil || strings.ReplaceAll(string(again), `\u0026`, "&") != text {
				t.Errorf("%s: %s, want %s", c.path+more, text, again)
			}
			h := w.Header()
			if w.Code != http.StatusOK || h.Get("Content-Type") != "application/json" || strings.Contains(text, "cb(") {
				t.Errorf("%s: %d %v %s", c.path+more, w.Code, h, text)
			}
			if len(w.Result().Cookies()) > 0 || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", c.path+more, h)
			}
		}
	}
}

// Row "CORS": with credentials for the origins of the allow-list, on failures
// too (S32), nothing for others; a preflight is 200, empty, and lets auth-token
// through. Without Origin there is no CORS header.
func TestContract11CORS(t *testing.T) {
	const allowed = "https://frontend.example.com"
	cors := func(h http.Header) (found []string) {
		for name := range h {
			if strings.HasPrefix(name, "Access-Control-") {
				found = append(found, name)
			}
		}
		slices.Sort(found)
		return found
	}
	for _, c := range append([]contractCall{{"GET", "/auth/public-key"}, {"GET", "/user/public-key"}, {"GET", "/user/lib"}}, contractCalls...) {
		h := conducted(t)
		if found := cors(c.do(h, c.request("")).Header()); found != nil {
			t.Errorf("%s without Origin: %v", c.path, found)
		}
		failures := map[string]*http.Request{
			"200": c.request("?jwt=forged"), "405": request(http.MethodPut, c.path), "400": c.request("?" + strings.Repeat("&", 100)),
			"413": withForm(c.request(""), strings.Repeat("a", maxBody+1)), "OPTIONS": request(http.MethodOptions, c.path),
		}
		for name, r := range failures {
			r.Header.Set("Origin", allowed)
			got := c.do(h, r).Header()
			if got.Get("Access-Control-Allow-Origin") != allowed || got.Get("Access-Control-Allow-Credentials") != "true" || !slices.Contains(got["Vary"], "Origin") {
				t.Errorf("%s, %s: %v", c.path, name, got)
			}
			for _, other := range []string{"null", "https://evil.example", "https://frontend.example.com:8443", "*"} {
				r.Header.Set("Origin", other)
				got := c.do(h, r).Header()
				if found := cors(got); found != nil || !slices.Contains(got["Vary"], "Origin") {
					t.Errorf("%s, %s from %s: %v", c.path, name, other, got)
				}
			}
		}
		preflight := []string{"Access-Control-Request-Method: " + c.method, "Access-Control-Request-Headers: auth-token"}
		w := c.do(h, request(http.MethodOptions, c.path, append(preflight, "Origin: "+allowed)...))
		got := w.Header()
		if w.Code != http.StatusOK || w.Body.Len() > 0 || got.Get("Access-Control-Max-Age") != "" ||
			!strings.Contains(strings.ToLower(got.Get("Access-Control-Allow-Headers")), "auth-token") ||
			got.Get("Access-Control-Allow-Methods") != "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT" {
			t.Errorf("%s preflight: %d %v", c.path, w.Code, got)
		}
		w = c.do(h, request(http.MethodOptions, c.path, append(preflight, "Origin: https://evil.example")...))
		if w.Code != http.StatusForbidden || cors(w.Header()) != nil {
			t.Errorf("%s preflight from elsewhere: %d %v", c.path, w.Code, w.Header())
		}
	}
}

// Row "Bad, empty, expired ... tokens are not authenticated with status 200":
// those that were 500 on the original as well.
func TestContract11BadTokens(t *testing.T) {
	for _, token := range []string{
		"", "undefined", "forged", "ended", "disabled", "permission-token", "a.b.c", "..", "%00", "%F0%9F%98%80", "{}", strings.Repeat("a", 9000),
		"eyJhbGciOiJub25lIn0.eyJ1c2VyaWQiOiJ1MSJ9.", "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyaWQiOnsiJGd0IjoiIn0sImV4cCI6bnVsbH0.c2ln",
	} {
		for _, c := range contractCalls {
			name := c.path[strings.LastIndexByte(c.path, '/')+1:]
			expected, tested := map[string]string{
				"check": nobodysAnswer, "authorize": `{"permissions":{}}`, "update": refused("Not authenticated"),
			}[name]
			if !tested {
				continue
			}
			w := c.do(conducted(t), c.request("?username=x&service=storage&jwt="+token))
			if w.Code != http.StatusOK || w.Body.String() != expected {
				t.Errorf("%s with %.40q: %d %s", c.path, token, w.Code, w.Body)
			}
		}
	}
}
