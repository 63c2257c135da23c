package routes

import (
	"net/http"
	"net/netip"
	"net/url"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

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
			w.findings = append(w.findings, Finding{Problem: trustsAll, Advice: trustAdvice, Server: w.server.Name(), Route: "every request", Fatal: true})
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
