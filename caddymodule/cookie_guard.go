package caddymodule

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/wire"
)

// cookieGuard is the answer of what is behind a gate: it cannot set the
// gateway's own cookies (S18). An upstream that could would sign its visitors in
// as somebody else, or out.
type cookieGuard struct {
	caddyhttp.ResponseWriterWrapper
	site    *wire.Site
	cleaned bool
}

// WriteHeader implements http.ResponseWriter.
func (w *cookieGuard) WriteHeader(status int) {
	w.clean()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *cookieGuard) Write(p []byte) (int, error) {
	if !w.cleaned {
		w.clean()
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom implements io.ReaderFrom.
func (w *cookieGuard) ReadFrom(r io.Reader) (int64, error) {
	if !w.cleaned {
		w.clean()
	}
	return w.ResponseWriterWrapper.ReadFrom(r)
}

// clean removes the cookies from the header, which may be written several
// times: informational answers come first, and trailers last.
func (w *cookieGuard) clean() {
	w.cleaned = true
	h := w.Header()
	for _, name := range [...]string{"Set-Cookie", http.TrailerPrefix + "Set-Cookie"} {
		lines, set := h[name]
		if !set || !slices.ContainsFunc(lines, w.isOwn) {
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(lines), w.isOwn)
		if len(kept) == 0 {
			delete(h, name)
			continue
		}
		h[name] = kept
	}
}

// isOwn reports whether a line sets a cookie that comes back under a name of
// ours. Browsers send a cookie without a name as its value alone, so that
// "=auth_session=x" comes back as "auth_session=x" (RFC 6265bis section 5.7).
func (w *cookieGuard) isOwn(line string) bool {
	pair, _, _ := strings.Cut(line, ";")
	name, _, _ := strings.Cut(strings.TrimLeft(pair, "= \t"), "=")
	return w.site.OwnsCookie(strings.TrimRight(name, " \t"))
}

// Interface guards
var (
	_ http.ResponseWriter = (*cookieGuard)(nil)
	_ io.ReaderFrom       = (*cookieGuard)(nil)
)
