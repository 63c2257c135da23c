package gate

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/datahq/auth-gateway/internal/wire"
)

// clean makes a request fit to be judged, once: whatever happens to it later,
// nothing of the client's looks like ours (S9, S13, S14, S17).
func (g *Gate) clean(r *http.Request, st *State) *wire.Problem {
	if r.Method == http.MethodConnect {
		return &badMethod
	}
	if !g.goodPath(r.URL) {
		return &badPath
	}
	if st.cleaned {
		return nil
	}
	st.cleaned = true
	var err error
	st.credentials, err = g.reader.Read(r)
	g.stripHeaders(r.Header, st.TrustedPeer)
	if st.credentials.Bearer {
		delete(r.Header, "Authorization")
	}
	g.Site.StripCookies(r.Header)
	scrubConnection(r.Header)
	g.guardTrailer(r)
	if err != nil {
		return &ambiguous
	}
	return nil
}

// goodPath judges the path as it came and as it will be forwarded (S11): the two
// differ when a rewrite changed one form only. Opaque would be sent in place of
// the path ("GET x:/admin").
func (g *Gate) goodPath(u *url.URL) bool {
	check := wire.StrictPath
	if g.rule.LenientPaths {
		check = wire.LenientPath
	}
	return u.Opaque == "" && strings.IndexByte(u.RawQuery, '#') < 0 && check(u.EscapedPath()) == nil && (u.RawPath == "" || check(u.RawPath) == nil)
}

// readQuery takes the token out of the query, where that is switched on.
func (g *Gate) readQuery(r *http.Request, st *State) *wire.Problem {
	if r.URL.RawQuery == "" {
		return nil
	}
	err := st.credentials.AddQuery(r.URL.RawQuery)
	if rest := wire.WithoutParameter(r.URL.RawQuery, "jwt"); rest != r.URL.RawQuery {
		r.URL.RawQuery = rest
		r.RequestURI = r.URL.RequestURI()
	}
	if err != nil {
		return &ambiguous
	}
	return nil
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

// scrubConnection leaves of Connection the one word that the proxy needs.
// Caddy deletes every header that Connection names, ours too, so a client could
// erase an identity by naming it (S14). An upgrade to h2c would leave the gate's
// sight (S17).
func scrubConnection(h http.Header) {
	lines := h["Connection"]
	if len(lines) == 0 && len(h["Upgrade"]) == 0 {
		return
	}
	var closing, keepAlive, upgrade bool
	for _, line := range lines {
		for option := range strings.SplitSeq(line, ",") {
			option = strings.Trim(option, " \t")
			closing = closing || strings.EqualFold(option, "close")
			keepAlive = keepAlive || strings.EqualFold(option, "keep-alive")
			upgrade = upgrade || strings.EqualFold(option, "upgrade")
		}
	}
	if upgrade = upgrade && forwardableUpgrade(h["Upgrade"]); !upgrade {
		delete(h, "Upgrade")
		delete(h, "Http2-Settings")
	}
	switch {
	case upgrade:
		lines[0] = "Upgrade"
	case closing:
		lines[0] = "close"
	case keepAlive:
		lines[0] = "keep-alive"
	default:
		delete(h, "Connection")
		return
	}
	if len(lines) > 1 {
		h["Connection"] = lines[:1]
	}
}

func forwardableUpgrade(lines []string) bool {
	if len(lines) != 1 {
		return false
	}
	for protocol := range strings.SplitSeq(lines[0], ",") {
		name := strings.ToLower(strings.Trim(protocol, " \t"))
		if name == "" || strings.HasPrefix(name, "h2") || strings.HasPrefix(name, "http") || strings.HasPrefix(name, "tls") {
			return false
		}
	}
	return true
}

// guardTrailer keeps reserved names out of the trailer, which is read after
// the request has been judged. Go merges trailers that were not declared into
// the declared ones (S14), and makes them of nothing where none were declared.
func (g *Gate) guardTrailer(r *http.Request) {
	if r.Body == nil || r.Trailer == nil && r.ContentLength >= 0 {
		return
	}
	g.stripTrailer(r.Trailer)
	r.Body = &trailerGuard{ReadCloser: r.Body, gate: g, request: r}
}

func (g *Gate) stripTrailer(trailer http.Header) {
	for name := range trailer {
		if g.Reserved.has(name) || isOverride(name) {
			delete(trailer, name)
		}
	}
}

// trailerGuard strips the trailer as soon as the body has ended.
type trailerGuard struct {
	io.ReadCloser
	gate    *Gate
	request *http.Request
}

func (t *trailerGuard) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		t.gate.stripTrailer(t.request.Trailer)
	}
	return n, err
}
