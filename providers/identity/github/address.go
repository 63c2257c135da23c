package github

import (
	"net/url"
	"strings"
)

const (
	publicURL = "https://github.com"
	// enterpriseCloud is the domain of GitHub Enterprise Cloud with data
	// residency, where each customer has a name of its own.
	enterpriseCloud = ".ghe.com"
)

// plainURL writes an address in the one way in which it is compared: without a
// slash at its end, the host in lower case. The issuer of identities must not
// change because somebody writes it in another way.
func plainURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // Validate says what is wrong with it
	}
	if host := strings.ToLower(u.Host); u.Host != host {
		u.Host = host
		address = u.String()
	}
	return strings.TrimSuffix(address, "/")
}

// apiOf returns where the API of the GitHub at address is.
func apiOf(address string) string {
	u, err := url.Parse(address)
	if err == nil && u.Path == "" && (address == publicURL || strings.HasSuffix(u.Host, enterpriseCloud)) {
		u.Host = "api." + u.Host
		return u.String()
	}
	return address + "/api/v3"
}
