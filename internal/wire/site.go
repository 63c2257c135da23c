package wire

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Site is where the gateway lives as its users see it. Everything that leads
// back to the gateway comes from here, never from a request's Host (S16).
type Site struct {
	origin string // "https://app.example.com", no trailing slash
	host   string // lower-case, with a port unless it is the scheme's own
	path   string // "/auth"
	secure bool
}

// NewSite makes a Site of an external address and the path of the auth
// endpoints ("" means "/auth").
func NewSite(externalAddress, path string) (*Site, error) {
	u, err := ParseExternalAddress(externalAddress)
	if err != nil {
		return nil, err
	}
	if path == "" {
		path = "/auth"
	}
	if err := checkBasePath(path); err != nil {
		return nil, err
	}
	return &Site{origin: u.Scheme + "://" + u.Host, host: u.Host, path: path, secure: u.Scheme == "https"}, nil
}

// ParseExternalAddress reads the address under which users reach the gateway:
// "https://app.example.com", or "http://localhost:8080" on loopback. Without a
// scheme, https is meant; one trailing slash is dropped; plain http is for
// loopback alone. The result has scheme and host only.
func ParseExternalAddress(address string) (*url.URL, error) {
	fail := func(format string, args ...any) (*url.URL, error) {
		return nil, fmt.Errorf("external_address %q %s; expected an origin such as https://app.example.com", ShownAddress(address), fmt.Sprintf(format, args...))
	}
	if address == "" {
		return nil, fmt.Errorf("external_address is missing; expected an origin such as https://app.example.com, or http://localhost:8080 for development")
	}
	text := address
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	text = strings.TrimSuffix(text, "/")
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fail("is not an address")
	case u.User != nil:
		return fail("contains user information")
	case u.Scheme != "https" && u.Scheme != "http":
		return fail("has the scheme %q", u.Scheme)
	case u.Path != "":
		return fail("has a path (%s)", ShownAddress(u.Path))
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return fail("has a query or fragment")
	}
	host, err := canonicalHost(u.Scheme, u.Host)
	if err != nil {
		return fail("%s", err)
	}
	u.Host = host
	if u.Scheme == "http" && !IsLoopbackHost(u.Hostname()) {
		return fail("is plain http, which is for loopback addresses only (cookies and tokens would travel unprotected)")
	}
	return u, nil
}

// Origin is scheme and host: "https://app.example.com".
func (s *Site) Origin() string { return s.origin }

// Host is the host, with its port unless that is the scheme's own.
func (s *Site) Host() string { return s.host }

// Path is the path of the auth endpoints: "/auth".
func (s *Site) Path() string { return s.path }

// Secure reports whether the site is reached by https. If not, it is on
// loopback.
func (s *Site) Secure() bool { return s.secure }

// URL is the absolute URL of an auth endpoint: URL("/login") is
// "https://app.example.com/auth/login".
func (s *Site) URL(endpoint string) string { return s.origin + s.path + endpoint }

// LoginURL is where somebody signs in who wants to come back to next, a path
// of this site or an allowed URL.
func (s *Site) LoginURL(next string) string {
	return s.URL("/login") + "?next=" + url.QueryEscape(next)
}

// IsOwnHost reports whether a request's Host is the site's own.
func (s *Site) IsOwnHost(host string) bool {
	if host == s.host {
		return true
	}
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	canonical, err := canonicalHost(scheme, host)
	return err == nil && canonical == s.host
}

// IsAlias reports whether a request's Host is another loopback name of a
// loopback site (127.0.0.1:8080 for localhost:8080): its browsers are sent to
// the site's own name, where its cookies are.
func (s *Site) IsAlias(host string) bool {
	if s.secure || s.IsOwnHost(host) {
		return false
	}
	canonical, err := canonicalHost("http", host)
	if err != nil {
		return false
	}
	name, port := splitHost(canonical)
	_, ownPort := splitHost(s.host)
	return port == ownPort && IsLoopbackHost(name)
}

// IsLoopbackHost reports whether a host name without port means this machine:
// localhost, 127.0.0.0/8 or ::1.
func IsLoopbackHost(name string) bool {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}

// canonicalHost lower-cases a host, drops the scheme's own port and refuses
// what two programs might read in two ways.
func canonicalHost(scheme, host string) (string, error) {
	name, port, err := splitAuthority(host)
	if err != nil {
		return "", err
	}
	if (scheme == "https" && port == "443") || (scheme == "http" && port == "80") {
		port = ""
	}
	if port == "" {
		return name, nil
	}
	return name + ":" + port, nil
}

func splitAuthority(host string) (name, port string, err error) {
	name = strings.ToLower(host)
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasSuffix(name, "]") {
		name, port = name[:i], name[i+1:]
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return "", "", fmt.Errorf("has the port %q", port)
		}
	}
	if strings.HasPrefix(name, "[") {
		ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
		if err != nil || !ip.Is6() || ip.Is4In6() || ip.Zone() != "" || "["+ip.String()+"]" != name {
			return "", "", fmt.Errorf("has the host %q", name)
		}
		return name, port, nil
	}
	if !isHostName(name) {
		return "", "", fmt.Errorf("has the host %q", name)
	}
	return name, port, nil
}

func isHostName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	// A name that ends in a number is an IPv4 address to a browser (WHATWG URL,
	// host parsing), in forms such as 0x7f.1: only the plain form may pass.
	last := name[strings.LastIndexByte(name, '.')+1:]
	if endsInNumber(last) {
		ip, err := netip.ParseAddr(name)
		return err == nil && ip.Is4()
	}
	return true
}

func endsInNumber(label string) bool {
	if strings.HasPrefix(label, "0x") {
		return true
	}
	for i := range len(label) {
		if label[i] < '0' || label[i] > '9' {
			return false
		}
	}
	return true
}

func splitHost(hostport string) (name, port string) {
	name, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport, ""
	}
	return name, port
}

func checkBasePath(path string) error {
	if !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") || StrictPath(path) != nil || strings.ContainsAny(path, "%*?#{} ") {
		return fmt.Errorf("path %q is not a plain path; expected something like /auth", path)
	}
	return nil
}
