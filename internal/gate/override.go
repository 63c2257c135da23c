package gate

import "github.com/datahq/auth-gateway/internal/wire"

// overrides are headers by which a request claims to be another one, or to come
// from elsewhere. They influence nothing here, and only a configured proxy may
// send them on (S12, S15). "Proxy" is read by CGI programs as the address of one
// (httpoxy, CVE-2016-5385).
var overrides = [...]string{
	"base-url", "cdn-src-ip", "cf-connecting-ip", "cf-connecting-ipv6", "cf-pseudo-ipv4", "client-ip", "cluster-client-ip",
	"fastly-client-ip", "fly-client-ip", "forwarded", "forwarded-for", "forwarded-for-ip", "forwarded-host", "forwarded-proto", "front-end-https",
	"http-client-ip", "http-method-override", "http-url", "method-override", "proxy", "proxy-client-ip", "proxy-host", "proxy-url", "real-ip", "remote-addr", "remote-user", "request-uri",
	"true-client-ip", "true-real-ip", "url", "wl-proxy-client-ip", "x-appengine-user-ip", "x-arr-clientcert", "x-azure-clientip", "x-azure-socketip",
	"x-client-ip", "x-cluster-client-ip", "x-coming-from", "x-custom-ip-authorization", "x-envoy-external-address", "x-envoy-original-host",
	"x-envoy-original-path", "x-host", "x-http-destinationurl", "x-http-host-override", "x-http-method", "x-http-method-override", "x-http-verb",
	"x-https", "x-iis-original-url", "x-method", "x-method-override", "x-middleware-subrequest", "x-override-method", "x-override-url", "x-proxy-url", "x-proxyuser-ip", "x-real-host", "x-real-ip", "x-real-ip-address",
	"x-rewrite-path", "x-rewrite-uri", "x-rewrite-url", "x-scheme", "x-script-name", "x-ssl", "x-true-client-ip", "x-true-ip", "x-url-scheme",
	"x-verb-override", "x-waws-unencoded-url",
}

// overridePrefixes are the beginnings of the names that come in many endings.
var overridePrefixes = [...]string{"x-forward", "x-original-", "x-originally-", "x-originating-", "x-remote-"}

// isOverride reports whether a header or trailer is such a claim. Of
// X-Forwarded-* the proxy itself replaces For, Host and Proto, and knows best
// whom to believe; in another spelling they are not the ones it knows.
func isOverride(name string) bool {
	if name == "" {
		return false
	}
	switch name[0] | 0x20 {
	case 'x':
		if name == "X-Forwarded-For" || name == "X-Forwarded-Host" || name == "X-Forwarded-Proto" {
			return false
		}
		for _, prefix := range overridePrefixes {
			if wire.HasFoldedPrefix(name, prefix) {
				return true
			}
		}
	case 'b', 'c', 'f', 'h', 'm', 'p', 'r', 't', 'u', 'w':
	default:
		return false
	}
	for _, override := range overrides {
		if len(name) == len(override) && wire.EqualFolded(name, override) {
			return true
		}
	}
	return false
}
