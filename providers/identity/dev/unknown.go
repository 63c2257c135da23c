package dev

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

//go:embed unknown.html
var unknownHTML string

var unknownPage = template.Must(template.New("unknown.html").Parse(unknownHTML))

// refusal is the answer to a request for what is not there, in the forms of the
// gateway's own (ruling 26).
type refusal struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id,omitempty"`
}

// unknown tells what is wrong with the address or method of a request to the
// OpenID Connect endpoints; false means nothing.
func unknown(w http.ResponseWriter, r *http.Request) (refusal, bool) {
	allowed := ""
	switch fakeidp.Endpoint(r.URL.Path) {
	case fakeidp.Discovery, fakeidp.JWKS, fakeidp.Authorize, fakeidp.Userinfo:
		allowed = http.MethodGet
	case fakeidp.Token:
		allowed = http.MethodPost
	default:
		return refusal{Status: http.StatusNotFound, Code: "not_found", Detail: "There is nothing at this address."}, true
	}
	if r.Method == allowed || r.Method == http.MethodHead && allowed == http.MethodGet {
		return refusal{}, false
	}
	w.Header().Set("Allow", allowed)
	return refusal{
		Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
		Detail: "405 Method Not Allowed: this address does not take the method of the request.",
	}, true
}

// write shows a refusal: a page to browsers, RFC 9457 to programs.
func (p refusal) write(w http.ResponseWriter, r *http.Request, issuer string) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	if wantsPage(r) {
		title := "Page not found"
		if p.Status != http.StatusNotFound {
			title = "This method is not allowed"
		}
		render(w, p.Status, unknownPage, map[string]string{"Title": title, "Detail": p.Detail, "Style": issuer + "/style.css"})
		return
	}
	if repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		p.RequestID, _ = repl.GetString("http.request.uuid")
	}
	text, err := json.Marshal(p)
	if err != nil { // every member is a string or a number
		http.Error(w, p.Code, p.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(p.Status)
	_, _ = w.Write(text)
}

// wantsPage reports whether a request is a browser's that goes to a page.
func wantsPage(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate" || mode == "nested-navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("X-Requested-With") == ""
}
