package requestlog

import (
	"strings"

	"github.com/datahq/auth-gateway/internal/wire"
)

// secretParameters are the names of query parameters whose values open
// something or name somebody: ours, and those of OAuth 2.0 and OpenID Connect.
var secretParameters = map[string]bool{
	"jwt": true, "token": true, "auth-token": true, "auth_token": true, "form_token": true, "api_key": true, "apikey": true,
	"code": true, "state": true, "nonce": true, "access_token": true, "id_token": true, "refresh_token": true,
	"id_token_hint": true, "logout_token": true, "session_state": true, "assertion": true, "client_assertion": true,
	"code_verifier": true, "code_challenge": true, "client_secret": true, "password": true, "secret": true,
	"error_description": true, "login_hint": true, "email": true, "dev_email": true,
}

// tells reports whether text shows a secret or an address, however often it is
// percent-encoded: a JWT, a secret of ours (32 bytes in base64url), an e-mail
// address, or a secret parameter of an address in it. It looks at every request
// (S41), so it is one pass over the bytes and no regular expression.
func tells(text string) bool {
	for range 8 {
		if tellsPlainly(text) {
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

// tellsPlainly is tells for text without escapes.
func tellsPlainly(text string) bool {
	start := 0 // of the word that i is in
	for i := 0; i <= len(text); i++ {
		if i < len(text) && isWord[text[i]] {
			continue
		}
		switch word := text[start:i]; {
		case len(word) == secretLength, hasJWT(word):
			return true
		case i == len(text):
			return false
		case text[i] == '=' && (start == 0 || strings.IndexByte("?&#;", text[start-1]) >= 0) && secretParameters[strings.ToLower(word)]:
			return true
		case text[i] == '@' && isAddress(text, i):
			return true
		}
		start = i + 1
	}
	return false
}

// secretLength is how long our secrets are: 32 bytes in base64url.
const secretLength = 43

// isWord has the bytes of base64url, which are those of names as well.
var isWord = func() (word [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") {
		word[c] = true
	}
	return word
}()

// hasJWT reports whether the first part of a JWT is in a word.
func hasJWT(word string) bool {
	if len(word) < len("eyJ")+6 {
		return false
	}
	i := strings.Index(word, "eyJ")
	return i >= 0 && len(word)-i >= len("eyJ")+6
}

// isAddress reports whether the @ at a place is in an e-mail address.
func isAddress(text string, at int) bool {
	const ends = " \t\n\f\r/@=&?"
	if at == 0 || strings.IndexByte(ends, text[at-1]) >= 0 {
		return false
	}
	host := text[at+1:]
	if end := strings.IndexAny(host, ends); end >= 0 {
		host = host[:end]
	}
	return len(host) > 2 && strings.LastIndexByte(host[:len(host)-1], '.') > 0
}

// unescape undoes the percent-encoding that is whole, and leaves the rest.
func unescape(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if c, ok := wire.EscapedByte(text[i:]); ok {
			b.WriteByte(c)
			i += 2
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
