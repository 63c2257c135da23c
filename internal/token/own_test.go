package token

import (
	"strings"
	"testing"
)

func TestHasOwnHeader(t *testing.T) {
	ring := testRing(t)
	permission, session := must(ring.SignPermission(testPermission())), must(ring.SignSession(testSession()))
	theirs := NewRing(testIssuer, must(GenerateSessionKey()), otherKey(t))
	for name, test := range map[string]struct {
		raw  string
		want bool
	}{
		"permission": {permission, true},
		"session":    {session, true},
		// It looks at the header only.
		"forged claims":          {permission[:strings.IndexByte(permission, '.')] + ".e30.AA", true},
		"permission of another":  {must(theirs.SignPermission(testPermission())), false},
		"session of another":     {must(theirs.SignSession(testSession())), false},
		"the header and no more": {permission[:strings.IndexByte(permission, '.')], false},
		"a longer header":        {permission[:strings.IndexByte(permission, '.')] + "AA.e30.AA", false},
		"nothing":                {"", false},
	} {
		if got := ring.HasOwnHeader(test.raw); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
