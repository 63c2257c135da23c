package routes

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// What Caddy offers for its operator is for this machine alone (S42): its admin
// API, by which everything may be changed, and its metrics.

// Open are those of a server's listen addresses that other machines may reach.
func Open(listen []string) []string {
	return slices.DeleteFunc(slices.Clone(listen), func(text string) bool {
		address, err := caddy.ParseNetworkAddress(text)
		return err == nil && (address.IsUnixNetwork() || isLoopback(address.Host))
	})
}

// metrics judges a handler that shows Caddy's metrics, and ours.
func (w *walker) metrics(at place, p *passed) {
	if p.lock.all || at.isForSome() || len(Open(w.server.Listen)) == 0 {
		return
	}
	w.findings = append(w.findings, Finding{
		Problem: "metrics are shown to everybody",
		Advice:  "put require_permission or require_login before it, or take it out: the admin API has the same under /metrics, for this machine alone",
		Server:  w.server.Name(), Route: at.String(),
	})
}

// isForSome reports whether only certain addresses come to a place.
func (p place) isForSome() bool {
	return slices.ContainsFunc(p, func(c condition) bool {
		for _, alternative := range c {
			if alternative["remote_ip"] == nil && alternative["client_ip"] == nil {
				return false
			}
		}
		return len(c) > 0
	})
}

// admin looks whether a reverse_proxy leads to Caddy's admin API.
func (w *walker) admin(proxy proxyStep, at place) {
	for _, upstream := range proxy.Upstreams {
		if !isSameAddress(caddy.NewReplacer().ReplaceKnown(upstream.Dial, ""), w.gateway.Admin) {
			continue
		}
		w.findings = append(w.findings, Finding{
			Problem: "a route leads to Caddy's admin API, by which whoever gets there reads and replaces the whole configuration",
			Advice:  "take the route out: the admin API is for this machine alone",
			Server:  w.server.Name(), Route: at.String(), Upstream: upstream.Dial,
		})
		return
	}
}

// isSameAddress reports whether who dials one address gets to the listener at
// the other; "" is none.
func isSameAddress(dial, listen string) bool {
	to, err := caddy.ParseNetworkAddress(dial)
	if err != nil || listen == "" {
		return false
	}
	at, err := caddy.ParseNetworkAddress(listen)
	switch {
	case err != nil:
		return false
	case to.IsUnixNetwork() || at.IsUnixNetwork():
		return to.IsUnixNetwork() && at.IsUnixNetwork() && socketPath(to) == socketPath(at)
	case at.StartPort < to.StartPort || at.StartPort > to.EndPort:
		return false
	}
	return strings.EqualFold(to.Host, at.Host) || isHere(to.Host) && isHere(at.Host)
}

// socketPath is the file of a Unix socket, without the permissions that may
// follow it.
func socketPath(address caddy.NetworkAddress) string {
	path, _, _ := strings.Cut(address.Host, "|")
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}

// isHere reports whether a host is this machine, to one who dials or listens:
// no host, and the unspecified one, are any of its addresses.
func isHere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.Unmap().IsUnspecified() || isLoopback(host)
}

// isLoopback reports whether a host is this machine to itself alone. Names
// below localhost are too (RFC 6761 section 6.3).
func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
