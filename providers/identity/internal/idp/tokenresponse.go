package idp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// errNoTokenResponse says that the answer of a token endpoint is not what RFC
// 6749 section 5.1 says.
var errNoTokenResponse = errors.New("the provider's answer is not a token response")

// tokenResponse looks at the answer of the token endpoint before x/oauth2 does,
// which takes the last of repeated members (S26).
type tokenResponse struct {
	base    http.RoundTripper
	members map[string]any
}

// RoundTrip asks the token endpoint. An answer of status 200 that is no strict
// JSON object is errNoTokenResponse; what a refusal says is for x/oauth2.
func (t *tokenResponse) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if t.members, err = DecodeObject(body); err != nil {
		return nil, errNoTokenResponse
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// checkType refuses a token of a type that we do not know how to use (RFC 6749
// section 7.1, OpenID Connect Core 1.0 section 3.1.3.3). The type is required,
// but providers have left it out, and then it can only be the one that every
// client knows: a token of another type has more to say, such as its key.
func (t *tokenResponse) checkType() error {
	value, present := t.members["token_type"]
	if kind, _ := value.(string); present && !strings.EqualFold(kind, "bearer") {
		return errors.New(`"token_type" is not "Bearer"`)
	}
	return nil
}
