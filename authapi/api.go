package authapi

import (
	"html/template"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/datahq/auth-gateway/internal/wire"
)

const (
	// maxBody is how long a request's body may be, in bytes (S38).
	maxBody = 64 << 10
	// bodyTimeout is how long a body may take.
	bodyTimeout = 10 * time.Second
	// maxParameters is how many query parameters a request may have (S38).
	maxParameters = 100
)

// API serves the auth endpoints. It is called for every request whose path is
// Site.Path() or below; Conductor is for os-conductor's paths.
type API struct {
	Config
	defaultNext string // absolute
	datahq      base
	conductor   base
	conductorJS []byte
	logins      map[string]Login
	templates   map[string]*template.Template
	// outages writes each message once a minute.
	outages *zap.Logger
}

// New makes an API.
func New(c Config) (*API, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	a := &API{Config: c, logins: make(map[string]Login)}
	var err error
	if a.templates, err = parseTemplates(); err != nil {
		return nil, err
	}
	a.outages = a.Logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Minute, 1, 0)
	}))
	a.defaultNext = c.Site.URL("/account")
	if c.DefaultNext != "" {
		a.defaultNext, _ = c.Next.Check(c.DefaultNext)
	}
	for _, login := range c.Logins {
		a.logins[login.Name] = login
	}
	a.datahq = a.routeDataHQ()
	if c.Conductor {
		a.conductor, a.conductorJS = a.routeConductor(), conductorScript(c.Site.Origin())
	}
	return a, nil
}

// routeDataHQ says what is served below Site.Path().
func (a *API) routeDataHQ() base {
	d := dialect{profile: datahqProfile}
	b := base{prefix: a.Site.Path() + "/", endpoints: map[string]endpoint{
		"check":          {get: a.check(d), open: true},
		"authorize":      {get: a.authorize(d), open: true},
		"public-key":     {get: a.publicKey, open: true, anyHost: true},
		"jwks.json":      {get: a.jwks, open: true, anyHost: true},
		"health/live":    {get: a.live, anyHost: true},
		"health/ready":   {get: a.ready, anyHost: true},
		"login":          {get: a.login, page: true},
		"oauth_callback": {get: a.callback(""), page: true},
		"logout":         {get: a.confirmLogout, post: a.logout, open: true, page: true},
		"signed-out":     {get: a.signedOut, page: true},
		"account":        {get: a.account, page: true},
		"style.css":      {get: a.styleSheet},
	}, pages: make(map[string]http.Handler)}
	if a.Users != nil {
		b.endpoints["update"] = endpoint{post: a.update(d), open: true}
		b.endpoints["resolve"] = endpoint{get: a.resolve, open: true}
		b.endpoints["get_profile"] = endpoint{get: a.getProfile, open: true}
	}
	for _, login := range a.Config.Logins {
		b.endpoints["login/"+login.Name] = endpoint{get: a.startLogin(login), page: true}
		b.endpoints["oauth_callback/"+login.Name] = endpoint{get: a.callback(login.Name), page: true}
		if login.Pages != nil {
			b.pages[login.Name] = login.Pages
		}
	}
	return b
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.answer(w, r, a.datahq) }

// answer answers a request to one of the endpoints of a base, or refuses it.
func (a *API) answer(writer http.ResponseWriter, r *http.Request, b base) {
	w := &watched{ResponseWriter: writer}
	defer a.recovered(w, r)
	ownHeaders(w.Header())
	own := a.Site.IsOwnHost(r.Host)
	name := b.name(r.URL)
	e, found := b.endpoints[name]
	if !own && !a.Site.IsAlias(r.Host) && !e.anyHost {
		a.refuse(w, r, wire.Problem{
			Status: http.StatusMisdirectedRequest, Code: wire.CodeWrongHost,
			Detail: "This gateway does not answer under the host name of the request.",
		})
		return
	}
	if e.open {
		if wire.IsPreflight(r) {
			a.Next.AnswerPreflight(w, r)
			return
		}
		a.Next.AllowOrigin(w.Header(), r) // a refusal is for the page's script as well
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
	if r.Body != nil && r.ContentLength != 0 {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		// Whoever sends slowly holds a connection, and no longer than this.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
	}
	switch {
	case !found:
		a.serveMounted(w, r, b, name, own)
	case e.page && !own && a.redirectAlias(w, r, b, name):
	default:
		a.serve(w, r, e)
	}
}

// redirectAlias sends a browser that came by another loopback name to the
// site's own, where its cookies are (ruling 17). Other requests stay.
func (a *API) redirectAlias(w http.ResponseWriter, r *http.Request, b base, name string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	location := a.Site.Origin() + b.prefix + name
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
	h.Set("Content-Security-Policy", wire.BarePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}
