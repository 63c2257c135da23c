package authapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

// hostile is a text that breaks out of wherever it is not escaped.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'` + "\u202egnp"

// allPages returns every page there is, with texts that people, providers or
// URLs can choose being hostile.
func allPages(t *testing.T) map[string]*httptest.ResponseRecorder {
	t.Helper()
	h := build(t, func(c *Config) {
		c.Logins = []Login{{Name: "google"}, {Name: "corp", DisplayName: "Corp " + hostile}}
	})
	odd := providers.User{ID: "u9" + hostile, Name: "Eve " + hostile, Username: hostile, Email: hostile + "@example.org", AvatarURL: hostile, JoinDate: ada().JoinDate}
	h.authz.users[authz.Cookie("odd")] = odd
	const cookie = "Cookie: " + cookieName + "=odd"
	const next = "?next=%2Fa%3Fb%3D%22%3E%3Cscript%3E" // "/a?b="><script>"
	failing := func(code string) *httptest.ResponseRecorder {
		f := build(t, func(c *Config) { c.Logins = h.Config.Logins })
		f.authn.completErr = &authn.Error{Code: code, Provider: "corp", Attempt: &authn.Attempt{Provider: "corp", Next: origin + `/a?b="><script>`}}
		return f.do(back(callbackPath + "&error_description=%3Cscript%3E"))
	}
	down := build(t)
	down.authz.down = providers.ErrUnavailable
	return map[string]*httptest.ResponseRecorder{
		"login":             h.do(browse("/auth/login" + next)),
		"login signed in":   h.do(browse("/auth/login"+next, cookie)),
		"login none":        build(t, func(c *Config) { c.Logins = nil }).do(browse("/auth/login")),
		"login bad next":    h.do(browse("/auth/login?next=%22%3E%3Cscript%3E")),
		"login bad host":    h.do(browse("/auth/login?next=https%3A%2F%2Fevil.example%2F%3Cscript%3E")),
		"account":           h.do(browse("/auth/account", cookie)),
		"logout":            h.do(browse("/auth/logout"+next, cookie)),
		"signed out":        h.do(browse("/auth/signed-out" + next)),
		"not found":         h.do(browse("/auth/%3Cscript%3E")),
		"method":            h.do(request("PUT", "/auth/check")),
		"wrong host":        h.do(browse("https://evil.example/auth/login")),
		"unavailable":       down.do(browse("/auth/account", cookie)),
		"cross-origin":      h.do(post("/auth/logout", "form_token=no", cookie)),
		"failed":            failing(authn.CodeAccessDenied),
		"failed, new code":  failing(hostile),
		"failed, expired":   failing(authn.CodeStateExpired),
		"permission":        h.problem(browse("/x"), wire.Problem{Status: 403, Code: wire.CodePermissionMissing, Service: hostile, Missing: []string{hostile, hostile}, Account: hostile, Next: "/" + hostile, Detail: hostile, RequestID: hostile}),
		"sign in":           h.problem(browse("/x"), wire.Problem{Status: 401, Code: wire.CodeNotSignedIn, LoginURL: "javascript:alert(1)"}),
		"bad path":          h.problem(browse("/x"), wire.Problem{Status: 400, Code: wire.CodeBadPath}),
		"forbidden by code": h.problem(browse("/x"), wire.Problem{Status: 403, Code: hostile}),
	}
}

// S25, S35, pages section 1: the same headers on every page.
func TestPageHeaders(t *testing.T) {
	golden := map[string]string{
		"Cache-Control":              "no-store",
		"Content-Security-Policy":    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"Content-Type":               "text/html; charset=utf-8",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Permissions-Policy": "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), " +
			"magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()",
		"Referrer-Policy":        "no-referrer",
		"X-Content-Type-Options": "nosniff",
		"X-Robots-Tag":           "noindex",
	}
	for name, w := range allPages(t) {
		if w.Code == http.StatusMisdirectedRequest {
			continue // TestProblemPageOnAnotherHost
		}
		for header, value := range golden {
			if got := w.Header()[header]; len(got) != 1 || got[0] != value {
				t.Errorf("%s: %s: %q, want %q", name, header, got, value)
			}
		}
		for header := range w.Header() {
			if _, known := golden[header]; !known && !slices.Contains([]string{"Allow", "Content-Length", "Retry-After", "Set-Cookie"}, header) {
				t.Errorf("%s: unexpected %s", name, header)
			}
		}
	}
}

// S25: nothing that somebody chose becomes markup, an attribute or a script
// URL.
func TestPagesEscape(t *testing.T) {
	for name, w := range allPages(t) {
		body := w.Body.String()
		for _, bad := range []string{"<script", "<img", `"javascript:`, "onerror=alert(1)>"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %q:\n%s", name, bad, body)
			}
		}
		if strings.Contains(body, "error_description") || strings.Contains(body, "ZgotmplZ") && name != "sign in" {
			t.Errorf("%s:\n%s", name, body)
		}
	}
	pages := allPages(t)
	wantBody(t, pages["account"], "&lt;script&gt;") // it was there to be escaped
	wantBody(t, pages["permission"], "&lt;script&gt;")
}

// pages section 3: every page is whole, in a language, with a title and one
// heading, and asks nobody else for anything.
func TestPagesAreValid(t *testing.T) {
	titles := make(map[string]bool)
	for name, w := range allPages(t) {
		p := parsePage(t, name, w.Body.String())
		if !strings.HasPrefix(w.Body.String(), "<!doctype html>\n<html lang=\"en\">") {
			t.Errorf("%s: no doctype or language", name)
		}
		for element, count := range map[string]int{"html": 1, "head": 1, "title": 1, "body": 1, "header": 1, "main": 1, "h1": 1, "link": 2, "script": 0, "style": 0, "img": 0, "iframe": 0} {
			if p.elements[element] != count {
				t.Errorf("%s: %d <%s>, want %d", name, p.elements[element], element, count)
			}
		}
		if p.title == "" || !strings.HasSuffix(p.title, " – app.example.com") {
			t.Errorf("%s: title %q", name, p.title)
		}
		titles[p.title] = true
		for attribute, value := range p.attributes {
			if strings.HasPrefix(attribute, "on") || attribute == "style" || attribute == "target" {
				t.Errorf("%s: attribute %s=%q", name, attribute, value)
			}
		}
		for _, address := range p.sources {
			if address != "data:," && address != origin+"/auth/style.css" {
				t.Errorf("%s: loads %s", name, address)
			}
		}
	}
	if len(titles) < 10 {
		t.Errorf("only %d different titles", len(titles))
	}
}

type parsedPage struct {
	elements   map[string]int
	attributes map[string]string
	sources    []string
	title      string
}

// parsePage reads a page strictly: what is opened is closed, in order, and no
// ID or attribute is there twice.
func parsePage(t *testing.T, name, text string) parsedPage {
	t.Helper()
	p := parsedPage{elements: make(map[string]int), attributes: make(map[string]string)}
	void := []string{"meta", "link", "input", "br", "hr"}
	var open []string
	ids := make(map[string]bool)
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%s: not closed: %v", name, open)
			}
			return p
		case html.TextToken:
			if len(open) > 0 && open[len(open)-1] == "title" {
				p.title = z.Token().Data
			}
		case html.StartTagToken:
			token := z.Token()
			p.elements[token.Data]++
			seen := make(map[string]bool)
			for _, a := range token.Attr {
				if seen[a.Key] || a.Key == "id" && ids[a.Val] {
					t.Errorf("%s: <%s> has %s=%q twice", name, token.Data, a.Key, a.Val)
				}
				seen[a.Key] = true
				ids[a.Val] = a.Key == "id"
				p.attributes[a.Key] = a.Val
				if a.Key == "src" || a.Key == "href" && token.Data == "link" {
					p.sources = append(p.sources, a.Val)
				}
			}
			if !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			tag := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != tag {
				t.Fatalf("%s: </%s> in %v", name, tag, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// S41: neither tokens nor cookies nor addresses in the log, whatever happens.
func TestLogsNothingSecret(t *testing.T) {
	for path, r := range map[string]*http.Request{
		"check":     request(http.MethodGet, "/auth/check?jwt=SECRET", "Auth-Token: SECRET"),
		"authorize": request(http.MethodGet, "/auth/authorize?service=x&jwt=SECRET"),
		"account":   browse("/auth/account", "Cookie: "+cookieName+"=SECRET"),
		"login":     browse("/auth/login/google?next=%2FSECRET"),
		"callback":  back("/auth/oauth_callback?state=SECRET123&code=SECRET", "Cookie: __Host-login-SECRET12=1.SECRET"),
		"logout":    post("/auth/logout", "", "Cookie: "+cookieName+"=SECRET"),
	} {
		h := build(t)
		h.authz.down = providers.ErrUnavailable
		h.authn.completErr = &authn.Error{Code: authn.CodeProviderError, Provider: "google"}
		h.authn.endErr = &authn.Error{Code: authn.CodeUnavailable}
		h.authn.beginErr = &authn.Error{Code: authn.CodeProviderUnavailable, Provider: "google"}
		h.do(r)
		if h.logs.Len() == 0 {
			t.Errorf("%s: nothing in the log", path)
		}
		for _, entry := range h.logs.All() {
			if text := entry.Message + strings.Join(fields(entry.ContextMap()), " "); strings.Contains(text, "SECRET") {
				t.Errorf("%s: log: %s", path, text)
			}
			if entry.ContextMap()["request_id"] != "req-1" {
				t.Errorf("%s: no request ID: %v", path, entry)
			}
		}
	}
}

// A10: an outage is not told of with each request.
func TestOutagesAreLoggedOnce(t *testing.T) {
	h := build(t)
	h.authz.down = providers.ErrUnavailable
	for range 10 {
		h.get("/auth/check", "Auth-Token: x")
		h.do(browse("/auth/account", "Cookie: "+cookieName+"=x"))
		h.get("/auth/authorize?service=x&jwt=x")
	}
	if got := h.logs.Len(); got != 1 {
		t.Errorf("%d lines of 30 requests", got)
	}
}

func fields(m map[string]any) []string {
	var texts []string
	for key, value := range m {
		if text, ok := value.(string); ok {
			texts = append(texts, key+"="+text)
		}
	}
	return texts
}

func TestRenderFails(t *testing.T) {
	h := build(t)
	w := httptest.NewRecorder()
	h.render(w, browse("/x"), http.StatusOK, "account", struct{}{})
	want(t, w, http.StatusInternalServerError, "")
	wantBody(t, w, `"code":"internal"`, "!<h1", "!template")
}
