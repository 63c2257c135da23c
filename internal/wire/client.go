package wire

import (
	"net/http"
	"strings"
)

// Client is the kind of program that sent a request, as far as it decides the
// form of a refusal.
type Client int

const (
	// Program wants JSON: a fetch, a command-line tool, a service.
	Program Client = iota
	// Page is a browser that shows what it gets, but cannot be sent to the login
	// page and back: a form that was posted, a frame.
	Page
	// Navigation is a browser on its way to a page at the top level: it can be
	// sent to the login page and comes back.
	Navigation
)

// ClientOf tells the kind of client by its fetch metadata (W3C Fetch Metadata),
// and by Accept where there is none.
func ClientOf(r *http.Request) Client {
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	if r.Header.Get("Upgrade") != "" {
		return Program
	}
	switch mode := r.Header.Get("Sec-Fetch-Mode"); mode {
	case "":
	case "navigate", "nested-navigate":
		if safe && r.Header.Get("Sec-Fetch-Dest") == "document" {
			return Navigation
		}
		return Page
	default:
		return Program
	}
	if !acceptsHTML(r) || r.Header.Get("X-Requested-With") != "" {
		return Program
	}
	if safe {
		return Navigation
	}
	return Page
}

// acceptsHTML reports whether HTML is asked for by name; "*/*" is what curl
// sends.
func acceptsHTML(r *http.Request) bool {
	for _, line := range r.Header["Accept"] {
		for item := range strings.SplitSeq(line, ",") {
			mediaType, params, _ := strings.Cut(item, ";")
			mediaType = strings.TrimSpace(mediaType)
			if strings.EqualFold(mediaType, "text/html") || strings.EqualFold(mediaType, "application/xhtml+xml") {
				return !HasZeroWeight(params)
			}
		}
	}
	return false
}

// HasZeroWeight reports whether the parameters of an item of Accept say that
// it is not wanted: "q=0", "q=0.000" (RFC 9110 section 12.4.2).
func HasZeroWeight(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(name, "q") && strings.HasPrefix(value, "0") {
			return strings.Trim(value, "0.") == ""
		}
	}
	return false
}

// CookieCounts reports whether a cookie on this request is a credential. It is
// one on requests of our own pages and when somebody goes to a page; nothing
// that another origin's page fetches or posts may ride on it, nor what another
// site has in a frame (S32, S33).
func (s *Site) CookieCounts(r *http.Request) bool {
	if s.SameOrigin(r) {
		return true
	}
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	mode := r.Header.Get("Sec-Fetch-Mode")
	goes := safe && r.Header.Get("Upgrade") == "" && (mode == "navigate" || mode == "nested-navigate")
	return goes && (r.Header.Get("Sec-Fetch-Site") != "cross-site" || r.Header.Get("Sec-Fetch-Dest") == "document")
}

// SameOrigin reports whether a request comes from a page of the same origin, or
// from no page at all. Fetch metadata and Origin must agree, as they do in every
// browser; but a page that sends no referrer has the Origin "null" (Fetch
// standard, "append a request Origin header").
func (s *Site) SameOrigin(r *http.Request) bool {
	site := r.Header["Sec-Fetch-Site"] // by its canonical name: this is on every request's way
	if len(site) == 0 {
		return s.sameOrigin(r)
	}
	if len(site) != 1 || site[0] != "same-origin" && site[0] != "none" {
		return false
	}
	origins := r.Header["Origin"]
	return len(origins) == 1 && origins[0] == "null" || s.sameOrigin(r)
}

// sameOrigin judges by Origin, which every browser sends with what may change
// something and with WebSocket handshakes. Absence means no browser, or a
// plain GET of one. A page that came by plain http is not ours, even of the same
// host, unless the site is plain http on this machine: whoever sits in between
// may have written it. There in turn one that came by https is another's.
func (s *Site) sameOrigin(r *http.Request) bool {
	origins := r.Header["Origin"]
	switch len(origins) {
	case 0:
		return true
	case 1:
		scheme, host, _ := strings.Cut(origins[0], "://")
		name, _ := splitHost(host)
		if host == "" || !strings.EqualFold(host, r.Host) {
			return false
		}
		return s.secure && scheme == "https" || !s.secure && scheme == "http" && IsLoopbackHost(name)
	}
	return false
}
