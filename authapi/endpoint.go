package authapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/datahq/auth-gateway/internal/wire"
)

// endpoint is what is served at one path.
type endpoint struct {
	// get and post answer; nil where the method is not allowed.
	get, post http.HandlerFunc
	// open endpoints may be called by the pages of allowed origins (S32).
	open bool
	// page endpoints are for browsers, whose cookies live at the site's own name.
	page bool
	// anyHost endpoints answer under every name: services inside a network fetch
	// the public key by whatever name the gateway has there (contract 2a), and
	// load balancers ask for its health by its address. The answers do not depend
	// on the name, so S16 loses nothing.
	anyHost bool
}

// base is a path with the endpoints below it.
type base struct {
	// prefix ends in a slash: "/auth/".
	prefix string
	// endpoints are by the rest of the path.
	endpoints map[string]endpoint
	// pages are the providers' own, by the name of the login.
	pages map[string]http.Handler
}

// name is the path below the prefix, "" if it is elsewhere. The path is taken as
// it was sent: an endpoint has one spelling, but for one doubled slash in front,
// which old clients send (ruling 18).
func (b base) name(u *url.URL) string {
	name, found := strings.CutPrefix(withoutDoubledSlash(u.EscapedPath()), b.prefix)
	if !found {
		return ""
	}
	return name
}

func withoutDoubledSlash(path string) string {
	if strings.HasPrefix(path, "//") {
		return path[1:]
	}
	return path
}

// serve answers for an endpoint. HEAD is GET to it; the server leaves the body
// out.
func (a *API) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	h := w.Header()
	switch {
	case r.Method == http.MethodOptions:
		h.Set("Allow", e.allow())
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
	case e.get != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		e.get(w, r)
	case e.post != nil && r.Method == http.MethodPost:
		e.post(w, r)
	default:
		h.Set("Allow", e.allow())
		a.methodNotAllowed(w, r)
	}
}

func (e endpoint) allow() string {
	methods := make([]string, 0, 4)
	if e.get != nil {
		methods = append(methods, "GET", "HEAD")
	}
	if e.post != nil {
		methods = append(methods, "POST")
	}
	return strings.Join(append(methods, "OPTIONS"), ", ")
}

// serveMounted hands what is below login/<name>/ to the pages of the provider.
func (a *API) serveMounted(w http.ResponseWriter, r *http.Request, b base, name string, own bool) {
	rest, below := strings.CutPrefix(name, "login/")
	login, path, found := strings.Cut(rest, "/")
	pages, mounted := b.pages[login]
	if !below || !found || !mounted || wire.StrictPath("/"+path) != nil {
		a.notFound(w, r)
		return
	}
	if !own && a.redirectAlias(w, r, b, name) {
		return
	}
	pageHeaders(w.Header())
	inner := r.Clone(r.Context())
	plain, err := url.PathUnescape("/" + path)
	if err != nil { // StrictPath has seen to it
		a.notFound(w, r)
		return
	}
	inner.URL.Path, inner.URL.RawPath = plain, ""
	if plain != "/"+path {
		inner.URL.RawPath = "/" + path
	}
	pages.ServeHTTP(w, inner)
}
