package dev

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed chooser.html
var chooserHTML string

//go:embed refused.html
var refusedHTML []byte

//go:embed style.css
var styleCSS []byte

var chooserPage = template.Must(template.New("chooser.html").Parse(chooserHTML))

// The whole sign-in happens on one origin, so form-action 'self' covers the
// redirects behind the form too.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

type contextKey struct{}

// ServeHTTP serves the OpenID Connect endpoints and the pages, to this machine
// only.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	header.Set("Cache-Control", "no-store")
	m, err := p.mounted()
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case !fromThisMachine(r):
		header.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write(refusedHTML)
	case r.URL.Path == "/style.css":
		header.Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(styleCSS)
	default:
		if refused, is := unknown(w, r); is {
			refused.write(w, r, m.issuer)
			return
		}
		// The provider in the pool outlives this configuration; the page it shows is
		// the current one's.
		page := chooser{users: p.Users(), idp: m.idp}
		m.idp.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, page)))
	}
}

func chooserOf(r *http.Request) chooser {
	page, _ := r.Context().Value(contextKey{}).(chooser)
	return page
}

func render(w http.ResponseWriter, status int, page *template.Template, data any) {
	var body bytes.Buffer
	if err := page.Execute(&body, data); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}
