package gate

import (
	"net/textproto"
	"strings"
	"testing"
)

// S13, ruling 29: "_" and "." are "-" to some upstream, and case is nothing.
func TestReserved(t *testing.T) {
	s := new(Reserved)
	for _, header := range []string{"", "My-Token", "my_token", "X-Auth-Token", "auth-token", "Other.Token"} {
		if err := s.add(header); err != nil {
			t.Errorf("%q: %v", header, err)
		}
	}
	for _, name := range []string{
		"X-Auth-User-Id", "x-auth-", "X_AUTH_", "X.Auth.X", "x_Auth-\xff", "X-Auth-Ünicode", "Auth-Token", "AUTH_TOKEN", "auth.token",
		"My-Token", "MY_TOKEN", "my.token", "Other-Token", "other_token",
	} {
		if !s.has(name) || !s.has(strings.ToLower(name)) || !s.has(strings.ToUpper(name)) {
			t.Errorf("%q is not reserved", name)
		}
	}
	for _, name := range []string{"", "X", "X-Auth", "X-Author-Id", "XAuth-Id", "X--Auth-Id", "-X-Auth-Id", "Auth-Token2", "Auth-Toke", "Auth--Token", "My-Token-", "My-Tokens", "MyToken", "Authorization", "Cookie"} {
		if s.has(name) {
			t.Errorf("%q is reserved", name)
		}
	}
	if len(s.folded) != 2 {
		t.Errorf("the list holds %q; expected each name once, without those that are reserved anyway", s.folded)
	}
}

// Ruling 9: a token may go where nothing else has its place.
func TestReservedRefuses(t *testing.T) {
	for _, header := range []string{
		"a b", "a:b", "a\r\nb", "ä", "(x)",
		"Host", "cookie", "CONNECTION", "content-length", "Content-Type", "Transfer-Encoding", "upgrade", "TE", "Trailer", "authorization",
		"X-Auth-User-Id", "x-auth-username", "X-AUTH-EMAIL", "x-auth-name", "X-Auth-Service", "X-Auth-Permissions",
		"X_Auth_User_Id", "x.auth.permissions",
	} {
		s := new(Reserved)
		if err := s.add(header); err == nil || !strings.Contains(err.Error(), "forward_token") || !strings.Contains(err.Error(), "expected something like X-Auth-Token") {
			t.Errorf("%q: %v", header, err)
		}
		if len(s.folded) > 0 {
			t.Errorf("%q is reserved all the same", header)
		}
	}
}

// A header that one gate forwards its token in is taken from clients at all
// gates that share the set: the upstream behind another route trusts it too.
func TestReservedIsShared(t *testing.T) {
	h := newHouse(t)
	plain := h.gate(identify)
	rule := readRule
	rule.ForwardToken = "My-Token"
	h.gate(rule)
	r := newRequest("GET", "/", "My-Token: forged", "MY_TOKEN: forged", "Your-Token: kept")
	mustAdmit(t, r, plain)
	wantHeaders(t, r.Header, map[string]string{"My-Token": "", "MY_TOKEN": "", "Your-Token": "kept"})
}

// What the gate sets must be found by upstreams, and by wantHeaders.
func TestIdentityHeadersAreCanonical(t *testing.T) {
	for _, name := range append(identityHeaders[:], DefaultForwardToken) {
		if name != textproto.CanonicalMIMEHeaderKey(name) || !new(Reserved).has(name) {
			t.Errorf("%q", name)
		}
	}
}
