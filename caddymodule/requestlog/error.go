package requestlog

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// answer ends a request that failed behind a handler of ours, as Caddy's server
// does with an error that reaches it: by the server's error routes, or by the
// bare status. The error stays here, because Caddy logs it with the request as
// it came (S41).
func (l *line) answer(w http.ResponseWriter, r *http.Request, err error) {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && original.URL != nil {
		r.Method, r.RemoteAddr, r.RequestURI = original.Method, original.RemoteAddr, original.RequestURI
		*r.URL = *original.URL
	}
	status := http.StatusInternalServerError
	known, isKnown := errors.AsType[caddyhttp.HandlerError](err)
	if isKnown && known.StatusCode != 0 {
		status = known.StatusCode
	}
	level := zapcore.DebugLevel
	if errs := l.server.Errors; errs != nil && len(errs.Routes) > 0 {
		routed := errs.WithError(r, err)
		if failed := errs.Routes.Compile(statusOnly(status)).ServeHTTP(w, routed); failed != nil {
			l.log(zapcore.ErrorLevel, "error handling handler error", 0, failed)
			w.WriteHeader(status)
		}
	} else {
		if status >= http.StatusInternalServerError {
			level = zapcore.ErrorLevel
		}
		w.WriteHeader(status)
	}
	if isKnown && known.Err != nil {
		err = known.Err
	}
	l.log(level, "handling the request failed", status, err)
}

// statusOnly answers where no error route does.
func statusOnly(status int) caddyhttp.Handler {
	return caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(status)
		return nil
	})
}

// log writes a line of the error log; status 0 leaves that out.
func (l *line) log(level zapcore.Level, message string, status int, err error) {
	for _, logger := range l.loggers("log.error") {
		c := logger.Check(level, message)
		if c == nil {
			continue
		}
		fields := []zap.Field{
			zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: l.request}),
			zap.String("request_id", RequestID(l.request)),
			zap.Duration("duration", time.Since(l.began)),
			zap.Error(err),
		}
		if status != 0 {
			fields = append(fields, zap.Int("status", status))
		}
		c.Write(fields...)
	}
}
