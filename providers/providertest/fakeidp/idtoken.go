package fakeidp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	idTokenLifetime = 5 * time.Minute
	somebodyElse    = "somebody-else"
)

// idToken makes the id_token of a sign-in (OpenID Connect Core 1.0 section 2).
func (p *IdP) idToken(client Client, g grant) (string, error) {
	payload, err := json.Marshal(p.idTokenClaims(client, g))
	if err != nil {
		return "", fmt.Errorf("writing the id_token: %w", err)
	}
	key, err := p.keys.key()
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	switch {
	case g.faults.has(AlgNone):
		return encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(payload) + ".", nil
	case g.faults.has(HS256WithSecret):
		secret := []byte(client.Secret)
		if len(secret) == 0 {
			if secret, err = publicPEM(key); err != nil {
				return "", err
			}
		}
		// By hand: go-jose refuses a secret of less than 32 bytes.
		header := fmt.Appendf(nil, `{"alg":"HS256","kid":%q,"typ":"JWT"}`, key.KeyID)
		input := encode(header) + "." + encode(payload)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return input + "." + encode(mac.Sum(nil)), nil
	case g.faults.has(UnknownKey):
		if key, err = p.keys.unknown(); err != nil {
			return "", err
		}
	case g.faults.has(BadSignature):
		stranger, err := p.keys.unknown()
		if err != nil {
			return "", err
		}
		key.Key = stranger.Key
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("preparing the signature: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing the id_token: %w", err)
	}
	return signed.CompactSerialize()
}

func (p *IdP) idTokenClaims(client Client, g grant) map[string]any {
	issued := p.config.Now()
	expires := issued.Add(idTokenLifetime)
	switch {
	case g.faults.has(ExpiredIDToken):
		issued, expires = issued.Add(-idTokenLifetime), issued.Add(-2*time.Minute)
	case g.faults.has(FutureIDToken):
		issued, expires = issued.Add(10*time.Minute), issued.Add(time.Hour)
	case g.faults.has(OldIDToken):
		issued, expires = issued.Add(-time.Hour), issued.Add(time.Hour)
	}
	claims := map[string]any{
		"iss": p.config.Issuer,
		"aud": client.ID,
		"iat": issued.Unix(),
		"exp": expires.Unix(),
		"sid": g.sid,
	}
	switch {
	case g.faults.has(WrongNonce):
		claims["nonce"] = random()
	case !g.faults.has(NoNonce) && g.request.Nonce != "":
		claims["nonce"] = g.request.Nonce
	}
	if g.faults.has(WrongIssuer) {
		claims["iss"] = "https://attacker.example"
	}
	if g.faults.has(WrongAudience) {
		claims["aud"] = somebodyElse
	}
	if g.faults.has(ManyAudiences) {
		claims["aud"] = []string{client.ID, somebodyElse}
	}
	if g.faults.has(WrongAzp) {
		claims["azp"] = somebodyElse
	}
	withEmail := !g.faults.has(EmailInUserinfo) && !g.faults.has(UserinfoOtherSubject)
	maps.Copy(claims, g.personClaims(withEmail))
	return claims
}

// personClaims says who it is, as far as the scopes ask (OpenID Connect Core
// 1.0 section 5.4).
func (g grant) personClaims(withEmail bool) map[string]any {
	claims := map[string]any{"sub": g.person.Subject}
	if withEmail && slices.Contains(g.request.Scopes, "email") && !g.faults.has(NoEmail) && g.person.Email != "" {
		claims["email"] = g.person.Email
		switch {
		case g.faults.has(UnverifiedEmail):
			claims["email_verified"] = false
		case g.faults.has(EmailVerifiedAsString):
			claims["email_verified"] = "true"
		case g.person.EmailVerified != nil:
			claims["email_verified"] = g.person.EmailVerified
		}
	}
	if slices.Contains(g.request.Scopes, "profile") {
		for name, value := range map[string]string{
			"name": g.person.Name, "preferred_username": g.person.Username, "picture": g.person.Picture,
		} {
			if value != "" {
				claims[name] = value
			}
		}
	}
	maps.Copy(claims, g.person.Extra)
	return claims
}
