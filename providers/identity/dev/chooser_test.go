package dev

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var hrefs = regexp.MustCompile(`<a [^>]*href="([^"]*)"`)

// links returns the addresses of a page's links.
func links(t *testing.T, page, body string) []string {
	t.Helper()
	base, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, match := range hrefs.FindAllStringSubmatch(body, -1) {
		u, err := base.Parse(html.UnescapeString(match[1]))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, u.String())
	}
	return all
}

func TestPage(t *testing.T) {
	w := newWorld(t)
	page, private := w.begin(t)
	status, header, body := get(t, page.String())
	if status != http.StatusOK || header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", status, header)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"Referrer-Policy":         "no-referrer",
		"Cache-Control":           "no-store",
		"X-Content-Type-Options":  "nosniff",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, want := range []string{
		"Development sign-in. Anybody can be anybody here.", `<html lang="en">`, "<title>", `<label for="email">`,
		`<label for="name">`, "Ada Lovelace", "bob@example.com", "Eve Smith", "wrong_nonce", "access_denied",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	// S35: the policy allows neither scripts nor styles in the page.
	if regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son\w+=|javascript:`).MatchString(body) {
		t.Error("the page has a script or an inline style")
	}
	all := links(t, page.String(), body)
	if want := 3 + len(faultTexts()); len(all) != want {
		t.Fatalf("%d links, want %d", len(all), want)
	}
	// The first link is Ada, and following it is a sign-in.
	who, err := w.HandleCallback(t.Context(), w.redirectURI, private, w.choose(t, all[0]))
	if err != nil || who.Subject != "ada" {
		t.Errorf("the first link: %+v, %v", who, err)
	}
}

// A form that ends in a redirect to another origin is blocked by Chromium under
// form-action 'self'; the application behind the sign-in may be one. So the
// form must lead to a page, never to a redirect, and the page to a link.
func TestFormLeadsToALink(t *testing.T) {
	w := newWorld(t)
	page, private := w.begin(t)
	_, _, body := get(t, page.String())
	if strings.Count(body, "<form ") != 1 || !strings.Contains(body, `<form action="authorize" method="get"`) {
		t.Fatal("the page has not one GET form to itself")
	}
	query := url.Values{}
	for _, match := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		query.Set(html.UnescapeString(match[1]), html.UnescapeString(match[2]))
	}
	query.Set("dev_email", "grace@example.com")
	query.Set("dev_name", "Grace <b>Hopper</b>")
	target := w.base.String() + "/authorize?" + query.Encode()
	status, _, body := get(t, target)
	if status != http.StatusOK || !strings.Contains(body, "Continue as") {
		t.Fatalf("the form led to %d, want a page with a link", status)
	}
	if strings.Contains(body, "<b>Hopper") || !strings.Contains(body, "Grace &lt;b&gt;Hopper") {
		t.Error("what was typed is not escaped")
	}
	var to string
	for _, l := range links(t, target, body) {
		if u, err := url.Parse(l); err == nil && u.Query().Has(paramGo) && !u.Query().Has(paramFault) {
			to = l
		}
	}
	who, err := w.HandleCallback(t.Context(), w.redirectURI, private, w.choose(t, to))
	if err != nil || who.Email != "grace@example.com" || who.Name != "Grace <b>Hopper</b>" {
		t.Errorf("the link: %+v, %v", who, err)
	}
}

// Whatever is in the query, none of it is markup on the page.
func TestPageEscapes(t *testing.T) {
	w := newWorld(t, User{Username: "x", Email: "x@example.com", Name: `"><script>alert(1)</script>`})
	const evil = `"><script>alert(1)</script>`
	for _, param := range []string{paramName, paramEmail, "state", "nonce", "scope", "unknown", evil} {
		page, _ := w.begin(t)
		value := evil
		if param == "scope" {
			value = "openid " + evil
		}
		_, _, body := get(t, with(page, paramEmail, "a@example.com", param, value))
		if strings.Contains(body, "<script") {
			t.Errorf("%s: the page has a script", param)
		}
	}
	page, _ := w.begin(t)
	for _, param := range []string{paramUser, paramFault, "client_id", "redirect_uri"} {
		status, header, body := get(t, with(page, param, evil))
		if status != http.StatusBadRequest || strings.Contains(body, "<script") && !strings.HasPrefix(header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %q %q", param, status, header.Get("Content-Type"), body)
		}
	}
}

func TestTypedRubbish(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct{ name, email, want string }{
		{"Grace", "grace", "not an e-mail address"},
		{"Grace", "", "not an e-mail address"},
		{"Grace", "a@b@c", "not an e-mail address"},
		{strings.Repeat("x", 101), "grace@example.com", "too long"},
	} {
		for _, goOn := range []string{"", "1"} {
			page, _ := w.begin(t)
			status, _, body := get(t, with(page, paramName, test.name, paramEmail, test.email, paramGo, goOn))
			if status != http.StatusBadRequest || !strings.Contains(body, test.want) || !strings.Contains(body, `aria-describedby="problem"`) {
				t.Errorf("%q: %d, want the page with %q", test.email, status, test.want)
			}
			if strings.Contains(body, "Continue as") {
				t.Errorf("%q: the page offers to go on", test.email)
			}
		}
	}
	page, _ := w.begin(t)
	if status, _, _ := get(t, with(page, "padding", strings.Repeat("x", 5000))); status != http.StatusBadRequest {
		t.Errorf("a huge request: %d, want 400", status)
	}
}

func TestStyleAndOtherPaths(t *testing.T) {
	w := newWorld(t)
	status, header, body := get(t, w.base.String()+"/style.css")
	if status != http.StatusOK || header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(body, "prefers-color-scheme: dark") {
		t.Errorf("style: %d %v", status, header)
	}
	for _, path := range []string{"/", "/chooser.html", "/elsewhere"} {
		if status, _, _ := get(t, w.base.String()+path); status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, status)
		}
	}
}

// A link that somebody else made signs nobody in at the gateway: without the
// private data of the sign-in that this browser began, its code is worthless.
func TestForeignLink(t *testing.T) {
	w := newWorld(t)
	attackers, _ := w.begin(t)
	_, victims := w.begin(t)
	query := w.choose(t, with(attackers, paramUser, "eve"))
	if who, err := w.HandleCallback(t.Context(), w.redirectURI, victims, query); err == nil {
		t.Errorf("signed in as %+v", who)
	}
}
