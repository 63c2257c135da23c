package gate

import (
	"net/http"
	"net/textproto"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// scrubConnection leaves of Connection the one word that the proxy needs.
// Caddy deletes every header that Connection names, ours too, so a client could
// erase an identity by naming it (S14). An upgrade to h2c would leave the gate's
// sight (S17).
func scrubConnection(h http.Header) {
	delete(h, "Http2-Settings")
	lines := h["Connection"]
	if plain := len(lines) == 0 || len(lines) == 1 && (lines[0] == "keep-alive" || lines[0] == "close"); plain && len(h["Upgrade"]) == 0 {
		return
	}
	var closing, keepAlive, upgrade bool
	for _, line := range lines {
		for option := range strings.SplitSeq(line, ",") {
			option = textproto.TrimString(option)
			closing = closing || strings.EqualFold(option, "close")
			keepAlive = keepAlive || strings.EqualFold(option, "keep-alive")
			upgrade = upgrade || strings.EqualFold(option, "upgrade")
		}
	}
	if upgrade = upgrade && forwardableUpgrade(h["Upgrade"]); !upgrade {
		delete(h, "Upgrade")
	}
	switch {
	case upgrade:
		lines[0] = "Upgrade"
	case closing:
		lines[0] = "close"
	case keepAlive:
		lines[0] = "keep-alive"
	default:
		delete(h, "Connection")
		return
	}
	if len(lines) > 1 {
		h["Connection"] = lines[:1]
	}
}

func forwardableUpgrade(lines []string) bool {
	if len(lines) != 1 {
		return false
	}
	for protocol := range strings.SplitSeq(lines[0], ",") {
		name, version, _ := strings.Cut(strings.ToLower(textproto.TrimString(protocol)), "/")
		if strings.HasPrefix(name, "h2") || strings.HasPrefix(name, "http") || strings.HasPrefix(name, "tls") {
			return false
		}
		// RFC 9110 section 7.8: tokens. "x h2c" is a second name to who looks for it
		// between blanks.
		if !httpguts.ValidHeaderFieldName(name) || version != "" && !httpguts.ValidHeaderFieldName(version) {
			return false
		}
	}
	return true
}
