package authapi

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/datahq/auth-gateway/internal/wire"
)

// publicFor is how long others may keep what is public: keys and CSS.
const publicFor = 5 * time.Minute

//go:embed static/style.css
var static embed.FS

// publicKey serves the active public key, the one that signs. While keys are
// exchanged it is the old one until the moment when the new one signs: whoever
// asks gets what verifies today's tokens (security, section 3). Its type is the
// original's (contract 1.2).
func (a *API) publicKey(w http.ResponseWriter, r *http.Request) {
	a.serveKeys(w, r, "text/html; charset=utf-8", a.Keys.PublicKeyPEM())
}

// jwks serves all public keys (RFC 7517): the active one, the next one from a day
// before it signs, and retired ones until their last token has ended.
func (a *API) jwks(w http.ResponseWriter, r *http.Request) {
	a.serveKeys(w, r, "application/json", a.Keys.JWKS())
}

func (a *API) serveKeys(w http.ResponseWriter, r *http.Request, contentType string, text []byte) {
	if len(text) == 0 {
		a.problemJSON(w, r, unavailable)
		return
	}
	servePublicToOrigins(w, r, contentType, text, a.keysStay(time.Now()))
}

// keysStay is how long others may keep the keys: no longer than they stay as they
// are. Behind a cache, a service that starts just after an exchange would else
// read the old key, and keep it.
func (a *API) keysStay(now time.Time) time.Duration {
	keys, ok := a.Keys.(interface{ Until() time.Time })
	if !ok || keys.Until().IsZero() {
		return publicFor
	}
	return min(max(keys.Until().Sub(now), 0), publicFor)
}

// styleSheet serves the one CSS file of the pages.
func (a *API) styleSheet(w http.ResponseWriter, r *http.Request) {
	text, err := static.ReadFile("static/style.css")
	if err != nil { // it is embedded
		a.refuse(w, r, wire.Problem{Status: http.StatusInternalServerError, Code: wire.CodeInternal})
		return
	}
	servePublic(w, r, "text/css; charset=utf-8", text, publicFor)
}

// servePublic serves what everybody may see and keep for a while (ruling 30).
func servePublic(w http.ResponseWriter, r *http.Request, contentType string, text []byte, stay time.Duration) {
	sum := sha256.Sum256(text)
	h := w.Header()
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(stay/time.Second)))
	h.Set("Content-Type", contentType)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// servePublicToOrigins is servePublic for an open endpoint. A cache that keeps an
// answer without CORS headers must not give it to a page of another origin.
func servePublicToOrigins(w http.ResponseWriter, r *http.Request, contentType string, text []byte, stay time.Duration) {
	if h := w.Header(); !slices.Contains(h["Vary"], "Origin") {
		h.Add("Vary", "Origin")
	}
	servePublic(w, r, contentType, text, stay)
}
