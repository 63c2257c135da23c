package oidc

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// attempt is the private data of a sign-in.
type attempt struct {
	// Verifier is the PKCE code verifier (RFC 7636 section 4.1).
	Verifier string `json:"verifier"`
	// Nonce binds the id_token to this sign-in (OpenID Connect Core 1.0 section
	// 3.1.2.1).
	Nonce string `json:"nonce"`
}

// LoginURL begins a sign-in with a verifier and a nonce of its own.
func (p *Provider) LoginURL(ctx context.Context, redirectURI, state string) (string, []byte, error) {
	if p.discovery == nil {
		return "", nil, idp.ErrNotProvisioned
	}
	if err := idp.CheckStart(redirectURI, state); err != nil {
		return "", nil, err
	}
	meta, err := p.discovery.get(ctx)
	if err != nil {
		return "", nil, err
	}
	a := attempt{Verifier: oauth2.GenerateVerifier(), Nonce: newNonce()}
	private, err := json.Marshal(a)
	if err != nil {
		return "", nil, fmt.Errorf("keeping the sign-in: %w", err)
	}
	options := []oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(a.Verifier),
		oauth2.SetAuthURLParam("nonce", a.Nonce),
	}
	for _, name := range slices.Sorted(maps.Keys(p.AuthParams)) {
		options = append(options, oauth2.SetAuthURLParam(name, p.AuthParams[name]))
	}
	return p.oauth2(meta, redirectURI).AuthCodeURL(state, options...), private, nil
}

// SendsIssuer reports whether the provider's metadata announces "iss" in the
// callback (RFC 9207 section 3).
func (p *Provider) SendsIssuer(ctx context.Context) (bool, error) {
	if p.discovery == nil {
		return false, idp.ErrNotProvisioned
	}
	meta, err := p.discovery.get(ctx)
	if err != nil {
		return false, err
	}
	return meta.sendsIssuer, nil
}

func (p *Provider) oauth2(meta *metadata, redirectURI string) *oauth2.Config {
	config := &oauth2.Config{
		ClientID:     p.clientID,
		ClientSecret: p.secret(),
		Endpoint:     meta.Endpoint,
		RedirectURL:  redirectURI,
		Scopes:       p.Scopes,
	}
	if config.ClientSecret == "" {
		// A public client has nothing to prove; it says its name in the form.
		config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return config
}

// newNonce returns 256 random bits in base64url.
func newNonce() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func parseAttempt(private []byte) (attempt, error) {
	var a attempt
	if err := json.Unmarshal(private, &a); err != nil || a.Verifier == "" || a.Nonce == "" {
		return attempt{}, errors.New("the private data of the sign-in is not what LoginURL returned")
	}
	return a, nil
}
