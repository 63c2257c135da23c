package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// attempt is the private data of a sign-in.
type attempt struct {
	// Verifier is the PKCE code verifier (RFC 7636 section 4.1), which GitHub
	// looks at since 2025-07-14; older Enterprise Servers ignore it.
	Verifier string `json:"verifier"`
}

// LoginURL begins a sign-in with a verifier of its own. It asks nobody.
func (p *Provider) LoginURL(_ context.Context, redirectURI, state string) (string, []byte, error) {
	if p.client == nil {
		return "", nil, idp.ErrNotProvisioned
	}
	if err := idp.CheckStart(redirectURI, state); err != nil {
		return "", nil, err
	}
	a := attempt{Verifier: oauth2.GenerateVerifier()}
	private, err := json.Marshal(a)
	if err != nil {
		return "", nil, fmt.Errorf("keeping the sign-in: %w", err)
	}
	return p.oauth2(redirectURI).AuthCodeURL(state, oauth2.S256ChallengeOption(a.Verifier)), private, nil
}

func (p *Provider) oauth2(redirectURI string) *oauth2.Config {
	return &oauth2.Config{
		ClientID:     p.clientID,
		ClientSecret: p.secret(),
		Endpoint: oauth2.Endpoint{
			AuthURL:   p.url + "/login/oauth/authorize",
			TokenURL:  p.url + "/login/oauth/access_token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
		RedirectURL: redirectURI,
		Scopes:      p.Scopes,
	}
}

func parseAttempt(private []byte) (attempt, error) {
	var a attempt
	if err := json.Unmarshal(private, &a); err != nil || a.Verifier == "" {
		return attempt{}, errors.New("the private data of the sign-in is not what LoginURL returned")
	}
	return a, nil
}
