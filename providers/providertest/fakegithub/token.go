package fakegithub

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

const maxForm = 64 << 10

// serveAccessToken swaps a code for a token. Whatever comes of it, the code is
// gone. Errors come with status 200, as at GitHub.
func (g *GitHub) serveAccessToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "400 Bad Request", http.StatusBadRequest)
		return
	}
	form := r.PostForm
	v, found := g.take(form.Get("code"))
	client, known := g.config.client(form.Get("client_id"))
	right := subtle.ConstantTimeCompare([]byte(client.Secret), []byte(form.Get("client_secret"))) == 1
	scripted := v.faults.first(BadVerificationCode, IncorrectClientCredentials, RedirectURIMismatch, UnverifiedUserEmail)
	switch {
	case scripted != "":
		writeToken(w, r, refused(string(scripted)))
	case !known || !right:
		writeToken(w, r, refused(string(IncorrectClientCredentials)))
	case !found || v.clientID != client.ID || v.challenge != "" && !verifies(form.Get("code_verifier"), v.challenge):
		writeToken(w, r, refused(string(BadVerificationCode)))
	case form.Has("redirect_uri") && form.Get("redirect_uri") != v.redirectURI:
		writeToken(w, r, refused(string(RedirectURIMismatch)))
	default:
		g.grantToken(w, r, v)
	}
}

func (g *GitHub) grantToken(w http.ResponseWriter, r *http.Request, v grant) {
	if v.faults.has(NoScope) {
		v.scopes = nil
	}
	answer := url.Values{"token_type": {"bearer"}, "scope": {strings.Join(v.scopes, ",")}}
	if !v.faults.has(NoToken) {
		answer.Set("access_token", g.keep(g.tokens, "gho_", v))
	}
	writeToken(w, r, answer)
}

// writeToken answers in JSON only if it is asked to.
func writeToken(w http.ResponseWriter, r *http.Request, answer url.Values) {
	if r.Header.Get("Accept") != "application/json" {
		write(w, http.StatusOK, "application/x-www-form-urlencoded; charset=utf-8", answer.Encode())
		return
	}
	members := make(map[string]string)
	for name := range answer {
		members[name] = answer.Get(name)
	}
	writeJSON(w, http.StatusOK, members)
}

// verifies checks PKCE (RFC 7636 section 4.6).
func verifies(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	hash := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(hash[:])), []byte(challenge)) == 1
}
