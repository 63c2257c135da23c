package wire

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
)

// S11: a path that passes means one thing. A parser reads back what was
// written, and cleaning it changes nothing.
func FuzzStrictPath(f *testing.F) {
	for _, seed := range append(slices.Clone(badPaths[:40]), goodPaths...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		if StrictPath(escaped) != nil {
			return
		}
		if LenientPath(escaped) != nil {
			t.Errorf("%q passes strictly, but not leniently", escaped)
		}
		for _, text := range []string{escaped, "https://app.example.com" + escaped} {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" || u.Path == "" {
				t.Errorf("%q is more than a path: %#v", text, u)
			}
			clean := path.Clean(u.Path)
			if strings.HasSuffix(u.Path, "/") && clean != "/" {
				clean += "/"
			}
			if clean != u.Path {
				t.Errorf("%q becomes %q when cleaned", u.Path, clean)
			}
			if strings.ContainsAny(u.Path, "\\%\x00\r\n") {
				t.Errorf("%q hides something: %q", escaped, u.Path)
			}
			if strings.Count(u.Path, "/") != strings.Count(escaped, "/") {
				t.Errorf("%q has other segments than %q", u.Path, escaped)
			}
			again, err := url.Parse(u.String())
			if err != nil || again.Path != u.Path {
				t.Errorf("%q is written as %q", text, u)
			}
		}
	})
}

// S19: where an allowed destination leads is a listed place to another parser
// too.
func FuzzNextCheck(f *testing.F) {
	for _, tt := range hostileNexts {
		f.Add(tt.next)
	}
	for _, next := range []string{"/", "/a?b#c", "https://app.example.com/a", "https://frontend.example.com", "https://example.com/app/x?y", "http://localhost:3000", "http://[::1]:3000/#x"} {
		f.Add(next)
	}
	policy := newPolicy(f, "https://frontend.example.com", "https://example.com/app")
	f.Fuzz(func(t *testing.T, next string) {
		target, err := policy.Check(next)
		if err != nil {
			return
		}
		base := &url.URL{Scheme: "https", Host: "app.example.com", Path: "/auth/login"}
		for _, text := range []string{target, next} {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatalf("%q is allowed: %v", text, err)
			}
			checkGoes(t, text, base.ResolveReference(u))
			token := Deliver(target, "T")
			if delivered, err := url.Parse(token); err != nil || delivered.Host != u.Host && u.Host != "" || !slices.Equal(QueryValues(delivered.RawQuery, "jwt"), []string{"T"}) {
				t.Errorf("%q is delivered to as %q: %v", target, token, err)
			}
		}
	})
}

func checkGoes(t *testing.T, text string, u *url.URL) {
	t.Helper()
	if u.User != nil || u.Opaque != "" {
		t.Errorf("%q has more than a host: %#v", text, u)
	}
	host := strings.ToLower(u.Host)
	switch {
	case u.Scheme == "https" && slices.Contains([]string{"app.example.com", "app.example.com:443", "frontend.example.com", "frontend.example.com:443"}, host):
	case u.Scheme == "https" && (host == "example.com" || host == "example.com:443"):
		if clean := path.Clean(u.Path); clean != "/app" && !strings.HasPrefix(clean, "/app/") {
			t.Errorf("%q leaves its prefix", text)
		}
	case u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, strings.ToLower(u.Hostname())):
	default:
		t.Errorf("%q leads to %q", text, u)
	}
}

// S9, S20: the parameter is gone to every reader, and nothing else is.
func FuzzWithoutParameter(f *testing.F) {
	for _, seed := range []string{"", "jwt=x", "a=b&jwt=x&c=d", "%6Awt=x", "jwt%=x&&=", "j+wt=a&jwt", "a=1;jwt=x", "jwt=x#y", "?jwt=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		rest := WithoutParameter(query, "jwt")
		if len(QueryValues(rest, "jwt")) > 0 {
			t.Errorf("%q leaves it in %q", query, rest)
		}
		if parsed, _ := url.ParseQuery(rest); parsed.Has("jwt") {
			t.Errorf("%q leaves it to net/url in %q", query, rest)
		}
		if again := WithoutParameter(rest, "jwt"); again != rest {
			t.Errorf("%q becomes %q and then %q", query, rest, again)
		}
		kept := strings.Split(query, "&")
		kept = slices.DeleteFunc(kept, func(pair string) bool {
			name, _, _ := strings.Cut(pair, "=")
			plain, err := url.QueryUnescape(name)
			return err == nil && plain == "jwt"
		})
		if want := strings.Join(kept, "&"); want != rest {
			t.Errorf("%q: %q is left; expected %q", query, rest, want)
		}
	})
}
