package caddymodule

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/wire"
)

// gate looks whether browsers can sign in where a gate turns them away: the
// session cookie goes to the host of external_address alone (ruling 23).
func (w *walker) gate(s step, at place) {
	var gate struct {
		Require string `json:"require"`
	}
	if s.read(&gate); gate.Require == "identity" {
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
			w.findings = append(w.findings, finding{
				problem: fmt.Sprintf("a gate stands on the host %s, where browsers cannot sign in: the session cookie is for %s alone", host, w.site.Origin()),
				advice:  "programs that send a token get through; for browsers, serve the route under external_address",
				server:  w.server.Name(), route: at.String(), note: true,
			})
		}
	}
}

// isOwn reports whether a host of a matcher may be that of external_address.
func (w *walker) isOwn(host string) bool {
	own, err := url.Parse(w.site.Origin())
	if err != nil || strings.ContainsAny(host, "{") {
		return true
	}
	host = strings.ToLower(host)
	if !w.site.Secure() && wire.IsLoopbackHost(host) {
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

const (
	trustsAll   = "trusted_proxies covers every address, so that every client may say where its requests come from"
	trustAdvice = "list the addresses of your proxies alone"
)

// nowhere are addresses that no proxy has (RFC 5737, RFC 3849).
var nowhere = [][]string{{"192.0.2.1", "198.51.100.1", "203.0.113.1"}, {"2001:db8::1"}}

// trust looks at whose forwarding headers the server believes (S15). Caddy has
// hidden its list by now, so it is asked about addresses.
func (w *walker) trust() {
	for _, family := range nowhere {
		trusted := 0
		for _, address := range family {
			r := &http.Request{RemoteAddr: netip.AddrPortFrom(netip.MustParseAddr(address), 1).String(), Header: make(http.Header), URL: new(url.URL)}
			r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), nil, w.server)
			if known, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool); known {
				trusted++
			}
		}
		if trusted == len(family) {
			w.findings = append(w.findings, finding{problem: trustsAll, advice: trustAdvice, server: w.server.Name(), route: "every request", fatal: true})
			return
		}
	}
}

// trustsEverybody says the same of the list of a reverse_proxy.
func trustsEverybody(ranges []string) bool {
	for _, family := range nowhere {
		trusted := 0
		for _, address := range family {
			for _, text := range ranges {
				if prefix, err := netip.ParsePrefix(text); err == nil && prefix.Contains(netip.MustParseAddr(address)) {
					trusted++
					break
				}
			}
		}
		if trusted == len(family) {
			return true
		}
	}
	return false
}
