package fakeidp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
)

const maxForm = 64 << 10

// serveToken swaps a code for tokens (RFC 6749 section 4.1.3). Whatever comes
// of it, the code is gone: a client that tries twice has lost, as at a real
// provider.
func (p *IdP) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request")
		return
	}
	form := r.PostForm
	if form.Get("grant_type") != "authorization_code" {
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	grant, ok := p.codes.take(form.Get("code"), p.config.Now())
	if p.misbehave(w, r, grant.faults.ofTransport()) {
		return
	}
	client, authenticated := p.authenticate(r, form)
	if !authenticated {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		tokenError(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if !ok || grant.faults.has(ExpiredCode) || grant.faults.has(UsedCode) ||
		grant.request.ClientID != client.ID ||
		grant.request.RedirectURI != form.Get("redirect_uri") ||
		!verifies(form.Get("code_verifier"), grant.request.CodeChallenge) {
		tokenError(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	access := random()
	p.access.put(access, grant, p.config.Now())
	answer := map[string]any{
		"access_token":  access,
		"refresh_token": random(),
		"token_type":    "Bearer",
		"expires_in":    int(accessLifetime.Seconds()),
	}
	if !grant.faults.has(NoIDToken) {
		idToken, err := p.idToken(client, grant)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer["id_token"] = idToken
	}
	writeJSON(w, http.StatusOK, answer)
}

// authenticate finds out which client asks, by one of the methods that are
// announced.
func (p *IdP) authenticate(r *http.Request, form url.Values) (Client, bool) {
	method, id, secret := "none", form.Get("client_id"), ""
	if user, password, ok := r.BasicAuth(); ok {
		method = "client_secret_basic"
		id, secret = unescape(user), unescape(password)
	} else if form.Has("client_secret") {
		method, secret = "client_secret_post", form.Get("client_secret")
	}
	client, known := p.config.client(id)
	right := subtle.ConstantTimeCompare([]byte(secret), []byte(client.Secret)) == 1
	return client, known && right && slices.Contains(p.config.AuthMethods, method)
}

// unescape undoes the form encoding inside HTTP Basic (RFC 6749 section
// 2.3.1).
func unescape(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return plain
}

// verifies checks PKCE (RFC 7636 section 4.6).
func verifies(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	hash := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(hash[:])), []byte(challenge)) == 1
}

func tokenError(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]string{
		"error": code, "error_description": "<b>" + code + "</b> told by the provider",
	})
}
