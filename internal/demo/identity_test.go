package demo

import (
	"net/http"
	"testing"
)

func TestIdentityIsDecoded(t *testing.T) {
	who := readIdentity(http.Header{
		"X-Auth-User-Id":     {"u1"},
		"X-Auth-Name":        {"Ada%20%E2%9C%93"},
		"X-Auth-Permissions": {`{"a%20b":true}`},
	})
	for _, f := range who {
		switch f.Header {
		case "X-Auth-User-Id":
			if f.Value != "u1" || f.Decoded {
				t.Errorf("user ID: %+v", f)
			}
		case "X-Auth-Name":
			if f.Value != "Ada ✓" || f.Raw != "Ada%20%E2%9C%93" || !f.Decoded {
				t.Errorf("name: %+v", f)
			}
		case "X-Auth-Permissions": // JSON is not percent-encoded
			if f.Value != "{\n  \"a%20b\": true\n}" || !f.JSON || f.Decoded {
				t.Errorf("permissions: %+v", f)
			}
		default:
			if f.Raw != "" || f.Value != "" {
				t.Errorf("%s came from nowhere: %+v", f.Header, f)
			}
		}
	}
	if len(who) != len(identityHeaders) {
		t.Errorf("%d facts, want one for each of the %d headers", len(who), len(identityHeaders))
	}
}

func TestWhoIsAnonymous(t *testing.T) {
	for name, test := range map[string]struct {
		headers          http.Header
		anonymous, empty bool
		label            string
	}{
		"no header":      {http.Header{}, true, true, ""},
		"empty header":   {http.Header{"X-Auth-User-Id": {""}}, true, true, ""},
		"no user ID":     {http.Header{"X-Auth-Username": {"ada"}}, true, false, "ada"},
		"user ID alone":  {http.Header{"X-Auth-User-Id": {"u1"}}, false, false, "u1"},
		"name and ID":    {http.Header{"X-Auth-User-Id": {"u1"}, "X-Auth-Name": {"Ada"}}, false, false, "Ada"},
		"another prefix": {http.Header{"X-Author": {"ada"}}, true, true, ""},
	} {
		who := readIdentity(test.headers)
		if who.Anonymous() != test.anonymous || who.Empty() != test.empty || who.Label() != test.label {
			t.Errorf("%s: anonymous %v, empty %v, label %q", name, who.Anonymous(), who.Empty(), who.Label())
		}
	}
}

// The gateway sets each header once. If one comes twice, something else let it
// in, and it must be seen and not be taken for one name.
func TestRepeatedIdentityHeaderIsShownWhole(t *testing.T) {
	if got := readIdentity(http.Header{"X-Auth-Username": {"ada", "eve"}}).Get("username"); got != "ada, eve" {
		t.Errorf("username is %q", got)
	}
}
