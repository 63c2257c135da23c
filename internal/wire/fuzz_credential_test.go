package wire

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// S9, S31: of cookies, what we read is what every careful reader reads; what we
// strip no careless reader finds; the others stay as they came.
func FuzzCookies(f *testing.F) {
	for _, line := range []string{
		"__Host-auth_session=v", "a=b; __Host-auth_session=v; c=d", "__Host-auth_session=v; __Host-auth_session=w", "__host-AUTH_SESSION=v", "__HOST-auth_session=v;",
		"a=\"x; __Host-auth_session=v\"", "__Host-auth_session", "__Host-auth_session =v", " __Host-auth_session= v ", ";;__Host-auth_session=v=w;=;a", "__Host-auth_session=\"v\"",
		"__Host-login-abcdefgh=1.x; __Host-login-=2; auth_session=v", "x=__Host-auth_session=v", "=__Host-auth_session=v", "a=b,__Host-auth_session=v", "auth_session=v\tauth_session=w",
	} {
		f.Add(line, "a=b", true)
		f.Add("a=b; c", line, false)
	}
	f.Fuzz(func(t *testing.T, first, second string, secure bool) {
		site, name := newSite(t, "https://app.example.com"), "__Host-auth_session"
		if !secure {
			site, name = newSite(t, "http://localhost:8080"), "auth_session"
		}
		r := newRequest("GET", "/")
		r.Header["Cookie"] = []string{first, second}
		var want []string
		for _, line := range r.Header["Cookie"] {
			for part := range strings.SplitSeq(line, ";") {
				if found, value, ok := strings.Cut(strings.Trim(part, " \t\r\n"), "="); ok && found == name {
					want = append(want, value)
				}
			}
		}
		value, ok := site.SessionCookie(r)
		if ok != (len(want) == 1 && want[0] != "") || ok && value != want[0] {
			t.Errorf("%q, %q: the session is %q, %t; the reference has %q", first, second, value, ok, want)
		}
		others := slices.DeleteFunc(pairs(r.Header["Cookie"]), func(pair string) bool {
			found, _, _ := strings.Cut(pair, "=")
			return site.OwnsCookie(strings.Trim(found, " \t\r\n"))
		})
		site.StripCookies(r.Header)
		if _, still := site.SessionCookie(r); still {
			t.Errorf("%q, %q: still there in %q", first, second, r.Header["Cookie"])
		}
		for _, cookie := range r.Cookies() { // as a Go upstream reads them
			if site.OwnsCookie(cookie.Name) {
				t.Errorf("%q, %q: %s is left in %q", first, second, cookie.Name, r.Header["Cookie"])
			}
		}
		for _, pair := range pairs(r.Header["Cookie"]) {
			found, _, _ := strings.Cut(pair, "=")
			const prefix = "__host-" // without regard to case (RFC 6265bis section 4.1.3)
			if secure && len(found) > len(prefix) && strings.EqualFold(found[:len(prefix)], prefix) && found[len(prefix):] == "auth_session" || !secure && found == "auth_session" {
				t.Errorf("%q, %q: %q is left", first, second, pair)
			}
		}
		if left := pairs(r.Header["Cookie"]); !slices.Equal(left, others) {
			t.Errorf("%q, %q: %q is left; expected %q", first, second, left, others)
		}
		before := slices.Clone(r.Header["Cookie"])
		if site.StripCookies(r.Header); !slices.Equal(before, r.Header["Cookie"]) {
			t.Errorf("%q: stripped again: %q", before, r.Header["Cookie"])
		}
	})
}

// pairs are the cookies of all lines, without the empty ones.
func pairs(lines []string) []string {
	var all []string
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ";") {
			if part = strings.Trim(part, " \t\r\n"); part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}

// S9: whatever stands in the three places, at most one token comes out, and it
// stood in each place that has one of ours; the query adds no second.
func FuzzCredentials(f *testing.F) {
	for _, authorization := range []string{"", "Bearer our-a", "bearer\tour-a", "Bearer  our-b ", " Bearer our-a", "Bearer theirs", "Basic our-a", "Bearer", "Bearer ", "Bearer,our-a", "Bearer our-a, Bearer our-b"} {
		f.Add(authorization, "", false, "our-a", false, "")
		f.Add(authorization, "Bearer our-a", true, "", true, "jwt=our-a")
		f.Add(authorization, "Basic x", true, " our-b ", true, "a=b&%6awt=our-b&jwt=our-a")
	}
	reader := Reader{Site: newSite(f, "https://app.example.com"), Ours: func(token string) bool { return strings.HasPrefix(token, "our-") }}
	f.Fuzz(func(t *testing.T, first, second string, two bool, token string, hasToken bool, query string) {
		r := newRequest("GET", "/")
		r.Header["Authorization"] = []string{first}
		if two {
			r.Header["Authorization"] = append(r.Header["Authorization"], second)
		}
		if hasToken {
			r.Header["Auth-Token"] = []string{token}
		}
		c, err := reader.Read(r)
		shown := map[string]bool{}
		bearers := 0
		for _, line := range r.Header["Authorization"] {
			fields := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
			if len(fields) > 1 && strings.EqualFold(fields[0], "Bearer") && strings.HasPrefix(fields[1], "our-") {
				rest := strings.Trim(line, " \t")
				shown[strings.Trim(rest[len(fields[0]):], " \t")] = true
				bearers++
			}
		}
		if plain := strings.Trim(token, " "); hasToken && plain != "" {
			shown[plain] = true
		}
		ambiguous := len(shown) > 1 || bearers > 0 && two
		if (err != nil) != ambiguous {
			t.Fatalf("%q, %q, %q: %v; shown are %v", r.Header["Authorization"], token, query, err, shown)
		}
		if err != nil {
			if c != (Credentials{}) {
				t.Errorf("%+v beside %v", c, err)
			}
			return
		}
		if (c.Token != "") != (len(shown) == 1) || c.Token != "" && !shown[c.Token] || c.Bearer != (bearers > 0) {
			t.Errorf("%q, %q: got %+v; shown are %v", r.Header["Authorization"], token, c, shown)
		}
		before := c.Token
		if err := c.AddQuery(query); err == nil && before != "" && c.Token != before {
			t.Errorf("%q becomes %q by %q", before, c.Token, query)
		}
		if values := QueryValues(query, "jwt"); len(values) > 1 && c.Token != before {
			t.Errorf("one of %q was taken", values)
		}
	})
}

// S32, S33: a request that claims another site has no cookie that counts, but
// for a navigation that changes nothing.
func FuzzCookieCounts(f *testing.F) {
	f.Add("GET", "cross-site", "navigate", "https://evil.example", "")
	f.Add("POST", "same-origin", "cors", "https://app.example.com", "")
	f.Add("POST", "", "", "null", "")
	f.Add("GET", "same-site", "no-cors", "", "websocket")
	f.Add("GET", "", "", "https://app.example.com.evil.example", "")
	home := newSite(f, "https://app.example.com")
	f.Fuzz(func(t *testing.T, method, site, mode, origin, upgrade string) {
		r := newRequest("GET", "/")
		r.Method = method
		for name, value := range map[string]string{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Origin": origin, "Upgrade": upgrade} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		if !home.CookieCounts(r) {
			return
		}
		own := (site == "same-origin" || site == "none") && (origin == "" || origin == "null" || strings.EqualFold(origin, "https://app.example.com")) ||
			site == "" && (origin == "" || strings.EqualFold(origin, "https://app.example.com"))
		if strings.EqualFold(origin, "https://app.example.com") && site == "" {
			own = own && strings.HasPrefix(origin, "https://")
		}
		visit := (method == http.MethodGet || method == http.MethodHead) && (mode == "navigate" || mode == "nested-navigate") && upgrade == "" && site != "cross-site"
		if !own && !visit {
			t.Errorf("%s from %q, %q, %q, %q counts", method, site, mode, origin, upgrade)
		}
	})
}
