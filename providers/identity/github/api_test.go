package github

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

// S26, S27: an answer that two readers could read in two ways is about nobody.
func TestAnswersAreStrict(t *testing.T) {
	const (
		user   = `{"id":1234,"login":"ada"`
		emails = `[{"email":"ada@example.com","primary":true,"verified":true`
	)
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	tests := []struct {
		name, user, emails string
		text               string // in the error; "" means that it is believed
	}{
		{"good", user + "} ", emails + "}]\n", ""},
		{"another name", user + `,"ID":666}`, emails + `,"EMAIL":"eve@example.com"}]`, ""},
		{"garbage behind it", user + "}garbage", emails + "}]garbage", "something behind it"},
		{"another answer behind it", user + `}{"id":666}`, emails + "}][]", "something behind it"},
		{"twice, the last is right", `{"id":666,` + user[1:] + "}", `[{"verified":false,` + emails[2:] + "}]", "twice"},
		{"twice, the first is right", user + `,"id":666}`, emails + `,"email":"eve@example.com"}]`, "twice"},
		{"twice, once in disguise", user + `,"\u0069d":1234}`, emails + `,"prim\u0061ry":true}]`, "twice"},
		{"twice where nobody looks", user + `,"plan":{"a":1,"a":2}}`, emails + `},{"a":1,"a":1}]`, "twice"},
		{"broken UTF-8", user + ",\"name\":\"\xff\"}", emails + ",\"visibility\":\"\xff\"}]", "UTF-8"},
		{"deep", user + `,"x":` + deep + "}", emails + "}," + deep + "]", "deep"},
		{"cut off", user, emails + "}", "not JSON"},
		{"nothing", "", "", "not JSON"},
	}
	client := idp.NewHTTPClient()
	defer client.CloseIdleConnections()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				_, _ = io.WriteString(w, map[string]string{"/user": test.user, "/user/emails": test.emails}[r.URL.Path])
			}))
			defer server.Close()
			p := &Provider{apiURL: server.URL, client: client}
			who, errUser := p.user(t.Context(), "token")
			address, errEmails := p.primaryEmail(t.Context(), "token")
			if test.text == "" {
				if errUser != nil || errEmails != nil || who.Subject != "1234" || address != "ada@example.com" {
					t.Errorf("%+v, %v and %q, %v; want a user and an address", who, errUser, address, errEmails)
				}
				return
			}
			if who.Subject != "" || address != "" {
				t.Errorf("user %q, address %q; want none", who.Subject, address)
			}
			for _, err := range []error{errUser, errEmails} {
				if err == nil || !strings.Contains(err.Error(), test.text) || errors.Is(err, providers.ErrUnavailable) || strings.Contains(err.Error(), "garbage") {
					t.Errorf("error %v, want one with %q and no text of GitHub's", err, test.text)
				}
			}
		})
	}
}
