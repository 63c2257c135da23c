package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/caddymodule/requestlog"
	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/gate"
	"github.com/datahq/auth-gateway/internal/wire"
)

func init() {
	caddy.RegisterModule(new(AuthGate))
}

// AuthGate stands before an upstream. It lets a request through, with the
// identity headers `X-Auth-User-Id`, `X-Auth-Username`, `X-Auth-Email`,
// `X-Auth-Name` and, for a permission gate, `X-Auth-Service` and
// `X-Auth-Permissions`, or refuses it: a browser is sent to sign in, everything
// else gets an `application/problem+json`. Whatever a client sends under these
// names is removed.
//
// It sets the placeholders `{http.auth.user.id}`, `.username`, `.email`,
// `.name`, `.session` and `.service`; the access log carries the user's ID.
type AuthGate struct {
	// Require is what is demanded: `identity` (nothing: nobody is turned away),
	// `login` or `permission`.
	Require string `json:"require,omitempty"`

	// Service is the service of a permission gate; it must be configured in the
	// auth app.
	Service string `json:"service,omitempty"`

	// All are the permissions of which every one is needed. Placeholders are
	// replaced per request.
	All []string `json:"all,omitempty"`

	// Any are the permissions of which one is needed. Placeholders are replaced
	// per request.
	Any []string `json:"any,omitempty"`

	// QueryToken lets `?jwt=` count as a credential. The parameter is removed
	// before the request goes on. Default: false.
	QueryToken bool `json:"query_token,omitempty"`

	// ForwardToken is the header in which a signed permission token goes along to
	// the upstream. Permission gates only. Default: none.
	ForwardToken string `json:"forward_token,omitempty"`

	// Paths is `lenient` for upstreams that need paths with `%2F`, `//` and the
	// like, which are refused otherwise.
	Paths string `json:"paths,omitempty"`

	// Preflight is `pass` to hand CORS preflights to the upstream. Default: the
	// gate answers them.
	Preflight string `json:"preflight,omitempty"`

	app  *App
	gate *gate.Gate
}

// kinds are the values of Require.
var kinds = map[string]gate.Kind{"identity": gate.Identify, "login": gate.Login, "permission": gate.Permission}

// CaddyModule returns the Caddy module information.
func (*AuthGate) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.auth_gate", New: func() caddy.Module { return new(AuthGate) }}
}

// Provision finds the auth app and prepares the gate.
func (h *AuthGate) Provision(ctx caddy.Context) error {
	app, err := authApp(ctx)
	if err != nil {
		return err
	}
	h.app = app
	if h.ForwardToken != "" {
		app.logs.Forwards(h.ForwardToken)
	}
	kind, known := kinds[h.Require]
	switch {
	case !known:
		return fmt.Errorf("require is %q; expected identity, login or permission", h.Require)
	case kind == gate.Permission && !app.hasService(h.Service):
		return unknownService(h.Service, app.serviceNames())
	case kind != gate.Permission && (h.Service != "" || len(h.All)+len(h.Any) > 0 || h.ForwardToken != ""):
		return fmt.Errorf("a gate that requires %s speaks of no service; expected neither service, permissions nor forward_token", h.Require)
	case h.Paths != "" && h.Paths != "lenient":
		return fmt.Errorf("paths is %q; expected lenient, or nothing", h.Paths)
	case h.Preflight != "" && h.Preflight != "pass":
		return fmt.Errorf("preflight is %q; expected pass, or nothing", h.Preflight)
	}
	h.gate, err = gate.New(app.gateConfig(), gate.Rule{
		Kind: kind, Service: h.Service, All: h.All, Any: h.Any, QueryToken: h.QueryToken, ForwardToken: h.ForwardToken,
		LenientPaths: h.Paths == "lenient", PassPreflight: h.Preflight == "pass",
	})
	if err != nil {
		return err
	}
	return app.walk(ctx)
}

// stateKey is where the gates of one request share their state.
const stateKey = "auth_gate"

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (h *AuthGate) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return h.app.logs.Serve(w, r, next, h.serve, false)
}

func (h *AuthGate) serve(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	ctx := r.Context()
	st, seen := caddyhttp.GetVar(ctx, stateKey).(*requestState)
	if !seen {
		st = newState(r)
	}
	if !st.guarded { // also in an error route: it answers in place of what the first gate stood before
		st.answer = cookieGuard{ResponseWriterWrapper: caddyhttp.ResponseWriterWrapper{ResponseWriter: w}, site: h.app.site}
		w = &st.answer
		st.guarded = true
		defer func() { st.guarded = false }()
	}
	p := h.admit(w, r, st)
	metrics.decided(p, &st.State)
	if p == nil {
		err := next.ServeHTTP(w, r)
		st.answer.clean() // what an error page or a trailer would bring
		return err
	}
	if r.ProtoMajor == 1 && r.Header.Get("Expect") != "" {
		// Whoever asks before he uploads is answered before he does. Caddy wraps the
		// body, so net/http would wait for it in order to keep the connection.
		w.Header().Set("Connection", "close")
	}
	if !gate.IsRefusal(p) {
		h.gate.Refuse(w, r, p, *p)
		return nil
	}
	p = limitBadToken(r, p)
	st.problem = h.gate.Complete(p, r, &st.State, originalURL(r).RequestURI(), requestlog.RequestID(r))
	if h.app.Errors == "handle" && !inErrorRoute(r) { // of which there is only one
		h.gate.Headers(w.Header(), r, &st.problem)
		return caddyhttp.Error(p.Status, errors.New(p.Code))
	}
	h.gate.Refuse(w, r, p, st.problem)
	return nil
}

// admit judges a request. A panic on the way, in a placeholder of somebody
// else's for example, turns it away (S39).
func (h *AuthGate) admit(w http.ResponseWriter, r *http.Request, st *requestState) (p *wire.Problem) {
	defer func() {
		if value := recover(); value != nil {
			h.app.logger.Error("panic at a gate", zap.String("request_id", requestlog.RequestID(r)),
				zap.String("cause", fmt.Sprint(value)), zap.String("stack", string(debug.Stack())))
			st.Decision = nil
			p = &wire.Problem{Status: http.StatusInternalServerError, Code: wire.CodeInternal, Detail: "The request could not be judged."}
		}
	}()
	if p := oversize(r); p != nil {
		_ = h.gate.Strip(r, &st.State) // whatever it is: refused
		return p
	}
	return h.gate.Admit(w, r, &st.State)
}

// requestState is the gates' state with its placeholders.
type requestState struct {
	gate.State
	answer  cookieGuard
	guarded bool // the answer goes through it
	problem wire.Problem
}

func newState(r *http.Request) *requestState {
	ctx, st := r.Context(), new(requestState)
	// An error route answers for addresses that nobody could judge.
	if original := originalURL(r); !sameTarget(original, r.URL) && !inErrorRoute(r) {
		st.Original = original
	}
	st.TrustedPeer, _ = caddyhttp.GetVar(ctx, caddyhttp.TrustedProxyVarKey).(bool)
	if repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Map(st.placeholder)
		st.Expand = func(text string) string { return repl.ReplaceAll(text, "") }
	}
	caddyhttp.SetVar(ctx, stateKey, st)
	return st
}

// originalURL is the address as the client sent it, before rewrites.
func originalURL(r *http.Request) *url.URL {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && original.URL != nil {
		return original.URL
	}
	return r.URL
}

// sameTarget reports whether two addresses are the same, but for their queries.
func sameTarget(a, b *url.URL) bool {
	return a.Path == b.Path && a.RawPath == b.RawPath && a.Opaque == b.Opaque
}

// inErrorRoute reports whether a request has failed, and handle_errors answers.
func inErrorRoute(r *http.Request) bool {
	failed, _ := r.Context().Value(caddyhttp.ErrorCtxKey).(error)
	return failed != nil
}

// placeholder answers for {http.auth.user.*}, {http.auth.candidate.*} (whom a
// gate refused) and {http.auth.error.*}.
func (st *requestState) placeholder(key string) (any, bool) {
	const prefix = "http.auth."
	if len(key) <= len(prefix) || key[:len(prefix)] != prefix {
		return nil, false
	}
	group, name, _ := strings.Cut(key[len(prefix):], ".")
	switch group {
	case "user":
		return userValue(st.Decision, name)
	case "candidate":
		return userValue(st.Candidate, name)
	case "error":
		return errorValue(&st.problem, name)
	}
	return nil, false
}

// userValue is empty for nobody: Caddy leaves the text of a placeholder that it
// does not know as it is, and "header_up X-User {http.auth.user.id}" would make
// of nobody a user of that name.
func userValue(d *authz.Decision, name string) (any, bool) {
	if d == nil {
		d = new(authz.Decision)
	}
	switch name {
	case "id":
		return d.User.ID, true
	case "username":
		return d.User.Username, true
	case "email":
		return d.User.Email, true
	case "name":
		return d.User.Name, true
	case "session":
		return d.Session.ID, true
	case "service":
		return d.Service, true
	}
	return nil, false
}

func errorValue(p *wire.Problem, name string) (any, bool) {
	switch name {
	case "code":
		return p.Code, true
	case "detail":
		return p.Detail, true
	case "login_url":
		return p.LoginURL, true
	}
	return nil, false
}

// Interface guards
var (
	_ caddy.Provisioner           = (*AuthGate)(nil)
	_ caddyhttp.MiddlewareHandler = (*AuthGate)(nil)
)
