package authapi

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/datahq/auth-gateway/internal/wire"
)

const (
	// maxBody is how long a request's body may be, in bytes (S38).
	maxBody = 64 << 10
	// maxParameters is how many query parameters a request may have (S38).
	maxParameters = 100
)

// API serves the auth endpoints. It is called for every request whose path is
// Site.Path() or below.
type API struct {
	Config
	defaultNext string // absolute
	endpoints   map[string]endpoint
	mounted     map[string]http.Handler
	logins      map[string]Login
	templates   map[string]*template.Template
}

// endpoint is what is served at one path.
type endpoint struct {
	// get and post answer; nil where the method is not allowed.
	get, post http.HandlerFunc
	// open endpoints may be called by the pages of allowed origins (S32).
	open bool
	// page endpoints are for browsers, whose cookies live at the site's own name.
	page bool
}

// New makes an API.
func New(c Config) (*API, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	a := &API{Config: c, mounted: make(map[string]http.Handler), logins: make(map[string]Login)}
	var err error
	if a.templates, err = parseTemplates(); err != nil {
		return nil, err
	}
	a.defaultNext = c.Site.URL("/account")
	if c.DefaultNext != "" {
		a.defaultNext, _ = c.Next.Check(c.DefaultNext)
	}
	a.route()
	return a, nil
}

// route says what is served where, below Site.Path() and a slash.
func (a *API) route() {
	a.endpoints = map[string]endpoint{
		"check":          {get: a.check, open: true},
		"authorize":      {get: a.authorize, open: true},
		"public-key":     {get: a.publicKey, open: true},
		"jwks.json":      {get: a.jwks, open: true},
		"login":          {get: a.login, page: true},
		"oauth_callback": {get: a.callback(""), page: true},
		"logout":         {get: a.confirmLogout, post: a.logout, open: true, page: true},
		"signed-out":     {get: a.signedOut, page: true},
		"account":        {get: a.account, page: true},
		"style.css":      {get: a.styleSheet},
	}
	for _, login := range a.Config.Logins {
		a.logins[login.Name] = login
		a.endpoints["login/"+login.Name] = endpoint{get: a.startLogin(login), page: true}
		a.endpoints["oauth_callback/"+login.Name] = endpoint{get: a.callback(login.Name), page: true}
		if login.Pages != nil {
			a.mounted[login.Name] = login.Pages
		}
	}
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ownHeaders(w.Header())
	own := a.Site.IsOwnHost(r.Host)
	if !own && !a.Site.IsAlias(r.Host) {
		a.refuse(w, r, wire.Problem{
			Status: http.StatusMisdirectedRequest, Code: wire.CodeWrongHost,
			Detail: "This gateway does not answer under the host name of the request.",
		})
		return
	}
	if strings.Count(r.URL.RawQuery, "&") >= maxParameters {
		a.refuse(w, r, wire.Problem{
			Status: http.StatusBadRequest, Code: wire.CodeBadRequest, Detail: "The request has too many parameters.",
		})
		return
	}
	if r.ContentLength > maxBody {
		a.refuse(w, r, tooLarge)
		return
	}
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	}
	name, ok := a.endpointName(r.URL)
	if !ok {
		a.notFound(w, r)
		return
	}
	if e, found := a.endpoints[name]; found {
		if e.page && !own && a.redirectAlias(w, r, name) {
			return
		}
		a.serve(w, r, e)
		return
	}
	a.serveMounted(w, r, name, own)
}

// endpointName is the path below the base path, without the slash between
// them. The path is taken as it was sent: an endpoint has one spelling, but for
// one doubled slash in front, which old clients send (ruling 18).
func (a *API) endpointName(u *url.URL) (string, bool) {
	path := u.EscapedPath()
	if strings.HasPrefix(path, "//") {
		path = path[1:]
	}
	return strings.CutPrefix(path, a.Site.Path()+"/")
}

// serve answers for an endpoint.
func (a *API) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	h := w.Header()
	if e.open && wire.IsPreflight(r) {
		a.Next.AnswerPreflight(w, r)
		return
	}
	if e.open {
		a.Next.AllowOrigin(h, r)
	}
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
func (a *API) serveMounted(w http.ResponseWriter, r *http.Request, name string, own bool) {
	rest, below := strings.CutPrefix(name, "login/")
	login, path, found := strings.Cut(rest, "/")
	pages, mounted := a.mounted[login]
	if !below || !found || !mounted || wire.StrictPath("/"+path) != nil {
		a.notFound(w, r)
		return
	}
	if !own && a.redirectAlias(w, r, name) {
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

// redirectAlias sends a browser that came by another loopback name to the
// site's own, where its cookies are (ruling 17). Other requests stay.
func (a *API) redirectAlias(w http.ResponseWriter, r *http.Request, name string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	location := a.Site.URL("/" + name)
	if r.URL.RawQuery != "" {
		location += "?" + r.URL.RawQuery
	}
	redirect(w, http.StatusSeeOther, location)
	return true
}

// redirect sends the browser on. There is no body: a location may hold a token,
// which belongs in one place only (S20).
func redirect(w http.ResponseWriter, status int, location string) {
	h := w.Header()
	h.Set("Location", location)
	h.Set("Content-Length", "0")
	w.WriteHeader(status)
}

// ownHeaders are on every answer, whatever else it sets (S20, S34, S35).
func ownHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}
