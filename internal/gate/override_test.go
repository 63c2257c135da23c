package gate

import (
	"slices"
	"testing"
)

// S12, S15: what claims another method, path, host or peer is dropped, but from
// configured proxies; it never influences the decision.
func TestStripOverrides(t *testing.T) {
	names := []string{
		"X-Http-Method-Override", "X-HTTP-METHOD-OVERRIDE", "X-Http-Method", "X-Method-Override", "X_Http_Method_Override", "Method-Override", "X-HTTP-Verb", "X-Middleware-Subrequest",
		"X-Original-Url", "X-Original-Uri", "X-Original-Method", "X-Original-Host", "X-Rewrite-Url", "x.original_url",
		"X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl",
		"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token", "X-Forwarded-Client-Cert", "X-Forwarded",
		"X_Forwarded_For", "X.Forwarded.Host", "X_Forwarded-Proto", // not the ones that Caddy replaces
		"X-Forward-For", "X-Forwarder-For", "X-Forwarded-For-Original", "X-Forwarded-By", "X_FORWARDED_PREFIX", "x.forwarded.uri",
		"X-Original-Path", "X-Original-Forwarded-For", "X-Originating-Ip", "X-Originally-Forwarded-For", "X-Original_url",
		"X-Override-Url", "X-Rewrite-Uri", "X-Http-Destinationurl", "X-Proxy-Url", "X-Envoy-Original-Path", "Base-Url", "Http-Url", "Request-Uri", "Url",
		"X-Remote-Addr", "X-Remote-Ip", "X-Remote-User", "Remote-User", "Remote-Addr", "X-True-Ip", "X-Azure-Clientip", "Fly-Client-Ip", "Cluster-Client-Ip", "Proxy-Client-Ip", "Wl-Proxy-Client-Ip", "Forwarded-For", "Cf-Connecting_ip", "True_Client_Ip",
		"Proxy", "PROXY", "Proxy-Host", "Proxy-Url", "X-Scheme", "X-Script-Name",
		"Forwarded", "X-Real-Ip", "X_Real_IP", "X-Client-Ip", "Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Cluster-Client-Ip", "X-Host", "Front-End-Https", "X-Url-Scheme",
	}
	forward := readRule
	forward.ForwardToken = "Forward-Token"
	g := newHouse(t).gate(forward)
	for _, trusted := range []bool{false, true} {
		for _, name := range names {
			r := newRequest("GET", "/", name+": DELETE", asAda)
			if p := admit(r, &State{TrustedPeer: trusted}, g); p != nil {
				t.Fatalf("%s: %s", name, p.Code)
			}
			if _, found := r.Header[name]; found != trusted {
				t.Errorf("%s of a peer that is trusted (%t) is forwarded: %t", name, trusted, found)
			}
		}
		for _, name := range reservedNames {
			r := newRequest("GET", "/", name+": forged", "Cookie: __Host-auth_session=ada")
			_ = admit(r, &State{TrustedPeer: trusted}, g)
			if slices.Contains(r.Header[name], "forged") {
				t.Errorf("a trusted peer may say %s", name)
			}
		}
	}
}

// Headers of other meanings, and those that the proxy replaces, stay.
func TestIsOverride(t *testing.T) {
	for _, name := range []string{
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id", "X-Requested-With", "X-Csrf-Token", "X-Hostname", "X-Methods",
		"Origin", "Referer", "Range", "Refresh", "Content-Type", "Cookie", "Host", "Proxy-Authorization", "Proxy-Connection", "Traceparent", "Upgrade", "User-Agent", "Warning", "Cf-Ray", "",
	} {
		if isOverride(name) {
			t.Errorf("%q is said to be a claim", name)
		}
	}
}
