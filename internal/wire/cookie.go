package wire

import (
	"cmp"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxLoginCookies is how many sign-ins one browser may have under way at once.
const maxLoginCookies = 5

// loginCookieTag is how many characters of the state name a login cookie.
const loginCookieTag = 8

// SessionCookieName is the name of the session cookie: with the __Host- prefix
// (RFC 6265bis section 4.1.3.2) unless the site is plain http on loopback.
func (s *Site) SessionCookieName() string {
	if s.secure {
		return "__Host-auth_session"
	}
	return "auth_session"
}

func (s *Site) loginCookiePrefix() string {
	if s.secure {
		return "__Host-login-"
	}
	return "login-"
}

// OwnsCookie reports whether a cookie name is one of the gateway's, here or at
// any other gateway: such cookies are not forwarded to upstreams, which cannot
// set them either. Browsers compare the prefix without regard to case, and some
// upstreams the name.
func (s *Site) OwnsCookie(name string) bool {
	const prefix, login = "__Host-", "login-"
	if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
		name = name[len(prefix):]
		return isOwnName(name) || len(name) >= len(login) && strings.EqualFold(name[:len(login)], login)
	}
	// Without the prefix they are ours on plain http alone. An upstream may have a
	// "login-token".
	return !s.secure && (isOwnName(name) || len(name) == len(login)+loginCookieTag && strings.EqualFold(name[:len(login)], login))
}

func isOwnName(name string) bool {
	return strings.EqualFold(name, "auth_session") || strings.EqualFold(name, "auth_return")
}

func isLoginCookie(name, prefix string) bool {
	return len(name) == len(prefix)+loginCookieTag && strings.HasPrefix(name, prefix)
}

// SessionCookie reads the session cookie. Two of that name mean that somebody
// planted one: then there is none (ruling 3).
func (s *Site) SessionCookie(r *http.Request) (value string, ok bool) {
	return s.cookie(r, s.SessionCookieName())
}

// LoginCookie reads the cookie that binds a sign-in to this browser (S21).
func (s *Site) LoginCookie(r *http.Request, state string) string {
	value, _ := s.cookie(r, s.loginCookieName(state))
	_, secret, _ := strings.Cut(value, ".")
	return secret
}

func (s *Site) loginCookieName(state string) string {
	return s.loginCookiePrefix() + state[:min(loginCookieTag, len(state))]
}

// cookie finds the one cookie of exactly that name without building a list of
// all.
func (s *Site) cookie(r *http.Request, name string) (value string, ok bool) {
	for _, line := range r.Header["Cookie"] {
		for len(line) > 0 {
			var part string
			part, line, _ = strings.Cut(line, ";")
			part = textproto.TrimString(part)
			if len(part) <= len(name) || part[len(name)] != '=' || part[:len(name)] != name {
				continue
			}
			if ok {
				return "", false
			}
			value, ok = part[len(name)+1:], true
		}
	}
	return value, ok && value != ""
}

// SetSessionCookie gives the browser a session (S31).
func (s *Site) SetSessionCookie(w http.ResponseWriter, value string, expires time.Time) {
	s.setCookie(w, s.SessionCookieName(), value, expires)
}

// ClearSessionCookie takes it away.
func (s *Site) ClearSessionCookie(w http.ResponseWriter) {
	s.setCookie(w, s.SessionCookieName(), "", time.Time{})
}

// SetLoginCookie binds a sign-in to the browser and drops the oldest of those
// that are under way when there are too many.
func (s *Site) SetLoginCookie(w http.ResponseWriter, r *http.Request, state, secret string, expires time.Time) {
	prefix := s.loginCookiePrefix()
	underWay := slices.DeleteFunc(r.Cookies(), func(c *http.Cookie) bool { return !isLoginCookie(c.Name, prefix) })
	slices.SortStableFunc(underWay, func(a, b *http.Cookie) int { return cmp.Compare(loginStamp(a), loginStamp(b)) })
	for _, c := range underWay[:max(0, len(underWay)-maxLoginCookies+1)] {
		s.setCookie(w, c.Name, "", time.Time{})
	}
	s.setCookie(w, s.loginCookieName(state), strconv.FormatInt(expires.Unix(), 10)+"."+secret, expires)
}

// loginStamp is when a login cookie expires, in Unix seconds, as its value
// says: browsers do not send what Expires was.
func loginStamp(c *http.Cookie) int64 {
	stamp, _, _ := strings.Cut(c.Value, ".")
	at, _ := strconv.ParseInt(stamp, 10, 64)
	return at
}

// ClearLoginCookie takes away the cookie of a sign-in that has ended. The state
// is whatever a link says: one that is too short for ours would name a cookie of
// somebody else's.
func (s *Site) ClearLoginCookie(w http.ResponseWriter, state string) {
	if len(state) < loginCookieTag {
		return
	}
	s.setCookie(w, s.loginCookieName(state), "", time.Time{})
}

// setCookie sets a cookie of the whole site. An empty value deletes.
func (s *Site) setCookie(w http.ResponseWriter, name, value string, expires time.Time) {
	s.setCookieAt(w, "/", name, value, expires)
}

// setCookieAt is the one place that sets cookies.
func (s *Site) setCookieAt(w http.ResponseWriter, path, name, value string, expires time.Time) {
	c := &http.Cookie{
		Name: name, Value: value, Path: path, Secure: s.secure, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Expires: expires,
	}
	if value == "" {
		c.MaxAge = -1
	} else if left := time.Until(expires); left > 0 {
		// It goes before Expires (RFC 6265 section 5.3), and is right in a browser
		// whose clock is wrong: one that is fast would drop a new cookie at once.
		c.MaxAge = int((left + time.Second - 1) / time.Second)
	}
	http.SetCookie(w, c)
}

// StripCookies removes the gateway's own cookies from a request that is about
// to be forwarded (S9) and leaves the others as they came, in the slice in which
// they came.
func (s *Site) StripCookies(h http.Header) {
	lines := h["Cookie"]
	kept := lines[:0]
	for _, line := range lines {
		if rest := s.stripLine(line); rest != "" {
			kept = append(kept, rest)
		}
	}
	switch {
	case len(kept) == len(lines):
	case len(kept) == 0:
		delete(h, "Cookie")
	default:
		h["Cookie"] = kept
	}
}

// stripLine copies nothing unless a cookie of ours stands between others.
func (s *Site) stripLine(line string) string {
	for start := 0; start < len(line); {
		end, next := len(line), len(line)
		if i := strings.IndexByte(line[start:], ';'); i >= 0 {
			end, next = start+i, start+i+1
		}
		name, _, _ := strings.Cut(line[start:end], "=")
		if !s.OwnsCookie(textproto.TrimString(name)) {
			start = next
			continue
		}
		before := strings.TrimRight(line[:start], "; \t")
		after := s.stripLine(strings.TrimLeft(line[next:], " \t"))
		if before == "" || after == "" {
			return before + after
		}
		return before + "; " + after
	}
	return line
}
