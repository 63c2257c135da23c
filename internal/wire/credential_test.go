package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// The reader of these tests takes for ours what begins with "ours".
func newReader(t testing.TB) *Reader {
	t.Helper()
	return &Reader{
		Site: newSite(t, "https://app.example.com"),
		Ours: func(token string) bool { return strings.HasPrefix(token, "ours") },
	}
}

// S9, ruling 5: one token from one place.
func TestRead(t *testing.T) {
	const cookie = "Cookie: __Host-auth_session=c1"
	tests := []struct {
		name    string
		headers []string
		want    Credentials
		err     error
	}{
		{"nothing", nil, Credentials{}, nil},
		{"Bearer", []string{"Authorization: Bearer ours1"}, Credentials{Token: "ours1", Bearer: true}, nil},
		{"Bearer in lower case", []string{"Authorization: bearer ours1"}, Credentials{Token: "ours1", Bearer: true}, nil},
		{"Bearer in upper case", []string{"Authorization: BEARER ours1"}, Credentials{Token: "ours1", Bearer: true}, nil},
		{"Bearer and many blanks", []string{"Authorization:  Bearer   ours1  "}, Credentials{Token: "ours1", Bearer: true}, nil},
		{"Bearer and a tab", []string{"Authorization: Bearer\tours1"}, Credentials{Token: "ours1", Bearer: true}, nil},
		{"Bearer with more after it", []string{"Authorization: Bearer ours1, Bearer ours2"}, Credentials{Token: "ours1, Bearer ours2", Bearer: true}, nil},
		{"foreign Bearer", []string{"Authorization: Bearer theirs"}, Credentials{}, nil},
		{"empty Bearer", []string{"Authorization: Bearer"}, Credentials{}, nil},
		{"empty Bearer with a blank", []string{"Authorization: Bearer "}, Credentials{}, nil},
		{"Basic", []string{"Authorization: Basic b3VyczE="}, Credentials{}, nil},
		{"Basic with a token of ours", []string{"Authorization: Basic ours1"}, Credentials{}, nil},
		{"another scheme", []string{"Authorization: BearerX ours1"}, Credentials{}, nil},
		{"no scheme", []string{"Authorization: ours1"}, Credentials{}, nil},
		{"empty Authorization", []string{"Authorization: "}, Credentials{}, nil},
		{"Proxy-Authorization", []string{"Proxy-Authorization: Bearer ours1"}, Credentials{}, nil},

		{"Auth-Token", []string{"Auth-Token: x1"}, Credentials{Token: "x1"}, nil},
		{"Auth-Token in lower case", []string{"auth-token: x1"}, Credentials{Token: "x1"}, nil},
		{"Auth-Token with blanks", []string{"Auth-Token:  x1 "}, Credentials{Token: "x1"}, nil},
		{"Auth-Token that says undefined", []string{"Auth-Token: undefined"}, Credentials{Token: "undefined"}, nil},
		{"empty Auth-Token (contract 2a)", []string{"Auth-Token: "}, Credentials{}, nil},
		{"empty Auth-Token and a cookie", []string{"Auth-Token: ", cookie}, Credentials{Cookie: "c1"}, nil},
		{"empty Auth-Token and a Bearer", []string{"Auth-Token: ", "Authorization: Bearer ours1"}, Credentials{Token: "ours1", Bearer: true}, nil},
		{"aliases of Auth-Token", []string{"Auth_token: x1", "X-Auth-Token: x2", "Auth.token: x3"}, Credentials{}, nil},

		{"cookie", []string{cookie}, Credentials{Cookie: "c1"}, nil},
		{"two cookies", []string{cookie, "Cookie: __Host-auth_session=c2"}, Credentials{}, nil},
		{"cookie on a foreign page's fetch", []string{cookie, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}, Credentials{}, nil},
		{"token on a foreign page's fetch", []string{cookie, "Auth-Token: x1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}, Credentials{Token: "x1"}, nil},
		{"token and cookie", []string{cookie, "Auth-Token: x1"}, Credentials{Token: "x1", Cookie: "c1"}, nil},

		{"the same token in two places", []string{"Authorization: Bearer ours1", "Auth-Token: ours1"}, Credentials{Token: "ours1", Bearer: true}, nil},
		{"foreign Bearer and Auth-Token", []string{"Authorization: Bearer theirs", "Auth-Token: x1"}, Credentials{Token: "x1"}, nil},
		{"foreign Bearer and cookie", []string{"Authorization: Bearer theirs", cookie}, Credentials{Cookie: "c1"}, nil},
		{"Basic and Auth-Token", []string{"Authorization: Basic x", "Auth-Token: x1"}, Credentials{Token: "x1"}, nil},
		{"two foreign lines", []string{"Authorization: Bearer theirs", "Authorization: Basic x"}, Credentials{}, nil},

		{"two tokens", []string{"Authorization: Bearer ours1", "Auth-Token: ours2"}, Credentials{}, ErrAmbiguous},
		{"repeated Bearer", []string{"Authorization: Bearer ours1", "Authorization: Bearer ours1"}, Credentials{}, ErrAmbiguous},
		{"two of Bearer", []string{"Authorization: Bearer ours1", "Authorization: Bearer ours2"}, Credentials{}, ErrAmbiguous},
		{"Bearer after a foreign one", []string{"Authorization: Bearer theirs", "Authorization: Bearer ours1"}, Credentials{}, ErrAmbiguous},
		{"Bearer before a foreign one", []string{"Authorization: Bearer ours1", "Authorization: Basic x"}, Credentials{}, ErrAmbiguous},
		{"repeated Auth-Token", []string{"Auth-Token: x1", "Auth-Token: x1"}, Credentials{}, ErrAmbiguous},
		{"two of Auth-Token", []string{"Auth-Token: x1", "Auth-Token: x2"}, Credentials{}, ErrAmbiguous},
		{"Auth-Token and an empty one", []string{"Auth-Token: ", "Auth-Token: x1"}, Credentials{}, ErrAmbiguous},
	}
	for _, tt := range tests {
		r := newRequest("GET", "/?jwt=query", tt.headers...) // the query is never read here
		before := r.Header.Clone()
		got, err := newReader(t).Read(r)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %+v, %v; expected %+v, %v", tt.name, got, err, tt.want, tt.err)
		}
		if got.Found() != (tt.want != Credentials{}) {
			t.Errorf("%s: Found is %t", tt.name, got.Found())
		}
		for name := range before {
			if !slices.Equal(before[name], r.Header[name]) {
				t.Errorf("%s: reading changed %s", tt.name, name)
			}
		}
	}
}

// S9, ruling 5: the query, where a gate counts it.
func TestAddQuery(t *testing.T) {
	for _, tt := range []struct {
		query, token, want string
		err                error
	}{
		{"", "", "", nil},
		{"a=b", "", "", nil},
		{"jwt=x1", "", "x1", nil},
		{"a=b&jwt=x1&c=d", "", "x1", nil},
		{"%6Awt=x1", "", "x1", nil},
		{"jwt=x%31", "", "x1", nil},
		{"jwt=", "", "", nil},
		{"jwt", "", "", nil},
		{"JWT=x1", "", "", nil},
		{"a=1;jwt=x1", "", "", nil}, // only "&" separates (contract 1.1)
		{"jwt=x1", "x1", "x1", nil}, // the same token in two places is one
		{"jwt=", "x1", "x1", nil},
		{"jwt=x2", "x1", "", ErrAmbiguous},
		{"jwt=x1&jwt=x1", "", "", ErrAmbiguous},
		{"jwt=x1&jwt=x2", "", "", ErrAmbiguous},
		{"jwt=x1&jw%74=x2", "", "", ErrAmbiguous},
		{"jwt=&jwt=x1", "", "", ErrAmbiguous},
	} {
		c := Credentials{Token: tt.token, Cookie: "c1"}
		err := c.AddQuery(tt.query)
		if !errors.Is(err, tt.err) || err == nil && (c.Token != tt.want || c.Cookie != "c1") {
			t.Errorf("%q with %q: %+v, %v; expected %q, %v", tt.query, tt.token, c, err, tt.want, tt.err)
		}
	}
}

// Contract 1.1: split on "&" only, broken escapes stay text.
func TestQueryValues(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"", nil},
		{"&", nil},
		{"=x", nil},
		{"next", []string{""}},
		{"next=", []string{""}},
		{"next=a", []string{"a"}},
		{"next=a=b", []string{"a=b"}},
		{"next=a+b%20c", []string{"a b c"}},
		{"next=%zz+%41", []string{"%zz A"}},
		{"next=%", []string{"%"}},
		{"next=a&x=y&next=b", []string{"a", "b"}},
		{"n%65xt=a&ne%78t=b", []string{"a", "b"}},
		{"next%00=a", nil},
		{"Next=a&next[]=b&nextx=c&+next=d", nil},
		{"a;next=b", nil},
		{"next=a;b", []string{"a;b"}},
		{"next=%c3%a4", []string{"ä"}},
	} {
		if got := QueryValues(tt.query, "next"); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q; expected %q", tt.query, got, tt.want)
		}
	}
}

func TestWithoutParameter(t *testing.T) {
	for query, want := range map[string]string{
		"":                           "",
		"a=b":                        "a=b",
		"jwt=x":                      "",
		"jwt":                        "",
		"jwt=":                       "",
		"a=b&jwt=x":                  "a=b",
		"jwt=x&a=b":                  "a=b",
		"a=b&jwt=x&c=d":              "a=b&c=d",
		"jwt=x&a=b&jwt=y":            "a=b",
		"%6Awt=x&a=b&%6a%77%74=y":    "a=b",
		"a=%zz&&=&b&+&c=d%&ö=ü&a=b":  "a=%zz&&=&b&+&c=d%&ö=ü&a=b",
		"&jwt=x&&a=%":                "&&a=%",
		"JWT=x&jwt2=y&xjwt=z&jwt%=1": "JWT=x&jwt2=y&xjwt=z&jwt%=1",
		"a=jwt=x":                    "a=jwt=x",
		"a=1;jwt=x":                  "a=1;jwt=x",
	} {
		if got := WithoutParameter(query, "jwt"); got != want {
			t.Errorf("%q: %q; expected %q", query, got, want)
		}
	}
}
