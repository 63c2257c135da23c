package demo

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// otherHeaders are those that are not shown as identity or token, with
// credentials cut out.
func otherHeaders(h http.Header) map[string][]string {
	others := make(map[string][]string, len(h))
	for name, values := range h {
		others[name] = redact(name, values)
	}
	delete(others, tokenHeader)
	for _, known := range identityHeaders {
		delete(others, known.header)
	}
	return others
}

// redact cuts credentials out of a header's values. The names of cookies and
// the scheme of an authorization stay, to show which of them came through.
func redact(name string, values []string) []string {
	shown := make([]string, len(values))
	for i, value := range values {
		switch strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(name)) {
		case "cookie":
			value = redactCookies(value)
		case "authorization", "proxy-authorization":
			value = redactAfter(value, " ")
		case "auth-token", "x-auth-token", "x-api-key", "x-auth":
			value = ellipsis(value)
		}
		shown[i] = strings.ToValidUTF8(value, "\ufffd")
	}
	return shown
}

func redactCookies(line string) string {
	var cookies []string
	for cookie := range strings.SplitSeq(line, ";") {
		cookies = append(cookies, redactAfter(strings.TrimSpace(cookie), "="))
	}
	return strings.Join(cookies, "; ")
}

// redactAfter keeps what is before the separator; without one, all may be
// secret.
func redactAfter(text, separator string) string {
	if kept, secret, found := strings.Cut(text, separator); found {
		return kept + separator + ellipsis(secret)
	}
	return ellipsis(text)
}

func ellipsis(secret string) string {
	return fmt.Sprintf("… (%d characters)", utf8.RuneCountInString(secret))
}
