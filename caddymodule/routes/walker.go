package routes

import (
	"slices"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// walker follows the ways of requests through a server.
type walker struct {
	server   *caddyhttp.Server
	gateway  Gateway
	findings []Finding
	invoked  []string        // the named routes it is in
	foreign  map[string]bool // hosts that have been reported
}

// serverRoutes walks from each place where requests enter a server. Error
// routes run after whatever failed, before a gate or behind it.
func (w *walker) serverRoutes() {
	w.routes(w.server.Routes, nil, new(passed))
	if w.server.Errors != nil {
		w.routes(w.server.Errors.Routes, place{onErrors}, new(passed))
	}
}

// routes walks a list, of which each route hands what it lets through to the
// next one. Afterwards p is what the requests have passed that come out at the
// end.
func (w *walker) routes(list caddyhttp.RouteList, at place, p *passed) {
	for i := range list {
		w.route(&list[i], at, p)
	}
}

func (w *walker) route(r *caddyhttp.Route, at place, p *passed) {
	c := conditionOf(r)
	inner := *p
	inner.gate, inner.lock = p.gate.where(c), p.lock.where(c)
	w.handlers(r, append(slices.Clip(at), c), &inner)
	if r.Terminal {
		return // nothing comes out
	}
	changed := inner.changes > p.changes
	p.changes = inner.changes
	switch always := len(c) == 0 && r.Group == ""; {
	case always:
		*p = inner
		return
	case changed: // other requests may meet them now
		p.gate.some, p.lock.some = nil, nil
	case r.Group == "": // of a group, another route may run instead
		p.gate.add(inner.gate, c)
		p.lock.add(inner.lock, c)
	}
	p.rewritten = p.rewritten || inner.rewritten
}

// handlers walks one route's chain.
func (w *walker) handlers(r *caddyhttp.Route, at place, p *passed) {
	for _, s := range steps(r) {
		switch s.name {
		case w.gateway.Gate:
			p.gate.all, p.rewritten = true, false
			p.lock.all = p.lock.all || w.gateway.TurnsAway(s.options())
			w.gate(s, at)
		case w.gateway.API:
			w.api(at, p)
		case "authentication":
			p.lock.all = true
		case "metrics":
			w.metrics(at, p)
		case "reverse_proxy":
			w.proxy(s, at, p)
		case "rewrite":
			p.change()
			p.rewritten = p.rewritten || p.gate.all && rewriteOf(s).movesPath()
		case "headers", "vars", "map":
			if changesRequest(s) {
				p.change()
			}
		case "subroute":
			before := *p
			sub := subrouteOf(s)
			w.routes(sub.Routes, at, p)
			if sub.Errors != nil {
				w.routes(sub.Errors.Routes, append(slices.Clip(at), onErrors), &before)
			}
		case "invoke":
			w.invoke(s, at, p)
		case "intercept":
			w.responses(responsesOf(s), at, p)
		}
	}
}

// invoke walks a named route in the place of the handler that names it.
func (w *walker) invoke(s step, at place, p *passed) {
	name := invokedBy(s)
	named, known := w.server.NamedRoutes[name]
	if !known || slices.Contains(w.invoked, name) {
		return
	}
	w.invoked = append(w.invoked, name)
	w.route(named, at, p)
	w.invoked = w.invoked[:len(w.invoked)-1]
}

// responses walks the routes that a handler runs in place of an answer.
func (w *walker) responses(list []caddyhttp.ResponseHandler, at place, p *passed) {
	for _, response := range list {
		inner := *p
		w.routes(response.Routes, at, &inner)
	}
}

// api looks whether requests for the sign-in pages get through to them. A gate
// of any kind takes away the cookies that they need.
func (w *walker) api(at place, p *passed) {
	if !p.gate.all {
		return
	}
	w.findings = append(w.findings, Finding{
		Problem: "auth_api stands behind a gate, so that nobody can sign in",
		Advice:  "put auth_api before the gates, at the top of the site; inside a route or handle block, it comes after the gates outside of it",
		Server:  w.server.Name(), Route: at.String(),
	})
}
