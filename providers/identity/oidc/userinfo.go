package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// userinfo asks for the claims that are not in the id_token. They must be
// about the same subject (S24, OpenID Connect Core 1.0 section 5.3.2).
func (p *Provider) userinfo(ctx context.Context, meta *metadata, accessToken, subject string) (claims, error) {
	const doing = "asking for the userinfo"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, meta.userinfo, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	r.Header.Set("Accept", "application/json")
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, idp.Unavailable(doing, err)
	}
	defer resp.Body.Close()
	var c claims
	if err := json.NewDecoder(resp.Body).Decode(&c); err != nil {
		return nil, errors.New("asking for the userinfo: the answer is not a JSON object")
	}
	if c.text("sub") != subject {
		return nil, errors.New(`asking for the userinfo: its "sub" is not that of the id_token`)
	}
	return c, nil
}
