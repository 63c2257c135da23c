package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, idp.Unavailable(doing, err)
	}
	var c claims
	if c, err = idp.DecodeObject(body); err != nil {
		return nil, fmt.Errorf("%s: the answer is not what it should be: %w", doing, err)
	}
	if p.oldUserinfo {
		c = c.modern()
	}
	if c.text("sub") != subject {
		return nil, errors.New(`asking for the userinfo: its "sub" is not that of the id_token`)
	}
	return c, nil
}

// modern returns the claims of Google's older userinfo (oauth2/v1/userinfo and
// v2), which the original service read, under their OpenID Connect names.
func (c claims) modern() claims {
	if _, has := c["sub"]; has {
		return c
	}
	modern := maps.Clone(c)
	modern["sub"], modern["email_verified"] = c["id"], c["verified_email"]
	return modern
}
