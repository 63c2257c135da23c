package requestlog

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logged is a logger as that of Caddy's HTTP app, and what it has written.
func logged() (*zap.Logger, *strings.Builder) {
	var text strings.Builder
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.AddSync(&text), zapcore.DebugLevel)).Named("http"), &text
}

// asked is a request as Caddy's server hands it to handlers, with an access log
// or without.
func asked(target string, accessLog bool) *http.Request {
	server := new(caddyhttp.Server)
	if accessLog {
		server.Logs = new(caddyhttp.ServerLogConfig)
	}
	r := httptest.NewRequest(http.MethodGet, target, nil)
	ctx := context.WithValue(r.Context(), caddyhttp.ServerCtxKey, server)
	ctx = context.WithValue(ctx, caddyhttp.VarsCtxKey, make(map[string]any))
	return r.WithContext(context.WithValue(ctx, caddy.ReplacerCtxKey, caddy.NewReplacer()))
}

// S41: a request with a secret is logged here, redacted and once, and Caddy is
// told not to; any other is Caddy's.
func TestServe(t *testing.T) {
	failure := errors.New("upstream is down")
	for name, test := range map[string]struct {
		target            string
		accessLog, always bool
		err               error
		lines             []string // what each line has
		status            int
	}{
		"nothing secret":        {"/x?a=1", true, false, nil, nil, 204},
		"nothing secret, fails": {"/x?a=1", true, false, failure, nil, 0}, // the error goes on
		"endpoint of ours":      {"/x?a=1", true, true, nil, []string{`"http.log.access","msg":"handled request"`}, 204},
		"secret":                {"/x?jwt=abc&a=1", true, false, nil, []string{`"uri":"/x?jwt=REDACTED&a=1"`}, 204},
		"secret, no access log": {"/x?jwt=abc", false, false, nil, nil, 204},
		"secret, fails": {"/x?jwt=abc", true, false, failure, []string{
			`"http.log.error","msg":"handling the request failed"`, `"status":500`,
		}, 500},
		"secret, fails as it says": {"/x?jwt=abc", false, false, caddyhttp.Error(502, failure), []string{`"error":"upstream is down","status":502`}, 502},
	} {
		t.Run(name, func(t *testing.T) {
			logger, text := logged()
			logs := New(logger)
			r, answer := asked(test.target, test.accessLog), httptest.NewRecorder()
			inner := func(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
				if test.err == nil {
					w.WriteHeader(http.StatusNoContent)
				}
				return test.err
			}
			outer := func(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
				err := logs.Serve(w, r, next, inner, test.always) // a second gate on the way
				if !errors.Is(err, test.err) {
					t.Errorf("the outer handler is told %v", err)
				}
				return err
			}
			err := logs.Serve(answer, r, nil, outer, test.always)
			if goesOn := test.status == 0; goesOn != errors.Is(err, failure) || !goesOn && (err != nil || answer.Code != test.status) {
				t.Errorf("%d, %v", answer.Code, err)
			}
			if strings.Count(text.String(), "\n") != len(test.lines) || strings.Contains(text.String(), "abc") {
				t.Errorf("the log has\n%s", text)
			}
			for _, want := range test.lines {
				if !strings.Contains(text.String(), want) {
					t.Errorf("no line has %s:\n%s", want, text)
				}
			}
			written := strings.Contains(text.String(), "http.log.access")
			if skipped := caddyhttp.GetVar(r.Context(), caddyhttp.LogSkipVar) == true; skipped != written {
				t.Errorf("Caddy's line is left out: %t; ours is there: %t", skipped, written)
			}
		})
	}
}

// S39: a handler that panics is in the access log too, and the panic goes on.
func TestServePanic(t *testing.T) {
	logger, text := logged()
	defer func() {
		if recover() == nil || !strings.Contains(text.String(), `"uri":"/x?jwt=REDACTED"`) {
			t.Errorf("the log has\n%s", text)
		}
	}()
	_ = New(logger).Serve(httptest.NewRecorder(), asked("/x?jwt=abc", true), nil, func(http.ResponseWriter, *http.Request, caddyhttp.Handler) error {
		panic("broken")
	}, false)
}

// The warning names the lines to add, for what the gateway has and does.
func TestCheck(t *testing.T) {
	logger, text := logged()
	logs := New(logger)
	logs.Watch(&caddyhttp.Server{Logs: &caddyhttp.ServerLogConfig{ShouldLogCredentials: true, DefaultLoggerName: "site"}})
	logs.Forwards("x-own-token")
	logs.Check(logger)
	for _, want := range []string{`"http.log.access.site"`, `"request>headers>X-Own-Token delete"`, `"request>headers>Auth-Token delete"`, "log_credentials writes cookies"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("nothing is said of %s:\n%s", want, text)
		}
	}
	text.Reset()
	silent := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zapcore.FatalLevel)
	New(zap.New(silent)).Check(logger)
	if text.Len() > 0 {
		t.Errorf("logs that write nothing are said to write secrets:\n%s", text)
	}
}
