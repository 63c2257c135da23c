package caddymodule

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logFilters are the lines of `format filter` that keep secrets and addresses
// out of Caddy's own logs, by the field that each is for. The shipped
// configuration and the examples have them as the snippet (redacted).
var logFilters = map[string]string{
	"request>uri":                  "regexp `eyJ[\\w.-]+|((?:[?&]|%3F|%26)(?:jwt|code|state|error_description|dev_email)(?:=|%3D))[^&#]*` ${1}REDACTED",
	"request>headers>Auth-Token":   "delete",
	"request>headers>Referer":      "delete",
	"request>headers>X-Auth-Email": "delete",
	"resp_headers>Location":        "delete",
	"headers>Location":             "delete",
}

// canaries are what a filter must not let through: a token, and a code or state.
var canaries = [...]string{"eyJjYW5hcnkiOjF9", "canary-for-logs"}

// logUse is one kind of line that Caddy writes: by which logger, at which level,
// and with which fields that need a filter.
type logUse struct {
	logger string // below "http"
	level  zapcore.Level
	fields []string
}

// check warns of logs of Caddy's own that would show what no log may show
// (S41, ruling 32). Our own lines need no filter.
func (l *requestLogs) check(log *zap.Logger) {
	forwarded := make([]string, 0, len(l.forwarded))
	for header := range l.forwarded {
		forwarded = append(forwarded, "request>headers>"+http.CanonicalHeaderKey(header))
	}
	uses := []logUse{
		{"log.error", zapcore.ErrorLevel, []string{"request>uri", "request>headers>Auth-Token", "request>headers>Referer"}},
		// The proxy's logs have the request as it goes to the upstream.
		{"handlers.reverse_proxy", zapcore.WarnLevel, append(forwarded, "request>uri", "request>headers>Referer", "request>headers>X-Auth-Email")},
		{"handlers.reverse_proxy", zapcore.DebugLevel, []string{"headers>Location"}},
		// Rewrites come before gates.
		{"handlers.rewrite", zapcore.DebugLevel, []string{"request>uri", "request>headers>Auth-Token", "request>headers>Referer"}},
	}
	for server := range l.servers {
		for _, name := range accessLoggers(server) {
			uses = append(uses, logUse{
				strings.TrimSuffix("log.access."+name, "."), zapcore.ErrorLevel,
				[]string{"request>uri", "request>headers>Auth-Token", "request>headers>Referer", "resp_headers>Location"},
			})
		}
		if server.Logs != nil && server.Logs.ShouldLogCredentials {
			log.Warn("log_credentials writes cookies and tokens into the access log; expected it to be left out", zap.String("server", server.Name()))
		}
	}
	missing := make(map[string][]string) // loggers by the line to add
	for _, use := range uses {
		logger := l.http.Named(use.logger)
		for _, field := range use.fields {
			if shows(logger, use.level, field) {
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
		zap.Strings("loggers", sortedKeys(loggers)),
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
	return sortedKeys(names)
}

// shows reports whether some log that takes the entries of a logger writes a
// field unfiltered. Nothing is written to find out.
func shows(logger *zap.Logger, level zapcore.Level, field string) bool {
	for _, core := range coresOf(logger.Core()) {
		if core.Check(zapcore.Entry{LoggerName: logger.Name(), Level: level}, nil) == nil {
			continue
		}
		top, rest, _ := strings.Cut(field, ">")
		p := &logProbe{path: top + ">", rest: rest}
		core.With([]zap.Field{zap.Object(top, p)})
		if p.shown {
			return true
		}
	}
	return false
}

// coresOf takes zap's tee apart, which is a slice of an unexported type.
func coresOf(core zapcore.Core) []zapcore.Core {
	v := reflect.ValueOf(core)
	if v.Kind() != reflect.Slice {
		return []zapcore.Core{core}
	}
	cores := make([]zapcore.Core, 0, v.Len())
	for i := range v.Len() {
		if each, ok := v.Index(i).Interface().(zapcore.Core); ok {
			cores = append(cores, each)
		}
	}
	return cores
}

// logProbe is an object that notes how it would be encoded. If its encoder
// leaves it out as a whole, it is never called.
type logProbe struct {
	path, rest string
	shown      bool
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (p *logProbe) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	filter, ok := enc.(logging.FilterEncoder)
	if !ok {
		p.shown = true
		return nil
	}
	parent, name, nested := strings.Cut(p.rest, ">")
	if nested {
		if whole, filtered := filter.Fields[p.path+parent]; filtered && !passes(whole, zap.String(parent, canaries[0])) {
			return nil
		}
	} else {
		name = parent
	}
	field, filtered := filter.Fields[p.path+p.rest]
	probe := zap.Field(zap.Array(name, caddyhttp.LoggableStringArray{"https://a.example/?jwt=" + canaries[0]}))
	if !nested {
		probe = zap.String(name, "/?jwt="+canaries[0]+"&code="+canaries[1]+"&state="+canaries[1])
	}
	p.shown = !filtered || passes(field, probe)
	return nil
}

// passes reports whether a filter lets a canary through.
func passes(filter logging.LogFieldFilter, field zapcore.Field) bool {
	out := zapcore.NewMapObjectEncoder()
	filter.Filter(field).AddTo(out)
	text := fmt.Sprint(out.Fields)
	return strings.Contains(text, canaries[0]) || strings.Contains(text, canaries[1])
}
