package idp

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/caddyserver/caddy/v2"
)

// onePlaceholder is a value that names where a secret is and holds nothing of
// it.
var onePlaceholder = regexp.MustCompile(`^\{(env|file)\.[^{}]+\}$`)

// ResolveSecret replaces the placeholders of client_secret. Caddy's errors
// print what stands between braces: in a literal secret that is a part of it,
// so they are passed on only where it cannot be.
func ResolveSecret(value string) (string, error) {
	secret, err := caddy.NewReplacer().ReplaceOrErr(value, true, true)
	switch {
	case err == nil:
		return secret, nil
	case onePlaceholder.MatchString(value):
		return "", fmt.Errorf("client_secret: %w", err)
	default:
		return "", errors.New(`client_secret: found a placeholder that is unknown or empty, expected {env.NAME}, {file./absolute/path}, or a literal with its braces written \{ and \}`)
	}
}
