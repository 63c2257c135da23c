package gate

// overrides are headers by which a request claims to be another one, or to come
// from elsewhere. They influence nothing here, and only a configured proxy may
// send them on (S12, S15).
var overrides = [...]string{
	"x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url", "x-original-uri",
	"x-original-method", "x-original-host", "x-http-host-override", "x-host", "x-url-scheme", "front-end-https", "forwarded",
	"x-real-ip", "x-client-ip", "x-cluster-client-ip", "client-ip", "true-client-ip", "cf-connecting-ip", "cf-connecting-ipv6", "fastly-client-ip",
}

// isOverride reports whether a header or trailer is such a claim. Of
// X-Forwarded-* the proxy itself replaces For, Host and Proto, and knows best
// whom to believe; in another spelling they are not the ones it knows.
func isOverride(name string) bool {
	if name == "" {
		return false
	}
	switch name[0] | 0x20 {
	case 'x':
		if hasFoldedPrefix(name, "x-forwarded") {
			return name != "X-Forwarded-For" && name != "X-Forwarded-Host" && name != "X-Forwarded-Proto"
		}
	case 'c', 'f', 't':
	default:
		return false
	}
	for _, override := range overrides {
		if equalFolded(name, override) {
			return true
		}
	}
	return false
}
