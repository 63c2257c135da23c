package gate

import (
	"io"
	"net/http"

	"golang.org/x/net/http/httpguts"

	"github.com/datahq/auth-gateway/internal/wire"
)

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
		if g.Reserved.has(name) || !mayTrail(name) {
			delete(trailer, name)
		}
	}
}

// mayTrail reports whether a field may come after the body. Those by which a
// message is framed, routed or authenticated may not (RFC 9110 section 6.5.1),
// nor what the proxy itself replaces in the header and there alone (S15).
func mayTrail(name string) bool {
	folded := http.CanonicalHeaderKey(wire.Fold(name))
	switch folded {
	case "Cookie", "Cookie2", "Set-Cookie", "Set-Cookie2", "Upgrade", "Http2-Settings", "Via":
		return false
	}
	return httpguts.ValidTrailerHeader(folded) && !isOverride(folded) && !wire.HasFoldedPrefix(folded, "x-forward")
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
