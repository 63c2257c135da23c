package oidc

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// S24, S26: the userinfo is one strict JSON object about the id_token's
// subject, or nobody signs in.
func TestUserinfoIsStrict(t *testing.T) {
	const good = `{"sub":"1","email":"ada@example.com","email_verified":true`
	tests := []struct {
		name, answer string
		google       bool
		text         string // in the error; "" means that it is believed
	}{
		{"good", good + "}\n", false, ""},
		{"old names at Google", `{"id":"1","email":"ada@example.com","verified_email":true}`, true, ""},
		{"old names elsewhere", `{"id":"1","email":"ada@example.com","verified_email":true}`, false, `"sub"`},
		{"garbage behind it", good + "}garbage", false, "something behind it"},
		{"two objects", good + `}{"sub":"2"}`, false, "something behind it"},
		{"two objects, the second one good", `{"sub":"2"}` + good + "}", false, "something behind it"},
		{"the subject twice, the last is right", `{"sub":"2",` + good[1:] + "}", false, "twice"},
		{"the subject twice, the first is right", good + `,"sub":"2"}`, false, "twice"},
		{"the subject twice, once in disguise", good + `,"s\u0075b":"1"}`, false, "twice"},
		{"the old subject twice", `{"id":"2","id":"1","email":"ada@example.com"}`, true, "twice"},
		{"verified twice", good + `,"email_verified":false}`, false, "twice"},
		{"twice further inside", good + `,"address":{"a":1,"a":2}}`, false, "twice"},
		{"broken UTF-8", good + ",\"name\":\"\xff\"}", false, "UTF-8"},
		{"broken UTF-8 in a name", good + ",\"\xff\":1}", false, "UTF-8"},
		{"deep", good + `,"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}", false, "deep"},
		{"cut off", good, false, "not JSON"},
		{"a list", "[" + good + "}]", false, "not a JSON object"},
		{"null", "null", false, "not a JSON object"},
		{"nothing", "", false, "not JSON"},
		{"another subject", `{"sub":"2"}`, false, `"sub"`},
		{"another name for it", `{"SUB":"1"}`, false, `"sub"`},
	}
	client := idp.NewHTTPClient()
	defer client.CloseIdleConnections()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, test.answer)
			}))
			defer server.Close()
			p := &Provider{client: client, oldUserinfo: test.google}
			c, err := p.userinfo(t.Context(), &metadata{userinfo: server.URL}, "token", "1")
			if test.text == "" {
				if err != nil || c.text("sub") != "1" || c.email() != "ada@example.com" || c["email_verified"] != true {
					t.Errorf("%v, %v; want the claims", c, err)
				}
				return
			}
			if err == nil || c != nil || !strings.Contains(err.Error(), test.text) || errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("%v, %v; want an error with %q", c, err, test.text)
			}
			if err != nil && strings.Contains(err.Error(), "garbage") {
				t.Errorf("S25: the provider's text is in the error: %v", err)
			}
		})
	}
}
