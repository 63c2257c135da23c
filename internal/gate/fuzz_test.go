package gate

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

// S9, S12, S13, S14, S17: whatever bytes make a request, and whatever trailer
// comes after its body, what an upstream gets has of our names what we set, once,
// and nothing else that some server reads as one of them.
func FuzzAdmit(f *testing.F) {
	for _, head := range []string{
		"GET / HTTP/1.1\r\nHost: app.example.com\r\nX-Auth-User-Id: forged\r\nX_Auth_Email: forged\r\nx.auth.name: forged\r\n\r\n",
		"GET /a HTTP/1.1\r\nHost: app.example.com\r\nCookie: __Host-auth_session=ada; a=b; __host-auth_session=x\r\nConnection: close, X-Auth-User-Id\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: app.example.com\r\nAuth-Token: our-ada\r\nTransfer-Encoding: chunked\r\nTrailer: X-A, X-Auth-User-Id\r\n\r\n1\r\na\r\n0\r\nX-Auth-User-Id: forged\r\nx_auth_email: forged\r\nX-A: b\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: app.example.com\r\nAuthorization: Bearer our-ada\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuth-Token: forged\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: keep-alive\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
		"GET http://app.example.com/a HTTP/1.1\r\nHost: evil\r\nForwarded: for=1.2.3.4\r\nX-Original-URL: /admin\r\nX-Forwarded-Prefix: /x\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: X-Auth-User-Id\r\nForward_Token: forged\r\nforward.token: x\r\n\r\n",
		"GET /?jwt=our-ada&%6awt=x HTTP/1.1\r\nHost: app.example.com\r\nAuthorization: Basic our\r\n\r\n",
		"OPTIONS / HTTP/1.1\r\nHost: app.example.com\r\nOrigin: https://frontend.example.com\r\nAccess-Control-Request-Method: GET\r\n\r\n",
		"CONNECT internal:22 HTTP/1.1\r\nHost: internal:22\r\n\r\n",
	} {
		for kind := range byte(4) {
			f.Add([]byte(head), kind, false)
		}
		f.Add([]byte(head), byte(2), true)
	}
	h := newHouse(f)
	forward, query := readRule, identify
	forward.ForwardToken, query.QueryToken = "Forward-Token", true
	stacks := [][]*Gate{{h.gate(identify)}, {h.gate(query), h.gate(login)}, {h.gate(forward)}, {h.gate(forward), h.gate(identify)}}
	f.Fuzz(func(t *testing.T, data []byte, kind byte, trusted bool) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(data))))
		if err != nil {
			return
		}
		method := r.Method
		st := &State{TrustedPeer: trusted}
		refused := admit(r, st, stacks[int(kind)%len(stacks)]...)
		if method == http.MethodConnect && refused == nil {
			t.Errorf("CONNECT passes")
		}
		// Whoever is refused is cleaned as well: an error route may pass him on.
		_, _ = io.Copy(io.Discard, r.Body)
		want := map[string]string{}
		if st.Decision != nil && refused == nil {
			for i, value := range renderedOf(st.Decision).values {
				if value != "" {
					want[strings.ToLower(identityHeaders[i])] = value
				}
			}
			if st.forwarded != "" {
				want["forward-token"] = "signed"
			}
		}
		checkReserved(t, r.Header, want, refused == nil)
		checkReserved(t, r.Trailer, nil, true)
		checkConnection(t, r.Header)
		for name := range r.Header {
			if !trusted && claims(name) {
				t.Errorf("%s is left", name)
			}
		}
		for name := range r.Trailer {
			if claims(name) || !mayTrail(name) {
				t.Errorf("the trailer %s is left", name)
			}
		}
		for _, cookie := range r.Cookies() {
			if h.Site.OwnsCookie(cookie.Name) {
				t.Errorf("the cookie %s is left", cookie.Name)
			}
		}
		for _, line := range r.Header["Authorization"] {
			if st.credentials.Bearer || strings.HasPrefix(line, "Bearer our-") && refused == nil {
				t.Errorf("Authorization %q is left", line)
			}
		}
	})
}

// checkReserved is S13 as an upstream sees it that folds names as CGI does.
func checkReserved(t *testing.T, h http.Header, want map[string]string, complete bool) {
	t.Helper()
	seen := map[string][]string{}
	for name, values := range h {
		folded := strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
		if strings.HasPrefix(folded, "x-auth-") || folded == "auth-token" || folded == "forward-token" {
			seen[folded] = append(seen[folded], values...)
		}
	}
	for name, values := range seen {
		if value, wanted := want[name]; !wanted || !slices.Equal(values, []string{value}) {
			t.Errorf("%s is %q; expected %q", name, values, value)
		}
	}
	if complete && len(seen) != len(want) {
		t.Errorf("got %v; expected %v", seen, want)
	}
}

func checkConnection(t *testing.T, h http.Header) {
	t.Helper()
	for name, values := range h {
		if strings.EqualFold(name, "connection") && (name != "Connection" || len(values) != 1 || !slices.Contains([]string{"close", "keep-alive", "Upgrade"}, values[0])) {
			t.Errorf("%s is %q", name, values)
		}
	}
	upgrade := strings.ToLower(strings.Join(h["Upgrade"], ","))
	h2c := slices.ContainsFunc(strings.FieldsFunc(upgrade, func(r rune) bool { return strings.ContainsRune(", \t/", r) }), func(protocol string) bool { return strings.HasPrefix(protocol, "h2") })
	if h2c || (upgrade != "") != (len(h["Connection"]) == 1 && h["Connection"][0] == "Upgrade") {
		t.Errorf("Connection is %q and Upgrade %q", h["Connection"], h["Upgrade"])
	}
}

// claims is S12's list, read by the folded name.
func claims(name string) bool {
	folded := strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
	return strings.HasPrefix(folded, "x-forwarded-") && !slices.Contains([]string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}, name) ||
		slices.Contains([]string{"x-http-method-override", "x-original-url", "x-rewrite-url", "x-real-ip", "forwarded"}, folded)
}

// S13, ruling 29: identity headers are visible ASCII of at most 4 KiB, and say
// what was decided and nothing else.
func FuzzRender(f *testing.F) {
	f.Add("u1", "ada", "ada@example.com", "Ada Lovelace", "storage", `{"read":true,"max":50}`)
	f.Add("u\r\nX-Auth-User-Id: root", "a%0d%0ab", "", "Łódź", "", `{}`)
	f.Add("", "", "", strings.Repeat("é", 1000), "s", `{"a":"\u2028<\ud83d\ude00>&\u007f","b":[null,1e300,{"c":""}]}`)
	f.Add("\xff\x00", "%", "%25", "\t", "x", `{"`+strings.Repeat("k", 4100)+`":1}`)
	f.Fuzz(func(t *testing.T, id, username, email, name, service, permissions string) {
		d := &authz.Decision{User: providers.User{ID: id, Username: username, Email: email, Name: name}, Service: service}
		if json.Unmarshal([]byte(permissions), &d.Permissions) != nil {
			return
		}
		r := render(d)
		for i, value := range r.values {
			if len(value) > maxHeaderValue || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r >= 0x7f || r == ' ' && i != 5 }) {
				t.Errorf("%s is %q", identityHeaders[i], value)
			}
		}
		for i, text := range []string{id, username, email, name, service} {
			if got, err := url.PathUnescape(r.values[i]); err != nil || got != text && (r.values[i] != "" || len(text) <= maxHeaderValue/3) {
				t.Errorf("%s is %q for %q: %v", identityHeaders[i], r.values[i], text, err)
			}
		}
		if service == "" {
			if r.values[5] != "" {
				t.Errorf("permissions of no service: %q", r.values[5])
			}
			return
		}
		var got providers.Permissions
		switch {
		case r.values[5] == "":
			if plain, _ := json.Marshal(d.Permissions); 6*len(plain) <= maxHeaderValue {
				t.Errorf("%s is left out", plain)
			}
		case json.Unmarshal([]byte(r.values[5]), &got) != nil:
			t.Errorf("%q is no JSON", r.values[5])
		case !reflect.DeepEqual(got, d.Permissions) && len(got)+len(d.Permissions) > 0:
			t.Errorf("%q for %v", r.values[5], d.Permissions)
		case !utf8.ValidString(r.values[5]) || strings.ContainsAny(r.values[5], "\r\n\t"):
			t.Errorf("%q is not compact", r.values[5])
		}
	})
}
