package token

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// claims is a token's payload.
type claims map[string]any

// claimNames are the claims that mean something here.
var claimNames = []string{"iss", "userid", "sid", "service", "permissions", "use", "jti", "iat", "nbf", "exp", "aud"}

// maxDate is the last second of the year 9999, the end of what other systems can
// store.
const maxDate = 253402300799

// times are a token's dates; issuedAt and notBefore are zero where not given.
type times struct {
	issuedAt, notBefore, expiresAt time.Time
}

// check compares the dates with the clock (S5). The token lives as long as now
// is before "exp", to the moment.
func (t times) check(now time.Time) error {
	if t.issuedAt.After(now.Add(leeway)) {
		return invalid("iat: in the future")
	}
	if t.notBefore.After(now.Add(leeway)) {
		return invalid("nbf: in the future")
	}
	if !now.Before(t.expiresAt) {
		return fmt.Errorf("%w: exp: in the past", ErrExpired)
	}
	return nil
}

// permission reads the claims of a permission token. issuer is the one it must
// name, or "" for any. The dates are not compared with the clock.
func (c claims) permission(issuer string) (p Permission, t times, err error) {
	if t, err = c.common(issuer); err != nil {
		return Permission{}, times{}, err
	}
	if p.UserID, err = c.name("userid", 1); err != nil {
		return Permission{}, times{}, err
	}
	if p.SessionID, err = c.name("sid", 0); err != nil {
		return Permission{}, times{}, err
	}
	var ok bool
	if p.Service, ok = c["service"].(string); !ok {
		return Permission{}, times{}, invalid("service: not a string")
	}
	if p.Permissions, ok = c["permissions"].(map[string]any); !ok {
		return Permission{}, times{}, invalid("permissions: not an object")
	}
	if _, given := c["use"]; given {
		if p.Use, err = c.name("use", 1); err != nil {
			return Permission{}, times{}, err
		}
	}
	if _, given := c["jti"]; given {
		if p.ID, err = c.name("jti", 1); err != nil {
			return Permission{}, times{}, err
		}
	}
	p.IssuedAt, p.ExpiresAt = t.issuedAt, t.expiresAt
	return p, t, nil
}

// session reads the claims of a session token, as permission does.
func (c claims) session(issuer string) (s Session, t times, err error) {
	if t, err = c.common(issuer); err != nil {
		return Session{}, times{}, err
	}
	if s.UserID, err = c.name("userid", 1); err != nil {
		return Session{}, times{}, err
	}
	if s.SessionID, err = c.name("sid", 1); err != nil {
		return Session{}, times{}, err
	}
	s.IssuedAt, s.ExpiresAt = t.issuedAt, t.expiresAt
	return s, t, nil
}

// common reads what both kinds have.
func (c claims) common(issuer string) (t times, err error) {
	for name := range c {
		if !slices.Contains(claimNames, name) && slices.ContainsFunc(claimNames, func(known string) bool { return strings.EqualFold(known, name) }) {
			return times{}, invalid("payload: a claim's name is in the wrong case")
		}
	}
	// RFC 7519, section 4.1.3: who does not find himself in "aud" refuses. We
	// issue none, so such a token was made for somebody else.
	if _, given := c["aud"]; given {
		return times{}, invalid("aud: not one of our tokens")
	}
	iss, ok := c["iss"].(string)
	if !ok || iss == "" || issuer != "" && iss != issuer {
		return times{}, invalid("iss: not the issuer")
	}
	if t.expiresAt, err = c.date("exp"); err != nil {
		return times{}, err
	}
	if _, given := c["iat"]; given {
		if t.issuedAt, err = c.date("iat"); err != nil {
			return times{}, err
		}
	}
	if _, given := c["nbf"]; given {
		if t.notBefore, err = c.date("nbf"); err != nil {
			return times{}, err
		}
	}
	return t, nil
}

// name reads a claim that is a string of minimum to 128 bytes without control
// characters.
func (c claims) name(claim string, minimum int) (string, error) {
	text, ok := c[claim].(string)
	if !ok {
		return "", invalid(claim + ": not a string")
	}
	if len(text) < minimum || len(text) > maxName {
		return "", invalid(claim + ": empty or too long")
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] == 0x7f {
			return "", invalid(claim + ": has a control character")
		}
	}
	return text, nil
}

// date reads a claim that is a NumericDate (RFC 7519, section 2): seconds since
// 1970, perhaps with decimals.
func (c claims) date(claim string) (time.Time, error) {
	number, ok := c[claim].(float64)
	if !ok {
		return time.Time{}, invalid(claim + ": not a number")
	}
	if number < 0 || number > maxDate {
		return time.Time{}, invalid(claim + ": out of range")
	}
	seconds, fraction := math.Modf(number)
	return time.Unix(int64(seconds), int64(fraction*1e9)).UTC(), nil
}
