package wire

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	whatwg "github.com/nlnwa/whatwg-url/url"
)

var (
	slashes    = regexp.MustCompile(`//+`)
	parameters = regexp.MustCompile(`;[^/]*`)
	trailing   = regexp.MustCompile(`[. ]+(/|$)`)
	hidden     = regexp.MustCompile(`(?i);[^/]*%2f`) // a slash within a parameter
)

// readings are what servers make of a path, still escaped: each undoes more
// than one that just unescapes it, before or after that.
var readings = map[string]func(escaped string) string{
	"nginx":                   func(p string) string { return resolve(slashes.ReplaceAllString(decode(p), "/")) },
	"IIS":                     func(p string) string { return resolve(trailing.ReplaceAllString(slashed(decode(p)), "$1")) },
	"Tomcat":                  func(p string) string { return resolve(decode(parameters.ReplaceAllString(p, ""))) },
	"Jetty":                   func(p string) string { return resolve(parameters.ReplaceAllString(decode(p), "")) },
	"resolves, then unescape": func(p string) string { return decode(resolve(p)) },
	"unescapes twice":         func(p string) string { return resolve(slashed(decode(decode(p)))) },
	"forwards it unescaped": func(p string) string {
		plain := decode(p)
		if i := strings.IndexAny(plain, "?#\x00\r\n"); i >= 0 {
			plain = plain[:i]
		}
		return decode(plain)
	},
	"browser": func(p string) string {
		u, err := whatwg.Parse("https://app.example.com" + p)
		if err != nil {
			return err.Error()
		}
		return decode(u.Pathname())
	},
	"Go": func(p string) string {
		u, err := url.Parse("https://app.example.com" + p)
		if err != nil {
			return err.Error()
		}
		return u.Path
	},
}

func decode(p string) string {
	if plain, err := url.PathUnescape(p); err == nil {
		return plain
	}
	return p
}

func slashed(p string) string { return strings.ReplaceAll(p, `\`, "/") }

// resolve removes dot segments (RFC 3986 section 5.2.4).
func resolve(p string) string {
	var kept []string
	segments := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, segment)
			continue
		}
		if last {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// S11: a path that goes on to an upstream has one reading, whatever server
// reads it.
func FuzzForwardPath(f *testing.F) {
	for _, seed := range append(slices.Clone(badPaths), goodPaths...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		if ForwardPath(escaped) != nil {
			return
		}
		if StrictPath(escaped) != nil || LenientPath(escaped) != nil {
			t.Errorf("%q may be forwarded, but: strict %v, lenient %v", escaped, StrictPath(escaped), LenientPath(escaped))
		}
		one := decode(escaped)
		for server, reading := range readings {
			if other := reading(escaped); other != one {
				t.Errorf("%q is %q; %s: %q", escaped, one, server, other)
			}
		}
		// Written by Go's proxy it stays the same, to itself and to us.
		u, err := url.Parse(escaped)
		if err != nil {
			t.Fatalf("%q: %v", escaped, err)
		}
		if again := u.EscapedPath(); decode(again) != one || ForwardPath(again) != nil {
			t.Errorf("%q is forwarded as %q", escaped, again)
		}
	})
}

// S11, ruling 24: a lenient path may be written in many ways, but in none of
// them does it climb, or go elsewhere than it seems to Caddy's matchers, which
// unescape it and merge slashes.
func FuzzLenientPath(f *testing.F) {
	for _, seed := range append(slices.Clone(badPaths), goodPaths...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		if LenientPath(escaped) != nil {
			return
		}
		seen := slashes.ReplaceAllString(decode(escaped), "/")
		if resolve(seen) != seen || strings.Contains(seen, `\`) {
			t.Errorf("%q climbs: %q", escaped, seen)
		}
		twice := decode(decode(escaped))
		if strings.Count(twice, "/") != strings.Count(decode(escaped), "/") || strings.ContainsAny(twice, "\\\x00\r\n") {
			t.Errorf("%q has other segments when unescaped twice: %q", escaped, twice)
		}
		for _, server := range []string{"nginx", "Tomcat", "Jetty", "unescapes twice"} {
			if server == "unescapes twice" && twice != decode(escaped) {
				continue // "%2541" is an "A" there and none here
			}
			if server == "Tomcat" && hidden.MatchString(escaped) {
				continue // as with any parameter: matchers do not know that it is one
			}
			if got, want := bare(readings[server](escaped)), bare(seen); got != want {
				t.Errorf("%q is %q; %s: %q", escaped, want, server, got)
			}
		}
	})
}

// bare is a path without parameters, which lenient paths may have, and with
// slashes merged.
func bare(p string) string {
	return slashes.ReplaceAllString(parameters.ReplaceAllString(p, ""), "/")
}
