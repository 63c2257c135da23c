package gate

import (
	"fmt"
	"net/textproto"
	"slices"

	"golang.org/x/net/http/httpguts"
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
	name := fold(header)
	if slices.ContainsFunc(identityHeaders[:], func(identity string) bool { return equalFolded(identity, name) }) {
		return fmt.Errorf("forward_token cannot be %s, which is an identity header; expected something like %s", header, DefaultForwardToken)
	}
	if !s.has(name) {
		s.folded = append(s.folded, name)
	}
	return nil
}

// has reports whether a header or trailer is the gateway's to set.
func (s *Reserved) has(name string) bool {
	if hasFoldedPrefix(name, "x-auth-") || equalFolded(name, "auth-token") {
		return true
	}
	for _, reserved := range s.folded {
		if equalFolded(name, reserved) {
			return true
		}
	}
	return false
}

// fold is a name as a CGI-like upstream reads it: case is lost, and "_" and
// "." are "-".
func fold(name string) string {
	b := []byte(name)
	for i, c := range b {
		b[i] = foldByte(c)
	}
	return string(b)
}

func foldByte(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c | 0x20
	case c == '_' || c == '.':
		return '-'
	}
	return c
}

func equalFolded(name, folded string) bool {
	return len(name) == len(folded) && hasFoldedPrefix(name, folded)
}

func hasFoldedPrefix(name, folded string) bool {
	if len(name) < len(folded) {
		return false
	}
	for i := range len(folded) {
		if foldByte(name[i]) != folded[i] {
			return false
		}
	}
	return true
}
