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
		if ForwardPath(escaped) == nil && LenientPath(escaped) != nil {
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
