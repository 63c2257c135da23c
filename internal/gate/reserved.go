package gate

import (
	"fmt"
	"net/textproto"
	"slices"

	"golang.org/x/net/http/httpguts"

	"github.com/datahq/auth-gateway/internal/wire"
)

// Reserved is the set of header names that only the gateway may set: X-Auth-*,
// Auth-Token, and those that gates forward a token in. It is filled while gates
// are made and only read afterwards.
type Reserved struct {
	folded []string
}

// add reserves the header a gate forwards its token in; "" is none.
func (s *Reserved) add(header string) error {
	if header == "" {
		return nil
	}
	if !httpguts.ValidHeaderFieldName(header) {
		return fmt.Errorf("forward_token %q is not a header name; expected something like %s", header, DefaultForwardToken)
	}
	switch name := textproto.CanonicalMIMEHeaderKey(header); name {
	case "Authorization", "Connection", "Content-Length", "Content-Type", "Cookie", "Host", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return fmt.Errorf("forward_token cannot be %s, which has a meaning of its own; expected something like %s", name, DefaultForwardToken)
	}
	name := wire.Fold(header)
	if slices.ContainsFunc(identityHeaders[:], func(identity string) bool { return wire.EqualFolded(identity, name) }) {
		return fmt.Errorf("forward_token cannot be %s, which is an identity header; expected something like %s", header, DefaultForwardToken)
	}
	if !s.has(name) {
		s.folded = append(s.folded, name)
	}
	return nil
}

// has reports whether a header or trailer is the gateway's to set.
func (s *Reserved) has(name string) bool {
	if wire.HasFoldedPrefix(name, "x-auth-") || wire.EqualFolded(name, "auth-token") {
		return true
	}
	for _, reserved := range s.folded {
		if wire.EqualFolded(name, reserved) {
			return true
		}
	}
	return false
}
