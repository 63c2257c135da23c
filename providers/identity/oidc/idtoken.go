package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

const (
	// leeway is how far two clocks may be apart.
	leeway = 60 * time.Second
	// maxAge is how long ago an id_token may have been issued: it was asked for
	// just now.
	maxAge     = 10 * time.Minute
	maxSubject = 255
)

// idToken verifies the id_token of a token response and returns its claims
// (S24, OpenID Connect Core 1.0 section 3.1.3.7).
func (p *Provider) idToken(ctx context.Context, meta *metadata, token *oauth2.Token, nonce string) (claims, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return nil, errors.New("the token response has no id_token")
	}
	payload, err := meta.keys.verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("verifying the id_token: %w", err)
	}
	var c claims
	if c, err = idp.DecodeObject(payload); err != nil {
		return nil, fmt.Errorf("verifying the id_token: its payload is not what it should be: %w", err)
	}
	if err := p.checkClaims(c, nonce); err != nil {
		return nil, fmt.Errorf("verifying the id_token: %w", err)
	}
	return c, nil
}

func (p *Provider) checkClaims(c claims, nonce string) error {
	if issuer := c.text("iss"); issuer != p.issuer && (p.issuer != googleIssuer || issuer != googleShortIssuer) {
		return errors.New(`"iss" is not the provider's issuer`)
	}
	audience := c.audience()
	if !slices.Contains(audience, p.clientID) {
		return errors.New(`"aud" does not name the gateway`)
	}
	if azp, present := c["azp"]; present && azp != p.clientID || !present && len(audience) > 1 {
		return errors.New(`"azp" does not name the gateway`)
	}
	if !validSubject(c.text("sub")) {
		return fmt.Errorf(`"sub" is not a text of 1 to %d printable ASCII characters`, maxSubject)
	}
	if subtle.ConstantTimeCompare([]byte(c.text("nonce")), []byte(nonce)) != 1 {
		return errors.New(`"nonce" is not the one of this sign-in`)
	}
	return checkTimes(c, p.now())
}

// checkTimes comes last, so that ErrClockSkew is said of tokens only in which
// nothing else is wrong.
func checkTimes(c claims, now time.Time) error {
	expires, ok := c.time("exp")
	if !ok {
		return errors.New(`"exp" is missing or no number`)
	}
	issued, ok := c.time("iat")
	if !ok {
		return errors.New(`"iat" is missing or no number`)
	}
	switch {
	case !now.Before(expires.Add(leeway)):
		return fmt.Errorf(`"exp" is over: %w`, providers.ErrClockSkew)
	case issued.After(now.Add(leeway)):
		return fmt.Errorf(`"iat" is in the future: %w`, providers.ErrClockSkew)
	case issued.Before(now.Add(-maxAge - leeway)):
		return fmt.Errorf(`"iat" is more than %s ago: %w`, maxAge, providers.ErrClockSkew)
	}
	if _, present := c["nbf"]; present {
		notBefore, ok := c.time("nbf")
		if !ok {
			return errors.New(`"nbf" is no number`)
		}
		if notBefore.After(now.Add(leeway)) {
			return fmt.Errorf(`"nbf" is in the future: %w`, providers.ErrClockSkew)
		}
	}
	return nil
}

func validSubject(subject string) bool {
	for i := range len(subject) {
		if subject[i] < ' ' || subject[i] > '~' {
			return false
		}
	}
	return subject != "" && len(subject) <= maxSubject
}
