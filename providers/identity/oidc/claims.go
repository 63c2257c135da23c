package oidc

import (
	"maps"
	"math"
	"time"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// claims is a JSON object as decoded. Names are compared exactly.
type claims map[string]any

// text returns a string claim, or "".
func (c claims) text(name string) string {
	s, _ := c[name].(string)
	return s
}

// list returns a claim that is one string or a list of them; whatever else is
// in it is left out.
func (c claims) list(name string) []string {
	switch v := c[name].(type) {
	case string:
		return []string{v}
	case []any:
		texts := make([]string, 0, len(v))
		for _, item := range v {
			if s, ok := item.(string); ok {
				texts = append(texts, s)
			}
		}
		return texts
	default:
		return nil
	}
}

// audience returns "aud", a string or a list of them (RFC 7519 section 4.1.3).
// With anything else in the list it is none: what is left of it would look like
// a token for fewer clients, of which none has to be named by "azp".
func (c claims) audience() []string {
	audience := c.list("aud")
	if all, isList := c["aud"].([]any); isList && len(audience) < len(all) {
		return nil
	}
	return audience
}

// time returns a NumericDate claim (RFC 7519 section 2).
func (c claims) time(name string) (time.Time, bool) {
	seconds, ok := c[name].(float64)
	if !ok || math.Abs(seconds) > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// email returns the address if it is one.
func (c claims) email() string {
	if email := c.text("email"); idp.ValidEmail(email) {
		return email
	}
	return ""
}

// with returns c and what else more says. The address and its verification
// belong together, so both come from more: an "email_verified" of the id_token
// says nothing about an address of the userinfo.
func (c claims) with(more claims) claims {
	merged := maps.Clone(more)
	for name, value := range c {
		if name != "email" && name != "email_verified" {
			merged[name] = value
		}
	}
	return merged
}
