package routes

import (
	"encoding/json"
	"strings"
)

// proxy judges a reverse_proxy, which is also what php_fastcgi and
// forward_auth are made of.
func (w *walker) proxy(s step, at place, p *passed) {
	proxy := proxyOf(s)
	found := Finding{Server: w.server.Name(), Route: at.String(), Upstream: proxy.upstream()}
	switch {
	case !p.gate.all:
		found.Problem = "a proxied route has no gate before it, so that clients may write identity headers themselves"
		found.Advice = "put require_permission, require_login or (if it is open to everybody) identify before it, in the same block and without a narrower matcher"
		w.findings = append(w.findings, found)
	case p.rewritten || proxy.Rewrite.movesPath() && !proxy.asksFirst():
		found.Problem = "a path is rewritten between its gate and its upstream, so that the path that was judged is not the one that is forwarded"
		found.Advice = "rewrite before the gate: put the gate into the block that rewrites (handle_path), or use the directives rewrite or uri in place of those in reverse_proxy"
		w.findings = append(w.findings, found)
	}
	if trustsEverybody(proxy.TrustedProxies) {
		found.Problem, found.Advice, found.Fatal = trustsAll, trustAdvice, true
		w.findings = append(w.findings, found)
	}
	w.admin(proxy, at)
	w.responses(responsesOf(s), at, p)
}

// proxyStep are the options of a reverse_proxy that matter here.
type proxyStep struct {
	Upstreams []struct {
		Dial string `json:"dial"`
	} `json:"upstreams"`
	Rewrite        rewriteStep       `json:"rewrite"`
	TrustedProxies []string          `json:"trusted_proxies"`
	HandleResponse []json.RawMessage `json:"handle_response"`
}

func proxyOf(s step) (proxy proxyStep) {
	s.read(&proxy)
	return proxy
}

// upstream is where a proxied route leads.
func (p proxyStep) upstream() string {
	var dials []string
	for _, upstream := range p.Upstreams {
		dials = append(dials, upstream.Dial)
	}
	if len(dials) == 0 {
		return "dynamic"
	}
	return strings.Join(dials, " ")
}

// asksFirst reports whether this is a forward_auth: the rewritten request is a
// question of its own, and what is forwarded comes after it.
func (p proxyStep) asksFirst() bool {
	return p.Rewrite.Method == "GET" && len(p.HandleResponse) > 0
}
