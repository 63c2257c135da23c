package oidc

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// asymmetric are the algorithms that an id_token may be signed with. No HMAC:
// its key is a secret that the gateway shares with others (S1, S24).
var asymmetric = []string{
	string(jose.RS256), string(jose.RS384), string(jose.RS512),
	string(jose.PS256), string(jose.PS384), string(jose.PS512),
	string(jose.ES256), string(jose.ES384), string(jose.ES512),
	string(jose.EdDSA),
}

// ours are the authorize parameters of the protocol, and those that would
// change where or how the answer comes.
var ours = []string{
	"client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce", "redirect_uri",
	"request", "request_uri", "response_mode", "response_type", "scope", "state",
}

// Validate checks the configuration.
func (p *Provider) Validate() error {
	if err := checkIssuer(p.issuer); err != nil {
		return err
	}
	if p.clientID == "" {
		return errors.New("client_id: found nothing, expected the gateway's name at the provider")
	}
	if !slices.Contains(p.Scopes, "openid") {
		return fmt.Errorf("scopes: found %q, expected openid among them", strings.Join(p.Scopes, " "))
	}
	if !slices.Contains(asymmetric, p.SigningAlgorithm) {
		return fmt.Errorf("signing_algorithm: found %q, expected one of %s", p.SigningAlgorithm, strings.Join(asymmetric, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(p.AuthParams)) {
		if name == "" || slices.Contains(ours, strings.ToLower(name)) {
			return fmt.Errorf("auth_params: found %q, expected none of the protocol's own (%s)", name, strings.Join(ours, ", "))
		}
	}
	return nil
}

func checkIssuer(issuer string) error {
	const expected = "expected an absolute https URL without query, fragment or user (http only for localhost, 127.0.0.0/8 and [::1])"
	if issuer == "" {
		return errors.New("issuer: found nothing, " + expected)
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return errors.New("issuer: found something that is no URL, " + expected)
	}
	if u.User != nil {
		// Whatever stands before the @ may be a password.
		return errors.New("issuer: found a URL with a user, " + expected)
	}
	if strings.ContainsAny(issuer, "?#") || !secureURL(u, true) {
		return fmt.Errorf("issuer: found %q, %s", issuer, expected)
	}
	return nil
}

// secureURL reports whether u may be talked to: https, or http on this machine
// where that is allowed.
func secureURL(u *url.URL, loopbackHTTP bool) bool {
	if u.Hostname() == "" || u.Opaque != "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || loopbackHTTP && u.Scheme == "http" && IsLoopback(u.Hostname())
}

// IsLoopback reports whether host is this machine: localhost, 127.0.0.0/8 or
// ::1, without brackets. Other names may be anybody's to point elsewhere.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
