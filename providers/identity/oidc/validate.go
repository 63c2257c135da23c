package oidc

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// asymmetric are the algorithms that an id_token may be signed with. No HMAC:
// its key is a secret that the gateway shares with others (S1, S24).
var asymmetric = []string{
	string(jose.RS256), string(jose.RS384), string(jose.RS512),
	string(jose.PS256), string(jose.PS384), string(jose.PS512),
	string(jose.ES256), string(jose.ES384), string(jose.ES512),
	string(jose.EdDSA),
}

// ours are the authorize parameters of the protocol, and those that would
// change where or how the answer comes.
var ours = []string{
	"client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce", "redirect_uri",
	"request", "request_uri", "response_mode", "response_type", "scope", "state",
}

// Validate checks the configuration.
func (p *Provider) Validate() error {
	if err := idp.CheckURL("issuer", p.issuer); err != nil {
		return err
	}
	if p.clientID == "" {
		return errors.New("client_id: found nothing, expected the gateway's name at the provider")
	}
	if !slices.Contains(p.Scopes, "openid") {
		return fmt.Errorf("scopes: found %q, expected openid among them", strings.Join(p.Scopes, " "))
	}
	if !slices.Contains(asymmetric, p.SigningAlgorithm) {
		return fmt.Errorf("signing_algorithm: found %q, expected one of %s", p.SigningAlgorithm, strings.Join(asymmetric, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(p.AuthParams)) {
		if name == "" || slices.Contains(ours, strings.ToLower(name)) {
			return fmt.Errorf("auth_params: found %q, expected none of the protocol's own (%s)", name, strings.Join(ours, ", "))
		}
	}
	return nil
}
