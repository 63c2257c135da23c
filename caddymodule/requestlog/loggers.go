package requestlog

import (
	"net"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// loggers are those that the server's configuration names for a request.
func (l *line) loggers(kind string) []*zap.Logger {
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
