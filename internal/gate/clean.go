package gate

import (
	"io"
	"net/http"
	"strings"

	"github.com/datahq/auth-gateway/internal/wire"
)

// overrides are headers by which a request claims to be another one. They
// influence nothing here, and only a configured proxy may send them on (S12,
// S15).
var overrides = [...]string{
	"x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url", "x-original-uri",
	"x-forwarded-uri", "x-forwarded-method", "x-forwarded-prefix", "x-forwarded-path", "x-original-method", "x-real-ip", "forwarded", "x-forwarded-port",
	"x-forwarded-server", "x-forwarded-scheme", "x-forwarded-ssl", "x-forwarded-user", "x-forwarded-email", "x-forwarded-groups",
	"x-forwarded-preferred-username", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip",
	"front-end-https", "x-url-scheme", "x-host",
}

// clean makes a request fit to be judged, once: whatever happens to it later,
// nothing of the client's looks like ours (S9, S13, S14, S17).
func (g *Gate) clean(r *http.Request, st *State) *wire.Problem {
	if p := g.checkPath(r); p != nil {
		return p
	}
	if st.cleaned {
		return nil
	}
	st.cleaned = true
	if r.Method == http.MethodConnect {
		return &badMethod
	}
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

// checkPath judges the path as it will be forwarded (S11).
func (g *Gate) checkPath(r *http.Request) *wire.Problem {
	path := r.URL.RawPath
	if path == "" {
		path = r.URL.EscapedPath()
	}
	if !g.rule.LenientPaths && wire.StrictPath(path) != nil || strings.IndexByte(r.URL.RawQuery, '#') >= 0 {
		return &badPath
	}
	return nil
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

func isOverride(name string) bool {
	if name == "" {
		return false
	}
	switch name[0] | 0x20 {
	case 'x', 'f', 't', 'c':
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

// scrubConnection leaves of Connection what the proxy needs. Caddy deletes
// every header that Connection names, ours too, so a client could erase an
// identity by naming it (S14). An upgrade to h2c would leave the gate's sight
// (S17).
func scrubConnection(h http.Header) {
	lines, found := h["Connection"]
	if !found {
		return
	}
	upgrade := false
	var kept []string
	for _, line := range lines {
		for option := range strings.SplitSeq(line, ",") {
			switch option = strings.ToLower(strings.Trim(option, " \t")); option {
			case "close", "keep-alive":
				kept = append(kept, option)
			case "upgrade":
				if !upgrade && forwardableUpgrade(h["Upgrade"]) {
					upgrade = true
					kept = append(kept, "Upgrade")
				}
			}
		}
	}
	if !upgrade {
		delete(h, "Upgrade")
		delete(h, "Http2-Settings")
	}
	if len(kept) == 0 {
		delete(h, "Connection")
		return
	}
	h["Connection"] = []string{strings.Join(kept, ", ")}
}

func forwardableUpgrade(lines []string) bool {
	if len(lines) != 1 {
		return false
	}
	for protocol := range strings.SplitSeq(lines[0], ",") {
		if name := strings.ToLower(strings.Trim(protocol, " \t")); name == "" || strings.HasPrefix(name, "h2c") || strings.HasPrefix(name, "http") || strings.HasPrefix(name, "tls") {
			return false
		}
	}
	return true
}

// guardTrailer keeps reserved names out of the trailer, which is read after
// the request has been judged. Go merges undeclared trailers into the declared
// ones (S14).
func (g *Gate) guardTrailer(r *http.Request) {
	if r.Trailer == nil {
		return
	}
	g.stripTrailer(r.Trailer)
	r.Body = &trailerGuard{ReadCloser: r.Body, gate: g, trailer: r.Trailer}
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
	trailer http.Header
}

func (t *trailerGuard) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		t.gate.stripTrailer(t.trailer)
	}
	return n, err
}
