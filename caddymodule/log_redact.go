package caddymodule

import (
	"net/http"
	"regexp"
	"strings"
)

// redactedValue stands for what no log may show (S41).
const redactedValue = "REDACTED"

// secretParameters are the names of query parameters whose values open
// something or name somebody: ours, and those of OAuth 2.0 and OpenID Connect.
var secretParameters = map[string]bool{
	"jwt": true, "token": true, "auth-token": true, "auth_token": true, "form_token": true, "api_key": true, "apikey": true,
	"code": true, "state": true, "nonce": true, "access_token": true, "id_token": true, "refresh_token": true,
	"id_token_hint": true, "logout_token": true, "session_state": true, "assertion": true, "client_assertion": true,
	"code_verifier": true, "code_challenge": true, "client_secret": true, "password": true, "secret": true,
	"error_description": true, "login_hint": true, "email": true, "dev_email": true,
}

// telling finds, in text without escapes, a JWT, a secret of ours (32 bytes in
// base64url), an e-mail address, and a secret parameter of an address in it.
var telling = regexp.MustCompile(`eyJ[\w-]{6}` +
	`|(?:^|[^\w-])[\w-]{43}(?:$|[^\w-])` +
	`|[^\s/@=&?]@[^\s/@=&?]+\.[^\s/@=&?]` +
	`|(?i:(?:^|[?&#;])(?:` + strings.Join(sortedKeys(secretParameters), "|") + `)=)`)

// tells reports whether text shows a secret or an address, however often it is
// percent-encoded.
func tells(text string) bool {
	// Short words without any of these are most of what there is.
	if len(text) < 43 && !strings.ContainsAny(text, "@%=") && !strings.Contains(text, "eyJ") {
		return false
	}
	for range 8 {
		if telling.MatchString(text) {
			return true
		}
		plain := unescape(text)
		if plain == text {
			return false
		}
		text = plain
	}
	return true // nobody encodes so often who has nothing to hide
}

// unescape undoes the percent-encoding that is whole, and leaves the rest.
func unescape(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if hi, lo := unhex(text[i+1]), unhex(text[i+2]); hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

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
	case "cookie", "set-cookie", "authorization", "proxy-authorization", "auth-token":
		return redactedValue
	case "location", "content-location", "referer", "refresh", "link", "origin":
		return redactURI(value)
	}
	if strings.HasPrefix(strings.ToLower(name), "x-auth-") || tells(value) {
		return redactedValue
	}
	return value
}

// carriesSecret reports whether Caddy's log of a request would show what no log
// may show. Cookie and Authorization are not among it: Caddy redacts them. The
// headers are looked up by their canonical names: this is on every request's
// way.
func carriesSecret(r *http.Request, uri string) bool {
	h := r.Header
	if len(h["Auth-Token"]) > 0 || len(h["X-Auth-Token"]) > 0 || len(h["X-Auth-Email"]) > 0 {
		return true
	}
	if referer := h["Referer"]; len(referer) > 0 && redactURI(referer[0]) != referer[0] || len(referer) > 1 {
		return true
	}
	return redactURI(uri) != uri
}
