package demo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// tokenHeader is where the gateway forwards its permission token, if a route
// asks for it.
const tokenHeader = "X-Auth-Token"

// maxToken is the size of the longest token that is decoded, in bytes; the
// gateway makes none that is longer.
const maxToken = 8 << 10

// forwarded is a permission token that came along.
type forwarded struct {
	// Verified says that the gateway signed it and it is good now. Only then is
	// anything in it true.
	Verified bool `json:"verified"`
	// Error says why it is not verified.
	Error string `json:"error"`
	// Header and Claims are what it says, JSON objects; nil if it is no token.
	Header json.RawMessage `json:"header"`
	Claims json.RawMessage `json:"claims"`

	// Expires is set once it is verified.
	Expires time.Time `json:"-"`
}

// readToken verifies the forwarded token as any service would: with the public
// key of the gateway, and nothing that the request says.
func (s *server) readToken(ctx context.Context, values []string, who identity) *forwarded {
	switch len(values) {
	case 0:
		return nil
	case 1:
	default:
		return &forwarded{Error: fmt.Sprintf("%d token headers came; there must be one", len(values))}
	}
	raw := values[0]
	f := &forwarded{}
	f.Header, f.Claims = decode(raw)
	if err := s.verify(ctx, f, raw, who); err != nil {
		f.Error = err.Error()
	}
	return f
}

func (s *server) verify(ctx context.Context, f *forwarded, raw string, who identity) error {
	verifier, err := s.keys.verifier(ctx)
	if err != nil {
		return err
	}
	p, err := verifier.Permission(raw, time.Now())
	if err != nil {
		return err
	}
	// A service that has a name compares the token's service with it. The demo
	// answers for every service, so it takes the name that the gateway gave.
	if id := who.Get("user_id"); id != "" && id != p.UserID {
		return errors.New("the token and X-Auth-User-Id name different users")
	}
	if service := who.Get("service"); service != "" && service != p.Service {
		return errors.New("the token and X-Auth-Service name different services")
	}
	f.Verified, f.Expires = true, p.ExpiresAt
	return nil
}

// decode reads a token's first two parts without believing them.
func decode(raw string) (header, claims json.RawMessage) {
	parts := strings.Split(raw, ".")
	if len(raw) > maxToken || len(parts) != 3 {
		return nil, nil
	}
	return decodePart(parts[0]), decodePart(parts[1])
}

func decodePart(part string) json.RawMessage {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil || object == nil {
		return nil
	}
	return json.RawMessage(strings.ToValidUTF8(string(text), "\ufffd"))
}
