package wire

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// maxPlanted is how many parts of a path are looked at for planted cookies.
const maxPlanted = 8

// returnCookieName is the name of the mark that a sign-in leaves for a minute,
// so that the next one can tell that the session cookie was lost on the way.
func (s *Site) returnCookieName() string {
	if s.secure {
		return "__Host-auth_return"
	}
	return "auth_return"
}

// SetReturnCookie leaves the mark of a sign-in that has just ended well.
func (s *Site) SetReturnCookie(w http.ResponseWriter, value string, expires time.Time) {
	s.setCookie(w, s.returnCookieName(), value, expires)
}

// ReturnCookie reads the mark, "" if there is none.
func (s *Site) ReturnCookie(r *http.Request) string {
	value, _ := s.cookie(r, s.returnCookieName())
	return value
}

// ClearReturnCookie takes the mark away.
func (s *Site) ClearReturnCookie(w http.ResponseWriter) {
	s.setCookie(w, s.returnCookieName(), "", time.Time{})
}

// RepeatsSessionCookie reports whether a request has more than one cookie of the
// session's name, of which SessionCookie takes none.
func (s *Site) RepeatsSessionCookie(r *http.Request) bool { return len(s.sessionCookies(r)) > 1 }

// SessionCookies are the values of all cookies of the session's name, for
// whoever wants to be rid of them.
func (s *Site) SessionCookies(r *http.Request) []string {
	return slices.DeleteFunc(s.sessionCookies(r), func(value string) bool { return value == "" })
}

func (s *Site) sessionCookies(r *http.Request) (values []string) {
	for _, line := range r.Header["Cookie"] {
		for part := range strings.SplitSeq(line, ";") {
			if name, value, is := strings.Cut(textproto.TrimString(part), "="); is && name == s.SessionCookieName() {
				values = append(values, value)
			}
		}
	}
	return values
}

// ClearPlantedCookies takes away cookies of the session's name that somebody set
// for a part of the site: beside the real one they would mean signed out
// (ruling 3) there and nowhere else. path is where they would be sent to, still
// escaped. With the __Host- prefix there can be none, so that this is for
// loopback, where programs on other ports share our cookies.
func (s *Site) ClearPlantedCookies(w http.ResponseWriter, path string) {
	if s.secure || StrictPath(path) != nil || strings.ContainsAny(path, ";") {
		return
	}
	end := 0
	for range maxPlanted {
		i := strings.IndexByte(path[end+1:], '/')
		if i < 0 {
			if end+1 < len(path) {
				s.setCookieAt(w, path, s.SessionCookieName(), "", time.Time{})
			}
			return
		}
		end += 1 + i
		s.setCookieAt(w, path[:end], s.SessionCookieName(), "", time.Time{})
		s.setCookieAt(w, path[:end+1], s.SessionCookieName(), "", time.Time{})
	}
}
