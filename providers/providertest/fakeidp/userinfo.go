package fakeidp

import (
	"net/http"
	"strings"
)

// serveUserinfo tells about the person of an access token (OpenID Connect Core
// 1.0 section 5.3).
func (p *IdP) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	g, found := p.access.get(token, p.config.Now())
	if !ok || !found {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		tokenError(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	claims := g.personClaims(true)
	if g.faults.has(UserinfoOtherSubject) {
		claims["sub"] = somebodyElse
	}
	writeJSON(w, http.StatusOK, claims)
}
