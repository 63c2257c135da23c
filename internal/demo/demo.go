// Package demo is the service that `make run` puts behind the gateway: a plain
// net/http handler without any sign-in code of its own, which shows what
// reached it. It is also what a service can be modelled on that wants to verify
// the forwarded permission token.
package demo

import (
	"net/http"
	"strings"
)

// Config says how the demo describes itself. Its zero value works, without
// verification of tokens.
type Config struct {
	// PublicKeyURL is the absolute URL of the gateway's public key, such as
	// http://localhost:8080/auth/public-key. It is fetched when the first token
	// arrives, and then once a minute at most. "" means that no token can be
	// verified.
	PublicKeyURL string
	// Issuer is what the "iss" of a forwarded token must be; "" means any.
	Issuer string
	// Gateway is where browsers reach the gateway, such as http://localhost:8080
	// (a trailing slash is dropped). All links lead there; "" makes them
	// relative.
	Gateway string
	// Users are the sample users, each a name or "name: what they may do".
	Users []string
	// Title is the name of the service on its pages; "Demo service" by default.
	Title string
}

type server struct {
	config Config
	keys   *keySource
}

// New returns the demo. It answers every path: "/demo.css" with its style
// sheet, GET "/events" with an event stream, and any other path with what
// reached it, as HTML where Accept names text/html and else as JSON of this
// shape:
//
//	{
//	  "method": "GET", "path": "/storage/a%20b", "query": "x=1", "host": "localhost:8080",
//	  "identity": {"anonymous": false, "user_id": "…", "username": "ada", "email": "…",
//	               "name": "Ada Lovelace", "service": "storage", "permissions": {"read": true}},
//	  "token": {"verified": true, "error": "", "header": {…}, "claims": {…}},
//	  "headers": {"Accept": ["*/*"], …}
//	}
//
// Path and query are as they came. Of the identity, what did not come is left
// out; "permissions" is a string if it is not JSON. "token" is null if none
// came; "header" and "claims" are null if they are not JSON objects, and
// nothing in them is true unless "verified" is. "headers" are all others, with
// credentials cut out.
func New(config Config) http.Handler {
	config.Gateway = strings.TrimRight(config.Gateway, "/")
	if config.Title == "" {
		config.Title = "Demo service"
	}
	return &server{config: config, keys: newKeySource(config.PublicKeyURL, config.Issuer)}
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	reading := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case reading && r.URL.Path == stylePath:
		serveStyle(w, r)
	case reading && r.URL.Path == eventsPath:
		serveEvents(w, r)
	default:
		h.Set("Vary", "Accept")
		seen := s.look(r)
		if wantsHTML(r) {
			s.writePage(w, seen)
		} else {
			seen.writeJSON(w)
		}
	}
}

// wantsHTML reports whether HTML is asked for by name: "*/*" is what programs
// send.
func wantsHTML(r *http.Request) bool {
	return strings.Contains(strings.ToLower(strings.Join(r.Header["Accept"], ",")), "text/html")
}
