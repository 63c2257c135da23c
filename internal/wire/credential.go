package wire

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// ErrAmbiguous says that a request carries more than one credential of ours,
// so that two readers might see two people (S9).
var ErrAmbiguous = errors.New("more than one credential")

// Credentials is what a request shows of itself at a gate: at most one token
// and at most one cookie.
type Credentials struct {
	// Token is a session or permission token, "" if there is none.
	Token string
	// Cookie is the value of the session cookie, "" if there is none or if it
	// does not count on this request.
	Cookie string
	// Bearer says that Token came in Authorization, which is then ours to remove.
	Bearer bool
}

// Found reports whether there is any credential.
func (c Credentials) Found() bool { return c.Token != "" || c.Cookie != "" }

// Reader reads credentials at a gate.
type Reader struct {
	Site *Site
	// Ours reports whether a Bearer token claims to be the gateway's. One that
	// does not belongs to the upstream and is no credential.
	Ours func(token string) bool
}

// Read finds the credentials in Authorization: Bearer, Auth-Token and the
// session cookie. The same token in two places is one; two different ones are
// ErrAmbiguous, as are repeated headers.
func (rd *Reader) Read(r *http.Request) (Credentials, error) {
	var c Credentials
	if err := rd.readBearer(r, &c); err != nil {
		return Credentials{}, err
	}
	token, err := AuthToken(r)
	if err != nil {
		return Credentials{}, err
	}
	if err := c.add(token); err != nil {
		return Credentials{}, err
	}
	if rd.Site.CookieCounts(r) {
		c.Cookie, _ = rd.Site.SessionCookie(r)
	}
	return c, nil
}

func (rd *Reader) readBearer(r *http.Request, c *Credentials) error {
	lines := r.Header["Authorization"]
	for _, line := range lines {
		// RFC 9110 section 11.4 has blanks here alone, but some upstreams split at
		// a tab as well. HTTP/2 leaves blanks in front that HTTP/1 removes.
		line = strings.Trim(line, " \t")
		end := strings.IndexAny(line, " \t")
		if end < 0 || !strings.EqualFold(line[:end], "Bearer") {
			continue
		}
		token := strings.Trim(line[end:], " \t")
		if !rd.Ours(token) {
			continue
		}
		if len(lines) > 1 {
			return ErrAmbiguous
		}
		c.Token, c.Bearer = token, true
	}
	return nil
}

func (c *Credentials) add(token string) error {
	if token == "" || token == c.Token {
		return nil
	}
	if c.Token != "" {
		return ErrAmbiguous
	}
	c.Token = token
	return nil
}

// AuthToken reads the Auth-Token header. Clients send an empty one when they
// have no token (contract 2a); two lines of it are ErrAmbiguous.
func AuthToken(r *http.Request) (string, error) {
	lines := r.Header["Auth-Token"]
	switch len(lines) {
	case 0:
		return "", nil
	case 1:
		return strings.Trim(lines[0], " "), nil
	}
	return "", ErrAmbiguous
}

// AddQuery adds the token of "?jwt=", for gates where that counts.
func (c *Credentials) AddQuery(query string) error {
	if query == "" {
		return nil
	}
	values := QueryValues(query, "jwt")
	if len(values) > 1 {
		return ErrAmbiguous
	}
	if len(values) == 1 {
		return c.add(values[0])
	}
	return nil
}

// QueryValues are the values of one parameter, by its decoded name. Parameters
// are separated by "&" alone; a broken escape stays text (contract 1.1).
func QueryValues(query, name string) []string {
	var values []string
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if unescape(key) == name {
			values = append(values, unescape(value))
		}
	}
	return values
}

// WithoutParameter removes every parameter of that name from a query, encoded
// spellings included, and leaves the others byte for byte.
func WithoutParameter(query, name string) string {
	if len(QueryValues(query, name)) == 0 {
		return query
	}
	kept := make([]string, 0, 8)
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if unescape(key) != name {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// unescape is url.QueryUnescape, but that a broken escape stays text.
func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '+' {
			c = ' '
		} else if b, ok := EscapedByte(text[i:]); ok {
			c = b
			i += 2
		}
		plain = append(plain, c)
	}
	return string(plain)
}
