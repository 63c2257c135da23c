package requestlog

import (
	"net/http"
	"strings"
)

// redactedValue stands for what no log may show (S41).
const redactedValue = "REDACTED"

// redactURI is an address, or the path and query of one, without what it tells.
// What tells nothing stays byte for byte.
func redactURI(uri string) string {
	path, query, found := strings.Cut(uri, "?")
	path = redactEach(path, "/", func(segment string) string {
		if tells(segment) {
			return redactedValue
		}
		return segment
	})
	if !found {
		return path
	}
	return path + "?" + redactEach(query, "&", redactPair)
}

// redactPair is one parameter of a query without what it tells.
func redactPair(pair string) string {
	name, value, _ := strings.Cut(pair, "=")
	switch {
	case tells(name):
		return redactedValue
	case value == "":
		return pair
	case secretParameters[strings.ToLower(unescape(name))], tells(value):
		return name + "=" + redactedValue
	}
	return pair
}

// redactEach redacts the parts of a text, and makes no new one if nothing is
// redacted.
func redactEach(text, separator string, redact func(string) string) string {
	if text == "" {
		return ""
	}
	var parts []string
	i := 0
	for part := range strings.SplitSeq(text, separator) {
		clean := redact(part)
		if clean != part && parts == nil {
			parts = strings.Split(text, separator)
		}
		if parts != nil {
			parts[i] = clean
		}
		i++
	}
	if parts == nil {
		return text
	}
	return strings.Join(parts, separator)
}

// redactHeader is a copy of a header for a log: what holds credentials or says
// who somebody is goes, and addresses lose what they tell.
func redactHeader(h http.Header) http.Header {
	clean := make(http.Header, len(h))
	for name, values := range h {
		kept := make([]string, len(values))
		for i, value := range values {
			kept[i] = redactHeaderValue(name, value)
		}
		clean[name] = kept
	}
	return clean
}

func redactHeaderValue(name, value string) string {
	switch strings.ToLower(name) {
	case "cookie", "set-cookie", "authorization", "proxy-authorization":
		return redactedValue
	case "location", "content-location", "referer", "refresh", "link", "origin":
		return redactURI(value)
	}
	if isIdentity(name) || tells(value) {
		return redactedValue
	}
	return value
}

// carriesSecret reports whether Caddy's log of a request would show what no log
// may show. Cookie and Authorization are not among it: Caddy redacts them.
func carriesSecret(r *http.Request, uri string) bool {
	return tells(uri) || headersTell(r.Header)
}
