package gate

import (
	"slices"
	"testing"
)

// S12, S15: what claims another method, path, host or peer is dropped, but from
// configured proxies; it never influences the decision.
func TestStripOverrides(t *testing.T) {
	names := []string{
		"X-Http-Method-Override", "X-HTTP-METHOD-OVERRIDE", "X-Http-Method", "X-Method-Override", "X_Http_Method_Override",
		"X-Original-Url", "X-Original-Uri", "X-Original-Method", "X-Original-Host", "X-Rewrite-Url", "x.original_url",
		"X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl",
		"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token", "X-Forwarded-Client-Cert", "X-Forwarded",
		"X_Forwarded_For", "X.Forwarded.Host", "X_Forwarded-Proto", // not the ones that Caddy replaces
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
