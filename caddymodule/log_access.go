package caddymodule

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logKey marks a request that is logged by one of our handlers further out.
const logKey = "auth_log"

// requestLogs writes, in place of Caddy, the lines of the access log and of the
// error log about requests that carry a secret (S41, ruling 32): Caddy copies a
// request for its logs before any handler can clean it. The lines go where
// Caddy's would go, and look like them.
type requestLogs struct {
	// http is the logger of Caddy's HTTP app, "http".
	http *zap.Logger
	// servers are those with a handler of ours.
	servers map[*caddyhttp.Server]bool
	// forwarded are the headers in which gates forward a token.
	forwarded map[string]bool
}

func newRequestLogs(ctx caddy.Context) *requestLogs {
	return &requestLogs{
		http:    ctx.Logger(new(caddyhttp.App)),
		servers: make(map[*caddyhttp.Server]bool), forwarded: make(map[string]bool),
	}
}

// watch notes where a handler of ours is provisioned, for the check at start.
func (l *requestLogs) watch(ctx caddy.Context) {
	if server := serverOf(ctx); server != nil {
		l.servers[server] = true
	}
}

// served is one of our handlers.
type served interface {
	serve(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error
}

// serve lets a handler of ours serve a request, and logs it if Caddy must not:
// always, or if it carries a secret.
func (l *requestLogs) serve(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler, h served, always bool) error {
	uri := originalRequestURI(r)
	if !always && !carriesSecret(r, uri) {
		return h.serve(w, r, next)
	}
	ctx := r.Context()
	server, _ := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if server == nil || caddyhttp.GetVar(ctx, logKey) != nil {
		return h.serve(w, r, next)
	}
	caddyhttp.SetVar(ctx, logKey, true)
	line := l.begin(r, server, uri)
	if skip, _ := caddyhttp.GetVar(ctx, caddyhttp.LogSkipVar).(bool); !skip && logsAccess(server, r) {
		caddyhttp.SetVar(ctx, caddyhttp.LogSkipVar, true)
		line.recorder = caddyhttp.NewResponseRecorder(w, nil, nil)
		w = line.recorder
		defer line.end()
	}
	if err := h.serve(w, r, next); err != nil {
		line.answer(w, r, err)
	}
	return nil
}

// logLine is what is known of one request that we log.
type logLine struct {
	http     *zap.Logger
	server   *caddyhttp.Server
	request  *http.Request // for the log alone
	began    time.Time
	recorder caddyhttp.ResponseRecorder // nil: not in the access log
}

// begin copies a request, without what no log may show, before any handler of
// ours changes it.
func (l *requestLogs) begin(r *http.Request, server *caddyhttp.Server, uri string) *logLine {
	began, ok := caddyhttp.GetVar(r.Context(), "start_time").(time.Time)
	if !ok {
		began = time.Now()
	}
	shown := &http.Request{
		Method: r.Method, Proto: r.Proto, Host: r.Host, RemoteAddr: r.RemoteAddr, TransferEncoding: r.TransferEncoding, TLS: r.TLS,
		RequestURI: redactURI(uri), Header: redactHeader(r.Header),
	}
	return &logLine{http: l.http, server: server, request: shown.WithContext(r.Context()), began: began}
}

// end writes the line of the access log, also when a handler has panicked.
func (l *logLine) end() {
	status := l.recorder.Status()
	level := zapcore.InfoLevel
	if status >= http.StatusInternalServerError {
		level = zapcore.ErrorLevel
	}
	ctx := l.request.Context()
	if name, ok := caddyhttp.GetVar(ctx, caddyhttp.LogLevelVar).(string); ok {
		if wanted, err := zapcore.ParseLevel(name); err == nil && wanted >= zapcore.DebugLevel && wanted <= zapcore.ErrorLevel {
			level = wanted
		}
	}
	userID := ""
	if repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		userID, _ = repl.GetString("http.auth.user.id")
	}
	for _, logger := range l.loggers("log.access") {
		if c := logger.Check(level, "handled request"); c != nil {
			c.Write(
				zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: l.request}),
				zap.String("request_id", requestID(l.request)),
				zap.String("user_id", userID),
				zap.Duration("duration", time.Since(l.began)),
				zap.Int("size", l.recorder.Size()),
				zap.Int("status", status),
				zap.Object("resp_headers", caddyhttp.LoggableHTTPHeader{Header: redactHeader(l.recorder.Header())}),
			)
		}
	}
}

// loggers are those that the server's configuration names for a request.
func (l *logLine) loggers(kind string) []*zap.Logger {
	names := []string{""}
	if l.server.Logs != nil {
		names = loggerNames(l.server.Logs, l.request)
	}
	loggers := make([]*zap.Logger, 0, len(names))
	for _, name := range names {
		logger := l.http.Named(kind)
		if name != "" {
			logger = logger.Named(name)
		}
		loggers = append(loggers, logger)
	}
	return loggers
}

// logsAccess reports whether a server has an access log for a request.
func logsAccess(server *caddyhttp.Server, r *http.Request) bool {
	logs := server.Logs
	if logs == nil {
		return false
	}
	host := hostOnly(r.Host)
	for name := range logs.LoggerNames {
		if certmagic.MatchWildcard(host, name) {
			return true
		}
	}
	for _, skipped := range logs.SkipHosts {
		if certmagic.MatchWildcard(host, skipped) {
			return false
		}
	}
	return !logs.SkipUnmappedHosts
}

// loggerNames are the access loggers of a request: what "log_name" has chosen,
// else those of its host, else the server's.
func loggerNames(logs *caddyhttp.ServerLogConfig, r *http.Request) []string {
	if chosen, ok := caddyhttp.GetVar(r.Context(), caddyhttp.AccessLoggerNameVarKey).([]any); ok {
		names := make([]string, 0, len(chosen))
		for _, name := range chosen {
			text, _ := name.(string)
			names = append(names, text)
		}
		return names
	}
	host := strings.ToLower(hostOnly(r.Host))
	if names, ok := logs.LoggerNames[host]; ok {
		return names
	}
	labels := strings.Split(host, ".")
	for i, label := range labels {
		if label == "" {
			continue
		}
		labels[i] = "*"
		if names, ok := logs.LoggerNames[strings.Join(labels, ".")]; ok {
			return names
		}
	}
	return []string{logs.DefaultLoggerName}
}

func hostOnly(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	return host
}

// originalRequestURI is the request line's, before any rewrite.
func originalRequestURI(r *http.Request) string {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		return original.RequestURI
	}
	return r.RequestURI
}
