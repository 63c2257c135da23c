package idp

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// CheckURL judges the address of a provider that stands in option.
func CheckURL(option, address string) error {
	const expected = "expected an absolute https URL without query, fragment or user (http only for localhost, 127.0.0.0/8 and [::1])"
	if address == "" {
		return fmt.Errorf("%s: found nothing, %s", option, expected)
	}
	u, err := url.Parse(address)
	if err != nil {
		return errors.New(option + ": found something that is no URL, " + expected)
	}
	if u.User != nil {
		// Whatever stands before the @ may be a password.
		return errors.New(option + ": found a URL with a user, " + expected)
	}
	if shown, _, more := strings.Cut(strings.ReplaceAll(address, "#", "?"), "?"); more {
		// What comes behind may be a secret as well.
		return fmt.Errorf("%s: found %q with a query or a fragment, %s", option, shown, expected)
	}
	if !SecureURL(u, true) {
		return fmt.Errorf("%s: found %q, %s", option, address, expected)
	}
	return nil
}

// SecureURL reports whether u may be talked to: https, or http on this machine
// where that is allowed.
func SecureURL(u *url.URL, loopbackHTTP bool) bool {
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
