package caddymodule

import (
	"time"

	"github.com/datahq/auth-gateway/internal/token"
)

// observedTokens counts the signatures that are checked. A decision that is
// remembered checks none.
type observedTokens struct {
	*token.Ring
	metrics *collectors
}

func (t observedTokens) VerifySession(raw string, now time.Time) (token.Session, error) {
	claims, err := t.Ring.VerifySession(raw, now)
	t.count("session", err)
	return claims, err
}

func (t observedTokens) VerifyPermission(raw string, now time.Time) (token.Permission, error) {
	claims, err := t.Ring.VerifyPermission(raw, now)
	t.count("permission", err)
	return claims, err
}

func (t observedTokens) count(kind string, err error) {
	result := "valid"
	if err != nil {
		result = "invalid"
	}
	t.metrics.verifications.WithLabelValues(kind, result).Inc()
}
