package requestlog

import (
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// line is what is known of one request that we log.
type line struct {
	http     *zap.Logger
	server   *caddyhttp.Server
	request  *http.Request // for the log alone
	began    time.Time
	recorder caddyhttp.ResponseRecorder // nil: not in the access log
}

// begin copies a request, without what no log may show, before any handler of
// ours changes it.
func (l *Logs) begin(r *http.Request, server *caddyhttp.Server, uri string) *line {
	began, ok := caddyhttp.GetVar(r.Context(), "start_time").(time.Time)
	if !ok {
		began = time.Now()
	}
	shown := &http.Request{
		Method: r.Method, Proto: r.Proto, Host: r.Host, RemoteAddr: r.RemoteAddr, TransferEncoding: r.TransferEncoding, TLS: r.TLS,
		RequestURI: redactURI(uri), Header: redactHeader(r.Header),
	}
	return &line{http: l.http, server: server, request: shown.WithContext(r.Context()), began: began}
}

// end writes the line of the access log, also when a handler has panicked.
func (l *line) end() {
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
				zap.String("request_id", RequestID(l.request)),
				zap.String("user_id", userID),
				zap.Duration("duration", time.Since(l.began)),
				zap.Int("size", l.recorder.Size()),
				zap.Int("status", status),
				zap.Object("resp_headers", caddyhttp.LoggableHTTPHeader{Header: redactHeader(l.recorder.Header())}),
			)
		}
	}
}
