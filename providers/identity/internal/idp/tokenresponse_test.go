package idp

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers"
)

// S26: what is not exactly a bearer token's response brings no token. It is the
// provider's last word on the code, so asking later does not help.
func TestExchange(t *testing.T) {
	tests := []struct {
		name, answer string
		text         string // in the error; "" means a token
	}{
		{"bearer", `{"access_token":"a","token_type":"bearer"}`, ""},
		{"Bearer", `{"access_token":"a","token_type":"Bearer","expires_in":60} `, ""},
		{"BEARER", `{"access_token":"a","token_type":"BEARER"}`, ""},
		{"no type", `{"access_token":"a"}`, ""},
		// RFC 6749 section 7.1: such a token must not be used.
		{"type mac", `{"access_token":"a","token_type":"mac"}`, "token_type"},
		{"type DPoP", `{"access_token":"a","token_type":"DPoP"}`, "token_type"},
		{"type N_A", `{"access_token":"a","token_type":"N_A"}`, "token_type"},
		{"empty type", `{"access_token":"a","token_type":""}`, "token_type"},
		{"blank behind the type", `{"access_token":"a","token_type":"bearer "}`, "token_type"},
		{"two types", `{"access_token":"a","token_type":"bearer mac"}`, "token_type"},
		{"type null", `{"access_token":"a","token_type":null}`, "token_type"},
		{"type is a number", `{"access_token":"a","token_type":1}`, "not a token response"},
		{"type is a list", `{"access_token":"a","token_type":["bearer"]}`, "not a token response"},
		{"type twice", `{"access_token":"a","token_type":"mac","token_type":"bearer"}`, "not a token response"},
		{"token twice", `{"access_token":"a","token_type":"bearer","access_token":"b"}`, "not a token response"},
		{"id_token twice", `{"access_token":"a","id_token":"x","id_token":"y"}`, "not a token response"},
		{"two answers", `{"access_token":"a"}{"access_token":"b"}`, "not a token response"},
		{"text behind it", `{"access_token":"a"}garbage`, "not a token response"},
		{"broken UTF-8", "{\"access_token\":\"a\xff\"}", "not a token response"},
		{"a list", `[{"access_token":"a"}]`, "not a token response"},
		{"null", `null`, "not a token response"},
		{"no token", `{"token_type":"bearer"}`, "not a token response"},
		{"nothing", ``, "not a token response"},
		{"an error", `{"error":"bad_verification_code"}`, "bad_verification_code"},
		{"an error beside a token", `{"access_token":"a","token_type":"bearer","error":"invalid_grant"}`, "invalid_grant"},
	}
	client := NewHTTPClient()
	defer client.CloseIdleConnections()
	transport := client.Transport
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, test.answer)
			}))
			defer server.Close()
			config := &oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{TokenURL: server.URL, AuthStyle: oauth2.AuthStyleInParams}}
			token, err := Exchange(t.Context(), client, config, "code", "verifier")
			if test.text == "" {
				if err != nil || token.AccessToken != "a" {
					t.Errorf("%v, %v; want the token", token, err)
				}
				return
			}
			if err == nil || token != nil || !strings.Contains(err.Error(), test.text) || errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("%v, %v; want an error with %q that is not ErrUnavailable", token, err, test.text)
			}
		})
	}
	if client.Transport != transport {
		t.Error("the client that everybody shares was changed")
	}
}
