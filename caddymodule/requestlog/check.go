package requestlog

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logFilters are the lines of `format filter` that keep secrets and addresses
// out of Caddy's own logs, by the field that each is for. The shipped
// configuration and the examples have them as the snippet (redacted).
var logFilters = map[string]string{
	"request>uri":                  "regexp `eyJ[\\w.-]+|((?:[?&]|%3F|%26)(?:jwt|code|state|error_description|dev_email)(?:=|%3D))[^&#]*` ${1}REDACTED",
	"request>headers>Auth-Token":   "delete",
	"request>headers>Auth_token":   "delete",
	"request>headers>Auth.token":   "delete",
	"request>headers>Referer":      "delete",
	"request>headers>X-Auth-Email": "delete",
	"resp_headers>Location":        "delete",
	"headers>Location":             "delete",
}

// asReceived are the fields of a request that Caddy has copied before it drops
// the names with "_" and "." among its headers, which no handler sees then.
var asReceived = []string{
	"request>uri", "request>headers>Auth-Token", "request>headers>Auth_token", "request>headers>Auth.token", "request>headers>Referer",
}

// use is one kind of line that Caddy writes: by which logger, at which level,
// and with which fields that need a filter.
type use struct {
	logger string // below "http"
	level  zapcore.Level
	fields []string
}

// Check warns of logs of Caddy's own that would show what no log may show
// (S41, ruling 32). Our own lines need no filter.
func (l *Logs) Check(log *zap.Logger) {
	forwarded := make([]string, 0, len(l.forwarded))
	for header := range l.forwarded {
		forwarded = append(forwarded, "request>headers>"+http.CanonicalHeaderKey(header))
	}
	uses := []use{
		{"log.error", zapcore.ErrorLevel, asReceived},
		// The proxy's logs have the request as it goes to the upstream.
		{"handlers.reverse_proxy", zapcore.WarnLevel, append(forwarded, "request>uri", "request>headers>Referer", "request>headers>X-Auth-Email")},
		{"handlers.reverse_proxy", zapcore.DebugLevel, []string{"headers>Location"}},
		// Rewrites come before gates.
		{"handlers.rewrite", zapcore.DebugLevel, []string{"request>uri", "request>headers>Auth-Token", "request>headers>Referer"}},
	}
	for server := range l.servers {
		for _, name := range accessLoggers(server) {
			uses = append(uses, use{
				strings.TrimSuffix("log.access."+name, "."), zapcore.ErrorLevel,
				append(slices.Clip(asReceived), "resp_headers>Location"),
			})
		}
		if server.Logs != nil && server.Logs.ShouldLogCredentials {
			log.Warn("log_credentials writes cookies and tokens into the access log; expected it to be left out", zap.String("server", server.Name()))
		}
	}
	missing := make(map[string][]string) // loggers by the line to add
	for _, u := range uses {
		logger := l.http.Named(u.logger)
		for _, field := range u.fields {
			if shows(logger, u.level, field) {
				line := field + " " + logFilter(field)
				if !slices.Contains(missing[line], logger.Name()) {
					missing[line] = append(missing[line], logger.Name())
				}
			}
		}
	}
	if len(missing) == 0 {
		return
	}
	loggers := make(map[string]bool)
	for _, names := range missing {
		for _, name := range names {
			loggers[name] = true
		}
	}
	log.Warn("Caddy's logs may show tokens and e-mail addresses: their format lacks filters",
		zap.Strings("loggers", slices.Sorted(maps.Keys(loggers))),
		zap.String("expected", "log { format filter { ... } } with these lines, in the global options and in each site with a log"),
		zap.Strings("add", slices.Sorted(maps.Keys(missing))))
}

func logFilter(field string) string {
	if filter, known := logFilters[field]; known {
		return filter
	}
	return "delete"
}

// accessLoggers are the names of a server's access logs, "" for the one without
// a name.
func accessLoggers(server *caddyhttp.Server) []string {
	if server.Logs == nil {
		return nil
	}
	names := map[string]bool{server.Logs.DefaultLoggerName: !server.Logs.SkipUnmappedHosts}
	for _, hosts := range server.Logs.LoggerNames {
		for _, name := range hosts {
			names[name] = true
		}
	}
	maps.DeleteFunc(names, func(_ string, used bool) bool { return !used })
	return slices.Sorted(maps.Keys(names))
}
