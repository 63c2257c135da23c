package authapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/wire"
)

// Interface guard: the gate takes this.
var _ wire.ProblemPage = (*API)(nil).ProblemPage

func (h *house) problem(r *http.Request, p wire.Problem) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ProblemPage(w, r, p)
	return w
}

func TestProblemPagePermissionMissing(t *testing.T) {
	h := build(t)
	w := h.problem(browse("/storage/x"), wire.Problem{
		Status: 403, Code: wire.CodePermissionMissing, Detail: "You are signed in, but you may not do this.",
		Service: "storage", Missing: []string{"write", "admin"}, RequestID: "req-9", Account: "Ada Lovelace", Next: "/storage/x?a=b",
	})
	want(t, w, http.StatusForbidden, "")
	wantBody(t, w, "have access to this page", "<code>storage</code>", "<code>write</code>, <code>admin</code>", "<bdi>Ada Lovelace</bdi>",
		`href="https://app.example.com/auth/login?next=%2Fstorage%2Fx%3Fa%3Db&amp;prompt=1">Use another account`,
		`href="https://app.example.com/">Go to the home page`, "<code>req-9</code>", "<code>permission_missing</code>")
	w = h.problem(browse("/storage/x"), wire.Problem{Status: 403, Code: wire.CodePermissionMissing, Next: "//evil.example"})
	wantBody(t, w, "!evil", `href="https://app.example.com/auth/login?prompt=1"`, "<code>req-1</code>", "!Signed in as", "!<dl>")
}

func TestProblemPages(t *testing.T) {
	h := build(t)
	for _, c := range []struct {
		p     wire.Problem
		texts []string
	}{
		{
			wire.Problem{Status: 401, Code: wire.CodeNotSignedIn, Detail: "Sign in to see this.", LoginURL: origin + "/auth/login?next=%2Fx", Challenge: true},
			[]string{"You are not signed in", `href="https://app.example.com/auth/login?next=%2Fx">Sign in`},
		},
		{wire.Problem{Status: 401, Code: wire.CodeSessionEnded, Next: "/x"}, []string{"has ended", `/auth/login?next=%2Fx">Sign in`}},
		{wire.Problem{Status: 401, Code: wire.CodeTokenInvalid}, []string{"not valid here", `/auth/login">Sign in`}},
		{wire.Problem{Status: 403, Code: wire.CodeUserDisabled}, []string{"disabled", "Use another account"}},
		{wire.Problem{Status: 503, Code: wire.CodeUnavailable, RetryAfter: 5 * time.Second, Next: "/x"}, []string{"not possible at the moment", `href="https://app.example.com/x">Try again`}},
		{wire.Problem{Status: 503, Code: wire.CodeUnavailable}, []string{`href="">Try again`}},
		{wire.Problem{Status: 400, Code: wire.CodeBadPath}, []string{"not clear", "400 Bad Request", "home page"}},
		{wire.Problem{Status: 400, Code: wire.CodeAmbiguousCredentials}, []string{"More than one credential"}},
		{wire.Problem{Status: 429, Code: wire.CodeRateLimited}, []string{"Too many requests", "Try again"}},
		{wire.Problem{Status: 500, Code: "of the future"}, []string{"Something went wrong", "of the future"}},
	} {
		w := h.problem(browse("/x"), c.p)
		want(t, w, c.p.Status, "")
		wantBody(t, w, c.texts...)
		header := w.Header()
		if (header.Get("Retry-After") != "") != (c.p.RetryAfter > 0) || (header.Get("WWW-Authenticate") != "") != c.p.Challenge {
			t.Errorf("%s: headers %v", c.p.Code, header)
		}
	}
}

// Every code of wire's has a heading of its own.
func TestProblemTitles(t *testing.T) {
	seen := make(map[string]string)
	for _, code := range []string{
		wire.CodeNotSignedIn, wire.CodeSessionEnded, wire.CodeTokenInvalid, wire.CodePermissionMissing, wire.CodeUserDisabled,
		wire.CodeAmbiguousCredentials, wire.CodeCrossOrigin, wire.CodeBadPath, wire.CodeBadNext, wire.CodeBadRequest, wire.CodeWrongHost,
		wire.CodeNotFound, wire.CodeMethodNotAllowed, wire.CodeRateLimited, wire.CodeUnavailable, wire.CodeInternal,
	} {
		title := problemTitle(code)
		if other, taken := seen[title]; taken || title == "" {
			t.Errorf("%s and %s: %q", code, other, title)
		}
		seen[title] = code
	}
}

// Ruling 23: a gate on another host shows the page there, with our CSS and
// links that lead to us.
func TestProblemPageOnAnotherHost(t *testing.T) {
	w := build(t).problem(browse("https://other.example.com/x"), wire.Problem{Status: 401, Code: wire.CodeNotSignedIn})
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "style-src https://app.example.com;") || strings.Contains(policy, "other") {
		t.Errorf("policy %s", policy)
	}
	wantBody(t, w, `href="https://app.example.com/auth/style.css"`, `href="https://app.example.com/auth/login"`, "!other.example.com")
}
