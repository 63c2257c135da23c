package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

const (
	perPage = 100 // the most that GitHub gives at once
	// maxPages bounds the search for the primary address.
	maxPages = 10
)

// primaryEmail asks for the person's addresses and returns the primary one if
// it is verified and well-formed, else "" (S27). No other counts: anybody can
// add anybody's address to an account (O11).
func (p *Provider) primaryEmail(ctx context.Context, accessToken string) (string, error) {
	for page := 1; page <= maxPages; page++ {
		var emails []map[string]any
		err := p.get(ctx, fmt.Sprintf("/user/emails?per_page=%d&page=%d", perPage, page), accessToken, &emails)
		var status *idp.StatusError
		if errors.As(err, &status) && (status.Status == http.StatusForbidden || status.Status == http.StatusNotFound) && !status.RateLimited {
			return "", fmt.Errorf("%w; the app may lack the scope user:email or, if it is a GitHub App, the permission to read e-mail addresses", err)
		}
		if err != nil {
			return "", err
		}
		if emails == nil {
			return "", errors.New("the API's list of addresses is null")
		}
		for _, email := range emails {
			// JSON booleans: what else there may be is not GitHub's word.
			if email["primary"] == true && email["verified"] == true {
				if address := text(email, "email"); idp.ValidEmail(address) {
					return address, nil
				}
				return "", nil
			}
		}
		if len(emails) < perPage {
			return "", nil
		}
	}
	return "", nil
}
