package github

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// emailScope lets the list of addresses be read, and so does the wider "user"
// (docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps).
const (
	emailScope = "user:email"
	userScope  = "user"
)

// Validate checks the configuration.
func (p *Provider) Validate() error {
	if err := idp.CheckURL("url", p.url); err != nil {
		return err
	}
	if err := idp.CheckURL("api_url", p.apiURL); err != nil {
		return err
	}
	if p.clientID == "" {
		return errors.New("client_id: found nothing, expected the client ID of the OAuth app")
	}
	if p.secret() == "" {
		return errors.New("client_secret: found nothing, expected the client secret of the OAuth app")
	}
	if !slices.Contains(p.Scopes, emailScope) && !slices.Contains(p.Scopes, userScope) {
		return fmt.Errorf("scopes: found %q, expected %s (or %s) among them", strings.Join(p.Scopes, " "), emailScope, userScope)
	}
	return nil
}
