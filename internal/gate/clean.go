package gate

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/datahq/auth-gateway/internal/wire"
)

// clean makes a request fit to be judged and to be shown to others: whatever
// happens to it later, nothing of the client's looks like ours. What cannot be
// judged is refused.
func (g *Gate) clean(r *http.Request, st *State) *wire.Problem {
	err := g.Strip(r, st)
	switch {
	case r.Method == http.MethodConnect: // S17
		return &badMethod
	case !g.goodTarget(r.URL) || !g.goodPath(r.URL) || st.Original != nil && !g.goodPath(st.Original):
		return &badPath
	case err != nil:
		return &ambiguous
	}
	return nil
}

// Strip takes out of a request, once, what is a credential of ours and what only
// the gateway may say (S9, S13, S14). A request that is refused unseen is to be
// stripped too: an error route may show it to an upstream. The error is
// wire.ErrAmbiguous.
func (g *Gate) Strip(r *http.Request, st *State) error {
	if st.cleaned {
		return nil
	}
	st.cleaned = true
	var err error
	st.credentials, err = g.reader.Read(r)
	g.stripHeaders(r.Header, st.TrustedPeer)
	if st.credentials.Bearer || err != nil {
		delete(r.Header, "Authorization")
	}
	g.Site.StripCookies(r.Header)
	scrubConnection(r.Header)
	g.guardTrailer(r)
	return err
}

// goodTarget refuses the absolute form of a request (RFC 9112 section 3.2.2)
// for another host than our own, which takes the gateway for somebody's proxy
// (S11).
func (g *Gate) goodTarget(u *url.URL) bool {
	if u.Scheme == "" && u.Host == "" && u.User == nil {
		return true
	}
	// User information does not belong there (RFC 9110 section 4.2.4).
	return u.User == nil && (u.Scheme == "https" || u.Scheme == "http") && (g.Site.IsOwnHost(u.Host) || g.Site.IsAlias(u.Host))
}

// goodPath judges the path as it came and as it will be forwarded (S11): the two
// differ when a rewrite changed one form only. Opaque would be sent in place of
// the path ("GET x:/admin").
func (g *Gate) goodPath(u *url.URL) bool {
	check := wire.ForwardPath
	if g.rule.LenientPaths {
		check = wire.LenientPath
	}
	return u.Opaque == "" && strings.IndexByte(u.RawQuery, '#') < 0 && check(u.EscapedPath()) == nil && (u.RawPath == "" || check(u.RawPath) == nil)
}

// stripHeaders removes what only the gateway may say, in every spelling that
// some upstream reads as the same name.
func (g *Gate) stripHeaders(h http.Header, trustedPeer bool) {
	for name := range h {
		if g.Reserved.has(name) || !trustedPeer && isOverride(name) {
			delete(h, name)
		}
	}
}

// hasLower reports whether a method is written with small letters. Methods are
// case-sensitive (RFC 9110 section 9.1): to Caddy's method matchers "post" is
// not POST, but to careless upstreams it is (S12).
func hasLower(method string) bool {
	for i := range len(method) {
		if 'a' <= method[i] && method[i] <= 'z' {
			return true
		}
	}
	return false
}
