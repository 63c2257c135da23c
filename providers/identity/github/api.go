package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// get asks the API and decodes its answer, which is strict JSON (S26), into v,
// numbers as json.Number. The error wraps providers.ErrUnavailable if asking later may help.
func (p *Provider) get(ctx context.Context, path, accessToken string, v any) error {
	resource, _, _ := strings.Cut(path, "?")
	doing := "asking the API for " + resource
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.apiURL+path, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("User-Agent", "auth-gateway") // GitHub refuses requests without one
	resp, err := p.client.Do(r)
	if err != nil {
		return failure(doing, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return failure(doing, err)
	}
	if err := idp.CheckJSON(body); err != nil {
		return fmt.Errorf("%s: the answer is not what it should be: %w", doing, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(v); err != nil {
		return errors.New(doing + ": the answer is not what it should be")
	}
	return nil
}

// failure tells a refusal, which asking later does not heal, from an API that
// does not answer.
func failure(doing string, err error) error {
	var status *idp.StatusError
	if errors.As(err, &status) && status.Status >= 400 && status.Status < 500 && !status.RateLimited {
		return fmt.Errorf("%s: %w", doing, status)
	}
	return idp.Unavailable(doing, err)
}
