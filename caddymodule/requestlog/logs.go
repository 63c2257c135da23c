// Package requestlog keeps what no log may show out of the logs about requests
// (S41, ruling 32). It writes the lines about requests that carry a secret
// itself, redacted, in place of Caddy, and warns of a configuration of logs that
// would show one in what Caddy still writes.
package requestlog

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// logKey marks a request that is logged by one of our handlers further out.
const logKey = "auth_log"

// Logs writes, in place of Caddy, the lines of the access log and of the error
// log about requests that carry a secret (S41, ruling 32): Caddy copies a request
// for its logs before any handler can clean it. The lines go where Caddy's would
// go, and look like them.
//
// Watch, Forwards and Check are for the time before it serves, one after the
// other; Serve is for many requests at once.
type Logs struct {
	// http is the logger of Caddy's HTTP app, "http".
	http *zap.Logger
	// servers are those with a handler of ours.
	servers map[*caddyhttp.Server]bool
	// forwarded are the headers in which gates forward a token.
	forwarded map[string]bool
}

// New makes the request logs of one configuration. http is the logger of Caddy's
// HTTP app, "http".
func New(http *zap.Logger) *Logs {
	return &Logs{http: http, servers: make(map[*caddyhttp.Server]bool), forwarded: make(map[string]bool)}
}

// Watch notes a server that has a handler of ours, for Check.
func (l *Logs) Watch(server *caddyhttp.Server) { l.servers[server] = true }

// Forwards notes a header in which a gate forwards a token, for Check.
func (l *Logs) Forwards(header string) { l.forwarded[header] = true }

// Handler is one of our handlers, as caddyhttp.MiddlewareHandler has it.
type Handler func(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error

// Serve lets a handler of ours serve a request, and logs it if Caddy must not:
// always, or if it carries a secret. Then its error ends here, by the server's
// error routes or the bare status, and the result is nil.
func (l *Logs) Serve(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler, h Handler, always bool) error {
	uri := originalRequestURI(r)
	if !always && !carriesSecret(r, uri) {
		return h(w, r, next)
	}
	ctx := r.Context()
	server, _ := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if server == nil || caddyhttp.GetVar(ctx, logKey) != nil {
		return h(w, r, next)
	}
	caddyhttp.SetVar(ctx, logKey, true)
	entry := l.begin(r, server, uri)
	if skip, _ := caddyhttp.GetVar(ctx, caddyhttp.LogSkipVar).(bool); !skip && logsAccess(server, r) {
		caddyhttp.SetVar(ctx, caddyhttp.LogSkipVar, true)
		entry.recorder = caddyhttp.NewResponseRecorder(w, nil, nil)
		w = entry.recorder
		defer entry.end()
	}
	if err := h(w, r, next); err != nil {
		entry.answer(w, r, err)
	}
	return nil
}
