package routes

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/datahq/auth-gateway/internal/wire"
)

// gate looks whether browsers can sign in where a gate turns them away: the
// session cookie goes to the host of external_address alone (ruling 23).
func (w *walker) gate(s step, at place) {
	if !w.gateway.TurnsAway(s.options()) {
		return
	}
	for _, c := range at {
		for _, host := range c.hosts() {
			if w.isOwn(host) || w.foreign[host] {
				continue
			}
			if w.foreign == nil {
				w.foreign = make(map[string]bool)
			}
			w.foreign[host] = true
			w.findings = append(w.findings, Finding{
				Problem: fmt.Sprintf("a gate stands on the host %s, where browsers cannot sign in: the session cookie is for %s alone", host, w.gateway.Site.Origin()),
				Advice:  "programs that send a token get through; for browsers, serve the route under external_address",
				Server:  w.server.Name(), Route: at.String(), Note: true,
			})
		}
	}
}

// isOwn reports whether a host of a matcher may be that of external_address.
func (w *walker) isOwn(host string) bool {
	own, err := url.Parse(w.gateway.Site.Origin())
	if err != nil || strings.ContainsAny(host, "{") {
		return true
	}
	host = strings.ToLower(host)
	if !w.gateway.Site.Secure() && wire.IsLoopbackHost(host) {
		return true
	}
	labels, patterns := strings.Split(own.Hostname(), "."), strings.Split(strings.Trim(host, "[]"), ".")
	for i, label := range labels {
		if len(labels) != len(patterns) || patterns[i] != "*" && patterns[i] != label {
			return false
		}
	}
	return true
}
