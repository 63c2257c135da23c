package requestlog

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestRedactURI(t *testing.T) {
	const token = "eyJhbGciOiJFZERTQSJ9.eyJ1c2VyaWQiOiIxIn0.c2lnbmF0dXJl"
	secret := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xa7", 32)))
	for uri, want := range map[string]string{
		// What tells nothing stays as it is, whatever it is.
		"/":                                    "/",
		"*":                                    "*",
		"":                                     "",
		"/a/b%20c?x=1&&y&=&z=%zz":              "/a/b%20c?x=1&&y&=&z=%zz",
		"/auth/login/dev?next=%2Fpage%3Fx%3D1": "/auth/login/dev?next=%2Fpage%3Fx%3D1",
		"/auth/authorize?service=storage":      "/auth/authorize?service=storage",
		"/@scope/package":                      "/@scope/package",
		"/%":                                   "/%",
		"/commit/0123456789abcdef0123456789abcdef01234567": "/commit/0123456789abcdef0123456789abcdef01234567",

		// Parameters by their names, in every spelling of them.
		"/x?jwt=" + token + "&a=1":          "/x?jwt=REDACTED&a=1",
		"/x?%6Awt=short":                    "/x?%6Awt=REDACTED",
		"/x?JWT=short":                      "/x?JWT=REDACTED",
		"/cb?code=abc&state=def&iss=x":      "/cb?code=REDACTED&state=REDACTED&iss=x",
		"/cb?error_description=A+B":         "/cb?error_description=REDACTED",
		"/x?jwt=a&jwt=b":                    "/x?jwt=REDACTED&jwt=REDACTED",
		"/x?jwt=a=b":                        "/x?jwt=REDACTED",
		"/x?jwt=&y=1":                       "/x?jwt=&y=1",
		"/login?next=%2Fa%3Fcode%3Dabc":     "/login?next=REDACTED",
		"/login?next=%252Fa%253Fjwt%253Dab": "/login?next=REDACTED",
		"/login?next=/a?state=abc":          "/login?next=REDACTED",

		// Secrets by their form, wherever they stand.
		"/x?foo=" + token:                     "/x?foo=REDACTED",
		"/x?" + token:                         "/x?REDACTED",
		"/x/" + token + "/y":                  "/x/REDACTED/y",
		"/x?foo=" + secret:                    "/x?foo=REDACTED",
		"/" + secret + "?a=1":                 "/REDACTED?a=1",
		"/x?a=1;" + secret:                    "/x?a=REDACTED",
		"/resolve?username=ada@example.com":   "/resolve?username=REDACTED",
		"/resolve?username=ada%40example.com": "/resolve?username=REDACTED",
		"/u/ada%2540example.com/x":            "/u/REDACTED/x",
		"http://ada:pw@a.example/x":           "http://REDACTED@a.example/x",
	} {
		if strings.HasPrefix(uri, "http:") {
			want = "http://REDACTED/x"
		}
		if got := redactURI(uri); got != want {
			t.Errorf("%s\n got %s\nwant %s", uri, got, want)
		}
	}
	deep := token
	for range 12 {
		deep = strings.ReplaceAll(deep, "e", "%65")
		deep = url.QueryEscape(deep)
	}
	if got := redactURI("/x?a=" + deep); got != "/x?a=REDACTED" {
		t.Errorf("what is encoded twelve times is shown: %.200s", got)
	}
}

// leaked reports whether a JWT, or the value of a parameter for one, is there.
func leaked(uri string) bool {
	_, query, _ := strings.Cut(uri, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if value, found := strings.CutPrefix(pair, "jwt="); found && value != "" && value != redactedValue {
			return true
		}
	}
	return regexp.MustCompile(`eyJ[\w-]{6}`).MatchString(uri)
}

// A log line cannot be forged by what is in an address: what is redacted and
// what is not stays percent-encoded.
func FuzzRedactURI(f *testing.F) {
	for _, seed := range []string{"/x?jwt=eyJhbGciOiJub25lIn0", "/x?a=%0d%0aforged", "/%", "?", "/a?b=%25%32%35&code=%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		got := redactURI(uri)
		if again := redactURI(got); again != got {
			t.Errorf("%q becomes %q and then %q", uri, got, again)
		}
		if strings.Count(got, "\n") > strings.Count(uri, "\n") || strings.Count(got, "\r") > strings.Count(uri, "\r") {
			t.Errorf("%q becomes %q, with a line break", uri, got)
		}
		if leaked(got) {
			t.Errorf("%q becomes %q", uri, got)
		}
	})
}

func TestRedactHeader(t *testing.T) {
	got := redactHeader(http.Header{
		"Auth-Token": {"short"}, "Authorization": {"Basic YTpi"}, "Cookie": {"a=b"}, "Set-Cookie": {"a=b", "c=d"},
		"X-Auth-Email": {"ada@example.com"}, "X-Auth-Anything": {"1"}, "From": {"ada@example.com"},
		"Location": {"http://localhost:3000/?jwt=abc"}, "Referer": {"https://a.example/x?a=1&code=2"},
		"Accept": {"*/*"}, "X-Own": {"eyJhbGciOiJub25lIn0.e30.x", "plain"},
	})
	for name, want := range map[string]string{
		"Auth-Token": "REDACTED", "Authorization": "REDACTED", "Cookie": "REDACTED", "Set-Cookie": "REDACTED REDACTED",
		"X-Auth-Email": "REDACTED", "X-Auth-Anything": "REDACTED", "From": "REDACTED",
		"Location": "http://localhost:3000/?jwt=REDACTED", "Referer": "https://a.example/x?a=1&code=REDACTED",
		"Accept": "*/*", "X-Own": "REDACTED plain",
	} {
		if text := strings.Join(got[name], " "); text != want {
			t.Errorf("%s: %q, want %q", name, text, want)
		}
	}
}
