package authn

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/datahq/auth-gateway/providers"
)

func TestScrub(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"connection refused", "connection refused"},
		{"user ada@example.com unknown", "user [redacted] unknown"},
		{`Get "https://idp.example/u?mail=ada%40example.com&x=1": EOF`, `Get "https://idp.example/u?mail=[redacted]&x=1": EOF`},
		{"postgres://u:hunter2@db/x", "postgres://u:[redacted]/x"},
		{"code sec/ret+1 and sec%2Fret%2B1", "code [redacted] and [redacted]"},
		{"token gho_" + strings.Repeat("a", 36) + " bad", "token [redacted] bad"},
		{`Post "https://idp.example/t?code=x7&client_secret=y8&a=1"`, `Post "https://idp.example/t?code=[redacted]&client_secret=[redacted]&a=1"`},
		{"a\nb\r\nc\u2028d\x1b[31m", "a b  c d [31m"},
		{"bad \xff byte", "bad ? byte"},
		{"abc", "abc"},
	} {
		if got := scrub(test.in, "sec/ret+1", "b", ""); got != test.want {
			t.Errorf("scrub(%q) = %q, want %q", test.in, got, test.want)
		}
	}
	long := scrub(strings.Repeat("é ", 1000))
	if len(long) > maxScrubbed+len("…") || !utf8.ValidString(long) {
		t.Errorf("a long text is cut to %d bytes", len(long))
	}
}

// S41: neither the log nor the text of any error holds a state, code,
// verifier, cookie or e-mail address, whatever the guests and the database put
// into their errors.
func TestS41NothingSecretIsLogged(t *testing.T) {
	const verifier = "pkce-verifier-dBjftJeZ4CVP-mBjftJeZ4CVP-mB92K27uhbU" // 43 characters or more, RFC 7636 section 4.1
	const code = "the-code-7f3a"                                           // has no shape to know it by; only Complete sees it
	for name, prepare := range map[string]func(f *fixture, all string){
		"success":        func(*fixture, string) {},
		"provider error": func(f *fixture, all string) { f.google.callbackErr = errors.New(all) },
		"provider down": func(f *fixture, all string) {
			f.google.callbackErr = fmt.Errorf("%s: %w", all, providers.ErrUnavailable)
		},
		"provider panic": func(f *fixture, all string) { f.google.panics = all },
		"unverified":     func(f *fixture, _ string) { f.google.identity.EmailVerified = false },
		"store: attempt": func(f *fixture, all string) { f.store.fails["TakeAttempt"] = errors.New(all) },
		"store: user":    func(f *fixture, all string) { f.store.fails["FindOrCreateUser"] = errors.New(all) },
		"store: session": func(f *fixture, all string) { f.store.fails["CreateSession"] = errors.New(all) },
		"account exists": func(f *fixture, all string) { f.store.fails["FindOrCreateUser"] = fmt.Errorf("%s: %w", all, errTaken) },
		"store: logout": func(f *fixture, all string) {
			f.store.fails["EndSession"] = errors.New(strings.ReplaceAll(all, code, ""))
		},
		"store: logout all": func(f *fixture, all string) {
			f.store.fails["EndUserSessions"] = errors.New(strings.ReplaceAll(all, code, ""))
		},
		"store: next signin": func(f *fixture, all string) {
			f.store.fails["PutAttempt"] = errors.New(strings.ReplaceAll(all, code, ""))
		},
		"provider next": func(f *fixture, all string) { f.google.loginErr = errors.New(strings.ReplaceAll(all, code, "")) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *Config) {
				c.Extensions = []providers.Extension{&meddler{text: "told ada@example.com"}, &meddler{panics: true, text: "ada%40example.com"}}
			})
			f.google.private = []byte(verifier)
			start := f.begin(t, "google")
			query := answer(start)
			all := strings.Join([]string{
				start.State, start.Binding, code, verifier, "Ada@Example.com",
				url.QueryEscape("ada@example.com"), query.Encode(),
			}, " ")
			prepare(f, all)

			var errs []error
			result, err := f.Complete(t.Context(), "", query, cookie(start))
			errs = append(errs, err)
			_, err = f.Complete(t.Context(), "", query, func(string) string { return "" })
			errs = append(errs, err, f.End(t.Context(), result.User, result.Session), f.EndAll(t.Context(), result.User))
			f.google.panics = nil
			second, err := f.Begin(t.Context(), "google", Request{Next: "/"})
			errs = append(errs, err)

			var text strings.Builder
			for _, entry := range f.logs.All() {
				fields := entry.ContextMap()
				if stack, ok := fields["stack"].([]byte); ok {
					fields["stack"] = string(stack)
				}
				fmt.Fprintln(&text, entry.Message, fields)
			}
			for _, err := range errs {
				fmt.Fprintln(&text, err)
			}
			for what, secret := range map[string]string{
				"state": start.State, "binding": start.Binding, "code": code, "verifier": verifier,
				"cookie": result.Cookie, "e-mail": "ada@example.com", "escaped e-mail": "ada%40example.com",
				"second state": second.State, "second binding": second.Binding, "next": "/after?x=1",
			} {
				if secret != "" && strings.Contains(strings.ToLower(text.String()), strings.ToLower(secret)) {
					t.Errorf("%s is in the log or in an error:\n%s", what, text.String())
				}
			}
			if f.logs.Len() == 0 {
				t.Error("nothing was logged")
			}
		})
	}
}

// The log says enough to find the fault.
func TestFailuresAreLogged(t *testing.T) {
	f := newFixture(t)
	f.google.callbackErr = errors.New("nonce differs")
	start := f.begin(t, "google")
	_, _ = f.Complete(t.Context(), "", answer(start), cookie(start))
	entries := f.logs.FilterMessage("sign-in failed").All()
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	fields := entries[0].ContextMap()
	if fields["provider"] != "google" || fields["code"] != "provider_error" || fields["cause"] != "nonce differs" {
		t.Errorf("fields = %v", fields)
	}

	f = newFixture(t)
	result := f.signIn(t, "google")
	fields = f.logs.FilterMessage("signed in").All()[0].ContextMap()
	if fields["provider"] != "google" || fields["user_id"] != result.User.ID || fields["new_user"] != true {
		t.Errorf("fields = %v", fields)
	}
}

// S41: an address whose shape is not recognised whole is hidden all the same
// where it is known.
func TestS41KnownAddressIsHiddenWhole(t *testing.T) {
	f := newFixture(t)
	f.google.identity.Email = "o'brien=x@example.com"
	for _, method := range []string{"FindOrCreateUser", "CreateSession"} {
		f.store.fails = map[string]error{method: errors.New("row of o'brien=x@example.com")}
		start := f.begin(t, "google")
		_, err := f.Complete(t.Context(), "", answer(start), cookie(start))
		if wantCode(t, err, CodeUnavailable); strings.Contains(err.Error(), "brien") {
			t.Errorf("%s: %v", method, err)
		}
	}
}
