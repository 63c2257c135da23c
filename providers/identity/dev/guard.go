package dev

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// forwarding are headers that a proxy in front adds: then the peer is the
// proxy, and the person may be anywhere.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"}

// fromThisMachine reports whether a request comes from this machine and was
// meant for it. The Host is looked at since a page on the web can have its own
// name resolve to 127.0.0.1 (DNS rebinding).
func fromThisMachine(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	for _, name := range forwarding {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = strings.Trim(r.Host, "[]")
	}
	return idp.IsLoopback(host)
}
