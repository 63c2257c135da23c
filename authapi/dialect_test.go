package authapi

import (
	"errors"
	"net/http"
	"testing"

	"github.com/datahq/auth-gateway/internal/wire"
)

// Contract 1.1 and 1.2: where the token is, and an empty one told from none,
// which update answers differently.
func TestDialectToken(t *testing.T) {
	for _, c := range []struct {
		query   string
		headers []string
		dialect dialect
		token   string
		given   bool
	}{
		{"", nil, dialect{}, "", false},
		{"", []string{"Auth-Token: "}, dialect{}, "", false},
		{"?jwt", nil, dialect{}, "", true},
		{"?jwt=a", []string{"Auth-Token: "}, dialect{}, "a", true},
		{"?jwt=a", []string{"Auth-Token: b"}, dialect{}, "b", true},
		{"?jwt=a", []string{"Auth-Token: b"}, dialect{jwtOnly: true}, "a", true},
		{"", []string{"Auth-Token: b"}, dialect{jwtOnly: true}, "", false},
		{"?jwt=a", []string{"Auth-Token: b", "Auth-Token: c"}, dialect{jwtOnly: true}, "a", true},
	} {
		r := request(http.MethodGet, "/auth/check"+c.query, c.headers...)
		p, err := readParameters(r)
		if err != nil {
			t.Fatal(err)
		}
		token, given, err := c.dialect.token(r, p)
		if err != nil || token != c.token || given != c.given {
			t.Errorf("%q %v: %q %v %v", c.query, c.headers, token, given, err)
		}
	}
	r := request(http.MethodGet, "/auth/check", "Auth-Token: a", "Auth-Token: b")
	if _, given, err := (dialect{}).token(r, parameters{}); !errors.Is(err, wire.ErrAmbiguous) || !given {
		t.Errorf("two: %v, %v", given, err)
	}
}
