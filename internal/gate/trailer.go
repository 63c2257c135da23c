package gate

import (
	"io"
	"net/http"
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
