package demo

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// S25: the demo shows text of whoever sends a request, in every place it has.
// None of it may become markup.
func TestHostileTextStaysText(t *testing.T) {
	const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(1)>`
	percent := strings.NewReplacer(`"`, "%22", "'", "%27", "<", "%3C", ">", "%3E", " ", "%20")
	g := newGateway(t)
	raw := swapPart(swapPart(g.sign(t, nil), 0, `{"alg":"</pre><script>alert(1)</script>"}`), 1, `{"userid":"</pre><script>alert(1)</script>"}`)
	demo := New(Config{
		PublicKeyURL: g.URL, Gateway: "http://localhost:8080",
		Users: []string{hostile + ": " + hostile}, Title: hostile,
	})
	for _, path := range []string{"/", "/" + percent.Replace(hostile) + "?" + percent.Replace(hostile)} {
		r := httpRequest(t, path)
		r.Method, r.Host = hostile, hostile
		r.URL.RawQuery += hostile
		if path != "/" {
			r.URL.Path, r.URL.RawPath = "/"+hostile, ""
		}
		for _, known := range identityHeaders {
			r.Header[known.header] = []string{percent.Replace(hostile)}
		}
		r.Header["X-Auth-Permissions"] = []string{`{"</pre><script>alert(1)</script>":true}`}
		r.Header[tokenHeader] = []string{raw}
		r.Header["X-"+hostile] = []string{hostile, hostile}
		r.Header["Cookie"] = []string{hostile}
		r.Header["Authorization"] = []string{hostile}
		body := serve(demo, r)
		if strings.Contains(strings.ToLower(body), "<script") || strings.Contains(body, "<img") || strings.Contains(body, `"'>`) {
			t.Errorf("%s: markup from outside:\n%s", path, body)
		}
		if n := strings.Count(body, "&lt;script&gt;alert(1)&lt;/script&gt;"); n < 15 {
			t.Errorf("%s: only %d of the hostile texts are shown:\n%s", path, n, body)
		}
	}
}

// A javascript: address in the configuration is a mistake, and no link.
func TestGatewayMustBeAnAddress(t *testing.T) {
	body := serve(New(Config{Gateway: "javascript:alert(1)//"}), httpRequest(t, "/"))
	if strings.Contains(body, `href="javascript`) {
		t.Error(body)
	}
}

func TestHomeSaysWhatToTry(t *testing.T) {
	demo := New(Config{Gateway: "http://localhost:8080/", Users: []string{"ada: storage admin", "carol"}, Title: "A title"})
	body := serve(demo, httpRequest(t, "/"))
	for _, want := range []string{
		"<title>A title</title>", "<h1>A title</h1>",
		`href="http://localhost:8080/"`, `href="http://localhost:8080/me"`, `href="http://localhost:8080/storage/"`,
		`href="http://localhost:8080/storage/admin"`, `href="http://localhost:8080/events"`,
		`href="http://localhost:8080/auth/login?next=/me"`, `href="http://localhost:8080/auth/account"`, `href="http://localhost:8080/auth/logout"`,
		"curl -i http://localhost:8080/storage/", "<strong>ada</strong> <span>storage admin</span>", "<strong>carol</strong></li>",
		"Not signed in", "none: anonymous",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing:\n%s", want, body)
		}
	}
}

func TestPageShowsWhatCame(t *testing.T) {
	r := httpRequest(t, "/storage/a%20b?x=1")
	r.Header.Set("X-Auth-User-Id", "u1")
	r.Header.Set("X-Auth-Name", "Ada%20Lovelace")
	r.Header.Set("X-Other", "other value")
	body := serve(New(Config{}), r)
	for _, want := range []string{
		"<title>/storage/a%20b – Demo service</title>", `<span class="method"><bdi>GET</bdi></span> <bdi>/storage/a%20b</bdi>`,
		"<bdi>x=1</bdi>", "<bdi>gateway.test</bdi>", "Signed in as <strong><bdi>Ada Lovelace</bdi></strong>",
		"sent as <code>Ada%20Lovelace</code>", "<bdi>other value</bdi>", "All other headers (2)", `href="/auth/logout"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing:\n%s", want, body)
		}
	}
	if strings.Contains(body, "anonymous") {
		t.Error("a known user is called anonymous")
	}
}

// The policy forbids all of it, so it would not work; and each page must be
// usable with a screen reader.
func TestPagesAreFormedWell(t *testing.T) {
	for _, path := range []string{"/", "/me"} {
		body := serve(New(Config{}), httpRequest(t, path))
		for text, want := range map[string]int{
			`<html lang="en">`: 1, "<title>": 1, "<h1>": 1, "<main>": 1, "<header class": 1, "<footer>": 1, "<nav aria-label=": 1,
			`<link rel="stylesheet" href="/demo.css">`: 1, "<script": 0, "<style": 0, " style=": 0,
		} {
			if got := strings.Count(body, text); got != want {
				t.Errorf("%s has %q %d times, want %d", path, text, got, want)
			}
		}
		for _, label := range regexp.MustCompile(`aria-labelledby="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			if strings.Count(body, ` id="`+label[1]+`"`) != 1 {
				t.Errorf("%s: label %q is not there once", path, label[1])
			}
		}
	}
}

func TestStyle(t *testing.T) {
	demo := New(Config{})
	w := ask(t, demo, http.MethodGet, "/demo.css")
	h := w.Header()
	if w.Code != http.StatusOK || h.Get("Content-Type") != "text/css; charset=utf-8" || h.Get("Cache-Control") != "no-cache" || w.Body.Len() != len(style) {
		t.Errorf("%d %v, %d bytes", w.Code, h, w.Body.Len())
	}
	for _, want := range []string{"color-scheme: light dark", "prefers-color-scheme: dark", ":focus-visible"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q", want)
		}
	}
	for _, forbidden := range []string{"url(", "@import"} {
		if strings.Contains(w.Body.String(), forbidden) {
			t.Errorf("the style asks for something else: %q", forbidden)
		}
	}
	if again := ask(t, demo, http.MethodGet, "/demo.css", "If-None-Match", h.Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("asked again: %d", again.Code)
	}
}
