package authapi

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"github.com/datahq/auth-gateway/internal/wire"
)

// publicFor is how long others may keep what is public: keys and CSS.
const publicFor = "public, max-age=300"

//go:embed static/style.css
var static embed.FS

// publicKey serves the active public key. Its type is the original's (contract
// 1.2).
func (a *API) publicKey(w http.ResponseWriter, r *http.Request) {
	a.serveKeys(w, r, "text/html; charset=utf-8", a.Keys.PublicKeyPEM())
}

// jwks serves all public keys (RFC 7517).
func (a *API) jwks(w http.ResponseWriter, r *http.Request) {
	a.serveKeys(w, r, "application/json", a.Keys.JWKS())
}

func (a *API) serveKeys(w http.ResponseWriter, r *http.Request, contentType string, text []byte) {
	if len(text) == 0 {
		a.problemJSON(w, r, unavailable)
		return
	}
	servePublicToOrigins(w, r, contentType, text)
}

// styleSheet serves the one CSS file of the pages.
func (a *API) styleSheet(w http.ResponseWriter, r *http.Request) {
	text, err := static.ReadFile("static/style.css")
	if err != nil { // it is embedded
		a.refuse(w, r, wire.Problem{Status: http.StatusInternalServerError, Code: wire.CodeInternal})
		return
	}
	servePublic(w, r, "text/css; charset=utf-8", text)
}

// servePublic serves what everybody may see and keep for a while (ruling 30).
func servePublic(w http.ResponseWriter, r *http.Request, contentType string, text []byte) {
	sum := sha256.Sum256(text)
	h := w.Header()
	h.Set("Cache-Control", publicFor)
	h.Set("Content-Type", contentType)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// servePublicToOrigins is servePublic for an open endpoint. A cache that keeps an
// answer without CORS headers must not give it to a page of another origin.
func servePublicToOrigins(w http.ResponseWriter, r *http.Request, contentType string, text []byte) {
	if h := w.Header(); !slices.Contains(h["Vary"], "Origin") {
		h.Add("Vary", "Origin")
	}
	servePublic(w, r, contentType, text)
}
