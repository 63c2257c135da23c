package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// get asks the API and decodes its answer into v, numbers as json.Number. The
// error wraps providers.ErrUnavailable if asking later may help.
func (p *Provider) get(ctx context.Context, path, accessToken string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.apiURL+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("User-Agent", "auth-gateway") // GitHub refuses requests without one
	resp, err := p.client.Do(r)
	if err != nil {
		return failure(path, err)
	}
	defer resp.Body.Close()
	decoder := json.NewDecoder(resp.Body)
	decoder.UseNumber()
	if err := decoder.Decode(v); err != nil {
		return fmt.Errorf("asking the API for %s: the answer is not what it should be", path)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("asking the API for %s: there is something behind the answer", path)
	}
	return nil
}

// failure tells a refusal, which asking later does not heal, from an API that
// does not answer.
func failure(path string, err error) error {
	doing := "asking the API for " + path
	var status *idp.StatusError
	if errors.As(err, &status) && status.Status >= 400 && status.Status < 500 && !status.RateLimited {
		return fmt.Errorf("%s: %w", doing, status)
	}
	return idp.Unavailable(doing, err)
}
