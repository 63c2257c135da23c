package fakeidp

import (
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

// serveMetadata answers discovery (OpenID Connect Discovery 1.0 section 4).
func (p *IdP) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	issuer := p.config.Issuer
	metadata := map[string]any{
		"issuer":                                issuer,
		"authorization_endpoint":                issuer + string(Authorize),
		"token_endpoint":                        issuer + string(Token),
		"userinfo_endpoint":                     issuer + string(Userinfo),
		"jwks_uri":                              issuer + string(JWKS),
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": p.config.AuthMethods,
		"code_challenge_methods_supported":      []string{"S256"},
		"scopes_supported":                      []string{"openid", "email", "profile"},
	}
	if !p.config.OmitIssuer {
		metadata["authorization_response_iss_parameter_supported"] = true
	}
	for name, value := range p.config.Metadata {
		if value == nil {
			delete(metadata, name)
		} else {
			metadata[name] = value
		}
	}
	writeJSON(w, http.StatusOK, metadata)
}

// serveJWKS answers with the public key (RFC 7517).
func (p *IdP) serveJWKS(w http.ResponseWriter, _ *http.Request) {
	key, err := p.keys.key()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
}
